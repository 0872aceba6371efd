// Slot synchronisation: pulls and digests.

#include <algorithm>
#include <map>

#include "replication/lane.h"

namespace sessionmesh::replication {
namespace {

// A slot that always changes is compared all the same, every so many digests:
// what a peer misses of it for good would not show otherwise.
constexpr uint32_t kLeftOutMax = 2;

uint64_t Folded(const LiveHash& hash) { return Mix64(hash.high) ^ hash.low; }

}  // namespace

void Lane::StartPulls(Instant now, Effects* effects) {
  while (const std::optional<Puller::Start> start = puller_.Next(now.steady)) {
    const Slot& slot = StateOf(start->slot).slot;
    SendTo(start->from,
           Pull{.pull = start->pull,
                .slot = start->slot,
                .context = slot.context(),
                .live_hash = slot.live_hash(),
                .last_access_hash = slot.LastAccessHash()},
           effects);
  }
}

void Lane::OnPull(const NodeName& from, const Pull& pull, Instant now,
                  Effects* effects) {
  if (!IsInLane(pull.slot)) return;
  owners_.NoteRecent(pull.slot, from, now.steady);
  PullReply reply =
      transfers_.Answer(from, pull, StateOf(pull.slot).slot, now.steady);
  reply.ready = IsReady(pull.slot);
  reply.degraded =
      StateOf(pull.slot).phase.degraded || partial_.count(pull.slot) > 0;
  reply.owners_hash = owners_.HashOf(pull.slot);
  reply.recent = RecentOwners(pull.slot, now);
  reply.last_access_hash = StateOf(pull.slot).slot.LastAccessHash();
  ReplyToPull(from, std::move(reply), effects);
}

void Lane::OnPullMore(const NodeName& from, const PullMore& more, Instant now,
                      Effects* effects) {
  ReplyToPull(from, transfers_.AnswerMore(from, more, now.steady), effects);
}

void Lane::ReplyToPull(const NodeName& to, PullReply reply, Effects* effects) {
  const bool whole = reply.kind != PullReply::Kind::kBusy &&
                     reply.kind != PullReply::Kind::kGone && reply.last;
  const SlotId slot = reply.slot;
  if (whole) peers_.at(to).resync.erase(slot);
  SendTo(to, std::move(reply), effects);
  // Perhaps this was what it lacked.
  if (whole) AskToDrop(slot, to, effects);
}

void Lane::OnPullReply(const NodeName& from, const PullReply& reply,
                       Instant now, Effects* effects) {
  std::optional<PullMore> more;
  const std::optional<Puller::Done> done =
      puller_.OnReply(from, reply, now.steady, &more);
  if (more.has_value()) SendTo(from, *more, effects);
  if (done.has_value()) FinishPull(*done, now, effects);
}

bool Lane::TakePulled(const Puller::Done& done, Instant now, Effects* effects) {
  const PullReply& reply = done.reply;
  absl::Status refused;
  if (reply.kind == PullReply::Kind::kState) {
    refused = CheckSnapshot(reply.state);
    // By a clock far ahead its lives have ended early: not believed.
    if (refused.ok() && peers_.at(done.from).distrusted) return false;
  }
  const bool whole = reply.kind == PullReply::Kind::kState;
  for (const DeltaPtr& delta : whole ? reply.state.parked : reply.deltas) {
    if (refused.ok() && delta->slot != done.slot) {
      refused = absl::InvalidArgumentError(
          "a pull was answered with a change of another slot");
    }
    // What contexts are about to forget may still be in a log.
    if (refused.ok() && !IsForgotten(delta->actor, now)) {
      refused = CheckTimes(*delta, now);
    }
  }
  if (!refused.ok()) {
    Emit({.kind = Event::Kind::kRefused,
          .node = done.from,
          .slot = done.slot,
          .detail = std::string(refused.message())},
         effects);
    return false;
  }
  if (whole) {
    JoinState(done, now, effects);
  } else {
    for (const DeltaPtr& delta : reply.deltas) {
      if (!IsForgotten(delta->actor, now)) {
        ReceiveDelta(done.from, delta, now, effects);
        continue;
      }
      // Every session that its actor can have touched is over. Not taken over,
      // but covered, as it is at the others: younger changes follow it.
      SlotChanges changes;
      StateOf(done.slot).slot.CoverAsOver(delta, &changes);
      AfterChange(done.slot, changes, now, effects);
    }
  }
  return true;
}

void Lane::FinishPull(const Puller::Done& done, Instant now, Effects* effects) {
  if (!TakePulled(done, now, effects)) {
    // It is asked to describe itself again after a while, and pulled from if it
    // still differs.
    Peer& peer = peers_.at(done.from);
    peer.described = false;
    peer.digest_requested = now.steady;
    return;
  }
  for (const LastAccess& access : done.reply.last_accesses) {
    NoteAccess(done.slot, access, now);
  }
  Peer& peer = peers_.at(done.from);
  if (PhaseAt(peer, done.slot).phase == Phase::kLeaving) {
    peer.accesses_known[done.slot] = done.reply.last_access_hash;
  }
  const auto waiting = calls_by_slot_.find(done.slot);
  const std::set<CallHandle> none;
  for (const CallHandle handle :
       waiting == calls_by_slot_.end() ? none : waiting->second) {
    Call& call = calls_.at(handle);
    if (!call.inquiry.has_value() || done.pull < call.inquiry->since) continue;
    NoteAnswer(done, now, &*call.inquiry);
    if (done.reply.owners_hash != owners_.HashOf(done.slot)) {
      call.lists_differ = true;
    }
  }
  const auto probe = probes_.find(done.slot);
  if (probe != probes_.end() && done.pull >= probe->second.inquiry.since) {
    NoteAnswer(done, now, &probe->second.inquiry);
  }
  Synced(done.slot, done.from);
  to_advance_.insert(done.slot);
}

void Lane::NoteAnswer(const Puller::Done& done, Instant now,
                      Inquiry* inquiry) const {
  inquiry->answered.insert(done.from);
  for (const RecentOwner& owner : done.reply.recent) {
    absl::Time& noted =
        inquiry->recent.try_emplace(owner.node, absl::InfinitePast())
            .first->second;
    noted = std::max(noted, now.steady - owner.age);
  }
  // A degraded owner is ready by itself only (rule F5).
  if (done.reply.ready && !done.reply.degraded &&
      owners_.IsOtherOf(done.slot, done.from)) {
    inquiry->ready.insert(done.from);
  }
}

void Lane::JoinState(const Puller::Done& done, Instant now, Effects* effects) {
  for (const Context::Entry& entry : done.reply.state.context.entries()) {
    GuardActor(done.from, done.slot, {entry.actor, entry.ranges.back().last},
               now, effects);
  }
  for (const DeltaPtr& delta : done.reply.state.parked) {
    GuardActor(done.from, *delta, now, effects);
    hlc_.Observe(delta->hlc);
  }
  SlotChanges changes;
  StateOf(done.slot).slot.Join(done.reply.state, done.from, now.wall, &changes,
                               ParkedBytesMost(done.slot));
  AfterChange(done.slot, changes, now, effects);
}

// Lives go at their deadline by each node's own clock and pass, so for a while
// equal contexts may hold different lives. Longer than that it is a bug or
// damage: a dot fixes its value. Sending cannot mend it; it must be seen.
void Lane::CompareLives(const NodeName& from, Peer* peer,
                        const SlotDigest& theirs, Instant now,
                        Effects* effects) {
  const SlotState& state = StateOf(theirs.slot);
  if (theirs.live_hash == Folded(state.slot.live_hash())) {
    peer->differences.erase(theirs.slot);
    return;
  }
  Peer::Difference& known =
      peer->differences
          .try_emplace(theirs.slot,
                       Peer::Difference{now.steady, theirs.live_hash})
          .first->second;
  if (known.live_hash != theirs.live_hash || known.since <= state.changed_at) {
    known = {now.steady, theirs.live_hash};  // one of the two has moved
  }
  if (now.steady - known.since < 3 * config_.expiry_pass_interval) return;
  peer->differences.erase(theirs.slot);
  Emit({.kind = Event::Kind::kStateMismatch,
        .node = from,
        .slot = theirs.slot,
        .detail =
            "equal contexts hold different sessions: a bug or damaged memory"},
       effects);
}

bool Lane::IsLively(const SlotState& state, Instant now) const {
  return now.steady - state.changed_at < config_.settle_time &&
         state.left_out < kLeftOutMax;
}

SlotDigest Lane::Describe(SlotId slot) const {
  const SlotState& state = StateOf(slot);
  return {slot, state.slot.context().Hash(), Folded(state.slot.live_hash()),
          state.phase};
}

Digest Lane::DigestOfNoSlot() const {
  return {.process = self_.process,
          .leaving = leaving_,
          .placement = owners_.placement_hash(),
          .slots = {}};
}

void Lane::SendDigest(const NodeName& to, bool complete, Instant now,
                      Effects* effects) const {
  Digest digest = DigestOfNoSlot();
  digest.complete = complete;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const SlotState& state = slots_[i];
    if (state.phase.phase == Phase::kNone) continue;
    if (!complete && (state.slot.context().empty() || IsLively(state, now) ||
                      !owners_.IsOtherOf(SlotAt(i), to))) {
      continue;
    }
    digest.slots.push_back(Describe(SlotAt(i)));
  }
  if (!complete && digest.slots.empty()) return;
  SendTo(to, std::move(digest), effects);
}

void Lane::SendDigests(bool complete, Instant now, Effects* effects) const {
  for (const NodeName& node : owners_.members()) {
    if (Linked(node)) SendDigest(node, complete, now, effects);
  }
}

void Lane::OnDigest(const NodeName& from, const Digest& digest, Instant now,
                    Effects* effects) {
  Peer& peer = peers_.at(from);
  if (digest.process != peer.process) return;
  // Whether or not this node reaches it.
  owners_.SetLeaving(from, digest.leaving, now.steady);
  FollowOwners(now, effects);
  if (!peer.linked || !peer.heard) return;  // LinkUp asks for one anyway
  peer.placement = digest.placement;
  if (digest.complete) {
    peer.described = true;
    peer.phases.clear();
  }
  peer.phases.resize(slots_.size());
  for (const SlotDigest& theirs : digest.slots) {
    SlotPhase& known = peer.phases[IndexOf(theirs.slot)];
    const bool becomes_ready =
        known.phase != Phase::kReady && theirs.phase.phase == Phase::kReady;
    known = theirs.phase;
    if (becomes_ready) AskToDrop(theirs.slot, from, effects);
    OnSlotDigest(from, &peer, theirs, digest.complete, now, effects);
  }
}

void Lane::OnSlotDigest(const NodeName& from, Peer* peer,
                        const SlotDigest& theirs, bool complete, Instant now,
                        Effects* effects) {
  const SlotId slot = theirs.slot;
  SlotState& state = StateOf(slot);
  if (theirs.phase.phase == Phase::kNone || !owners_.IsOwnedHere(slot)) {
    // Should both own it again, they are compared anew.
    peer->differences.erase(slot);
    return;
  }
  // Where owners change with members, who pulls is noted at the source as one
  // that may accept accesses (rule D): then equality is not enough.
  const bool must_pull =
      config_.replicas != kReplicasAll && state.phase.phase == Phase::kSyncing;
  if (theirs.context_hash == Context().Hash() && !must_pull) {
    Synced(slot, from);  // it has seen nothing
    return;
  }
  if (theirs.context_hash == state.slot.context().Hash()) {
    // Whoever is asked for a complete one sends it although it may be behind
    // with dropping what is over.
    if (!complete && !IsScanBehind(now)) {
      CompareLives(from, peer, theirs, now, effects);
    }
    peer->resync.erase(slot);
    if (!must_pull) {
      Synced(slot, from);
      return;
    }
    if (state.synced_from.count(from) == 0) {
      puller_.Want(from, slot, /*urgent=*/true);
    }
    return;
  }
  state.synced_from.erase(from);
  peer->differences.erase(slot);
  if (complete || !IsLively(state, now)) {
    puller_.Want(from, slot, /*urgent=*/!IsReady(slot));
  }
}

void Lane::OnResync(const NodeName& from, const Resync& resync) {
  if (!Linked(from)) return;  // repeated with the next link
  for (const SlotId slot : resync.slots) {
    // Who becomes an owner later pulls anyway.
    if (!IsInLane(slot) || !owners_.IsOwnedHere(slot)) continue;
    puller_.Want(from, slot, /*urgent=*/true);
  }
}

}  // namespace sessionmesh::replication
