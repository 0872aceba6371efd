// The delta streams: Hello, frames, acknowledgements.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "replication/lane.h"

namespace sessionmesh::replication {
namespace {

// Deltas of one peer that may wait here for their dependencies.
constexpr size_t kUnappliedMax = 8192;

// Processes that said Hello before membership knew them.
constexpr size_t kStrangersMax = 256;

}  // namespace

void Lane::SayHello(const NodeName& name, Peer* peer, Instant now,
                    Effects* effects) {
  peer->hello_sent = now.steady;
  Hello hello;
  hello.process = self_.process;
  hello.received_process = peer->process;
  hello.received_epoch = peer->in_epoch;
  hello.received_seq = peer->in_seq;
  hello.actors = actors_.List(self_.process);
  SendTo(name, std::move(hello), effects);
}

void Lane::OnHello(const NodeName& from, const Hello& hello, Instant now,
                   Effects* effects) {
  if (hello.process == 0) return;
  // It says Hello again until it is answered; by then there is room, or
  // membership knows it.
  if (peers_.count(from) == 0 && !owners_.Knows(from) &&
      peers_.size() > owners_.members().size() + kStrangersMax) {
    return;
  }
  Peer& peer = PeerOf(from);
  const bool is_new = peer.process != hello.process;
  if (is_new) {
    const bool was_known = peer.process != 0;
    peer.process = hello.process;
    peer.actors.clear();
    peer.in_epoch = 0;
    peer.in_seq = 0;
    peer.unapplied.clear();
    const bool was_suspended = peer.out.suspended();
    peer.out.Drop();
    if (!was_suspended && peer.linked) {
      peer.heard = false;  // begins anew with its acknowledgement
    }
    peer.out.Suspend();
    peer.resync.clear();
    peer.differences.clear();
    peer.described = false;
    peer.phases.clear();
    peer.accesses_known.clear();
    // What it consented to as another process is nothing now.
    for (const SlotId slot : to_drop_) {
      if (owners_.IsOtherOf(slot, from)) VoidConsents(slot);
    }
    owners_.SetLeaving(from, false, now.steady);
    FollowOwners(now, effects);
    puller_.Forget(from);
    transfers_.Forget(from);
    for (SlotState& state : slots_) state.synced_from.erase(from);
    if (was_known) {
      Emit({.kind = Event::Kind::kPeerForgot,
            .node = from,
            .detail = "came back as a new process; it pulls what it needs"},
           effects);
    }
    waits_.Forget(from);
    ReofferWaits(from, &peer, nullptr, now, effects);
  }
  for (const ActorHome& home : hello.actors) {
    actors_.Learn(home);
    if (home.node == from && home.process == hello.process) {
      peer.actors.insert(home.actor);
    }
  }
  Acknowledge(from, peer, {}, effects);
  if (peer.linked &&
      (hello.received_process != self_.process || (is_new && !peer.heard))) {
    SayHello(from, &peer, now, effects);
  }
}

void Lane::Acknowledge(const NodeName& to, const Peer& peer,
                       std::vector<SlotDot> settled, Effects* effects) const {
  FrameAck ack{.process = peer.process,
               .epoch = peer.in_epoch,
               .seq = peer.in_seq,
               .settled = std::move(settled)};
  for (const auto& [slot, dot] : peer.unapplied) {
    ack.parked.push_back({slot, dot});
  }
  SendTo(to, std::move(ack), effects);
}

void Lane::OnFrame(const NodeName& from, const Frame& frame, Instant now,
                   Effects* effects) {
  Peer& peer = peers_.at(from);
  if (frame.epoch != peer.in_epoch && frame.seq == 1) {
    peer.in_epoch = frame.epoch;
    peer.in_seq = 0;
    peer.unapplied.clear();
  }
  if (frame.epoch != peer.in_epoch || frame.seq != peer.in_seq + 1) {
    // A repetition, or a gap that this lets the peer close.
    Acknowledge(from, peer, {}, effects);
    return;
  }
  // No more is taken from a peer while so much of it waits; it sends this
  // again.
  if (peer.unapplied.size() >= kUnappliedMax) return;
  for (const DeltaPtr& delta : frame.deltas) {
    const absl::Status times = CheckTimes(*delta, now);
    if (times.ok()) continue;
    Emit({.kind = Event::Kind::kRefused,
          .node = from,
          .detail = std::string(times.message())},
         effects);
    peer.distrusted = true;
    SendTo(from, Refuse{std::string(times.message())}, effects);
    return;
  }
  peer.distrusted = false;
  peer.in_seq = frame.seq;
  reading_from_ = from;
  for (const DeltaPtr& delta : frame.deltas) {
    const Slot::Outcome outcome = ReceiveDelta(from, delta, now, effects);
    if (outcome == Slot::Outcome::kRefused) {
      // No room to park it; nobody will remember it, so its slot is pulled.
      puller_.Want(from, delta->slot, /*urgent=*/false);
    }
    if (outcome == Slot::Outcome::kParked ||
        outcome == Slot::Outcome::kRefused) {
      peer.unapplied.insert({delta->slot, delta->last()});
    }
  }
  reading_from_.clear();
  Acknowledge(from, peer, TakeSettled(&peer), effects);
}

std::vector<SlotDot> Lane::TakeSettled(Peer* peer) {
  std::vector<SlotDot> settled;
  for (auto it = peer->unapplied.begin(); it != peer->unapplied.end();) {
    if (StateOf(it->first).slot.context().Contains(it->second)) {
      settled.push_back({it->first, it->second});
      it = peer->unapplied.erase(it);
    } else {
      ++it;
    }
  }
  return settled;
}

std::vector<SlotDot> Lane::TakeSettled(Peer* peer, SlotId slot) {
  std::vector<SlotDot> settled;
  const Context& context = StateOf(slot).slot.context();
  auto it = peer->unapplied.lower_bound({slot, Dot{}});
  while (it != peer->unapplied.end() && it->first == slot) {
    if (context.Contains(it->second)) {
      settled.push_back({it->first, it->second});
      it = peer->unapplied.erase(it);
    } else {
      ++it;
    }
  }
  return settled;
}

bool Lane::IsForgotten(ActorId actor, Instant now) const {
  return ActorEpoch(actor) <
         now.wall - config_.context_horizon() + 4 * config_.clock_offset_max;
}

absl::Status Lane::CheckTimes(const Delta& delta, Instant now) const {
  const absl::Time latest = now.wall + config_.clock_offset_max;
  const absl::Time clock = absl::FromUnixMillis(HlcMillis(delta.hlc));
  if (clock > latest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a change is dated ", absl::FormatDuration(clock - now.wall),
        " ahead of this node's clock; at most ",
        absl::FormatDuration(config_.clock_offset_max),
        " is tolerated: synchronise the clocks (NTP)"));
  }
  const absl::Time epoch = ActorEpoch(delta.actor);
  if (epoch > latest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "an actor was born ", absl::FormatDuration(epoch - now.wall),
        " ahead of this node's clock: synchronise the clocks (NTP)"));
  }
  if (IsForgotten(delta.actor, now)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "an actor was born ", absl::FormatDuration(now.wall - epoch),
        " ago, longer than any session may live; its node must take a new "
        "one"));
  }
  return absl::OkStatus();
}

void Lane::GuardActor(const NodeName& from, SlotId slot, const Dot& seen,
                      Instant now, Effects* effects) {
  if (seen.actor != actor_ || seen.counter < StateOf(slot).next_counter) return;
  TakeNewActor(now, effects);
  Emit({.kind = Event::Kind::kRefused,
        .node = from,
        .slot = slot,
        .detail = "it knows changes of this process that this process has not "
                  "made: was this machine set back to a snapshot?"},
       effects);
}

void Lane::GuardActor(const NodeName& from, const Delta& delta, Instant now,
                      Effects* effects) {
  GuardActor(from, delta.slot, delta.last(), now, effects);
  // A KILL covers its births too.
  for (const Dot& birth : delta.births) {
    GuardActor(from, delta.slot, birth, now, effects);
  }
}

Slot::Outcome Lane::ReceiveDelta(const NodeName& from, const DeltaPtr& delta,
                                 Instant now, Effects* effects) {
  if (!IsInLane(delta->slot)) {
    return Slot::Outcome::kDuplicate;  // wire has refused such; nothing to
                                       // apply in this lane
  }
  GuardActor(from, *delta, now, effects);
  hlc_.Observe(delta->hlc);
  SlotChanges changes;
  const Slot::Outcome outcome =
      StateOf(delta->slot)
          .slot.Receive(delta, from, &changes, ParkedBytesMost(delta->slot));
  AfterChange(delta->slot, changes, now, effects);
  return outcome;
}

void Lane::OnFrameAck(const NodeName& from, const FrameAck& ack, Instant now,
                      Effects* effects) {
  if (ack.process != self_.process) {
    return;  // meant for a former process of this name
  }
  Peer& peer = peers_.at(from);
  std::vector<SlotDot> held;
  if (!peer.linked) {
    peer.out.Acknowledge(ack, &held);
    CountHeld(from, held, now, effects);
    return;
  }
  if (peer.out.suspended() && !peer.refused) {
    peer.out.Resume(ack, &held);
  } else {
    peer.out.Acknowledge(ack, &held);
  }
  if (!peer.heard && !peer.refused) {
    peer.heard = true;
    peer.digest_requested = now.steady;
    SendTo(from, DigestRequest{}, effects);
    // It may have missed something without knowing: its own stream to us need
    // not have broken.
    SendDigest(from, /*complete=*/true, now, effects);
    if (!peer.resync.empty()) {
      SendTo(from, Resync{{peer.resync.begin(), peer.resync.end()}}, effects);
    }
    AskToo(from);
    for (const auto& [slot, calls] : calls_by_slot_) to_advance_.insert(slot);
  }
  CountHeld(from, held, now, effects);
}

void Lane::CountHeld(const NodeName& peer, const std::vector<SlotDot>& held,
                     Instant now, Effects* effects) {
  for (const SlotDot& dot : held) {
    for (const CallHandle handle : waits_.Held(peer, dot)) {
      SettleWait(handle, now, effects);
    }
  }
}

void Lane::OnRefuse(const NodeName& from, const Refuse& refuse, Instant now,
                    Effects* effects) {
  Peer& peer = peers_.at(from);
  peer.refused = true;
  peer.heard = false;
  peer.out.Suspend();
  Emit({.kind = Event::Kind::kRefused,
        .node = from,
        .detail = absl::StrCat("it refuses our changes: ", refuse.why)},
       effects);
  SettleAllWaits(now, effects);
}

void Lane::Flush(const NodeName& name, Peer* peer, Instant now,
                 Effects* effects) {
  if (!peer->linked || !peer->heard || peer->refused) return;
  Frame frame;
  while (peer->out.NextFrame(now.steady, &frame)) {
    SendTo(name, std::move(frame), effects);
  }
  std::set<SlotId> dirty;
  for (const SlotId slot : peer->out.TakeDirty()) {
    if (Replicates(slot, name, *peer)) dirty.insert(slot);
  }
  if (dirty.empty()) return;
  peer->resync.insert(dirty.begin(), dirty.end());
  SendTo(name, Resync{{dirty.begin(), dirty.end()}}, effects);
  ReofferWaits(name, peer, &dirty, now, effects);
  while (peer->out.NextFrame(now.steady, &frame)) {
    SendTo(name, std::move(frame), effects);
  }
}

void Lane::FlushAll(Instant now, Effects* effects) {
  for (auto& [name, peer] : peers_) Flush(name, &peer, now, effects);
}

}  // namespace sessionmesh::replication
