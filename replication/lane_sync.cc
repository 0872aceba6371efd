// Slot synchronisation: pulls, digests, and when a slot becomes ready.

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
  if (pull.slot % config_.lane_count != config_.lane ||
      pull.slot >= config_.slot_count) {
    return;
  }
  owners_.NoteRecent(pull.slot, from, now.steady);
  PullReply reply =
      transfers_.Answer(from, pull, StateOf(pull.slot).slot, now.steady);
  reply.ready = StateOf(pull.slot).ready;
  reply.degraded = degraded_;
  reply.owners_hash = owners_.HashOf(pull.slot);
  reply.recent = RecentOwners(pull.slot, now);
  ReplyToPull(from, std::move(reply), effects);
}

void Lane::OnPullMore(const NodeName& from, const PullMore& more, Instant now,
                      Effects* effects) {
  ReplyToPull(from, transfers_.AnswerMore(from, more, now.steady), effects);
}

void Lane::ReplyToPull(const NodeName& to, PullReply reply, Effects* effects) {
  const bool whole = reply.kind != PullReply::Kind::kBusy &&
                     reply.kind != PullReply::Kind::kGone && reply.last;
  if (whole) peers_.at(to).resync.erase(reply.slot);
  SendTo(to, std::move(reply), effects);
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
  SlotState& state = StateOf(done.slot);
  if (!TakePulled(done, now, effects)) {
    // It is asked to describe itself again after a while, and pulled from if it
    // still differs.
    Peer& peer = peers_.at(done.from);
    peer.described = false;
    peer.digest_requested = now.steady;
    return;
  }
  // A clock beyond the bound must not keep sessions alive.
  const int64_t latest_ms =
      absl::ToUnixMillis(now.wall + config_.clock_offset_max);
  for (const LastAccess& access : done.reply.last_accesses) {
    if (access.millis <= latest_ms) {
      state.slot.Touch(access.birth, access.millis);
    }
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
  Difference& known =
      peer->differences
          .try_emplace(theirs.slot, Difference{now.steady, theirs.live_hash})
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

void Lane::Synced(SlotId slot, const NodeName& with) {
  SlotState& state = StateOf(slot);
  if (!state.ready) state.synced_from.insert(with);
}

bool Lane::IsLively(const SlotState& state, Instant now) const {
  return now.steady - state.changed_at < config_.settle_time &&
         state.left_out < kLeftOutMax;
}

void Lane::SendDigest(const NodeName& to, bool complete, Instant now,
                      Effects* effects) const {
  Digest digest;
  digest.complete = complete;
  digest.ready = ready_;
  digest.degraded = degraded_;
  digest.leaving = leaving_;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const SlotState& state = slots_[i];
    if (state.slot.context().empty()) continue;
    if (!complete && IsLively(state, now)) continue;
    digest.slots.push_back({SlotAt(i), state.slot.context().Hash(),
                            Folded(state.slot.live_hash())});
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
  if (!peer.linked || !peer.heard) return;  // LinkUp asks for one anyway
  peer.ready = digest.ready;
  peer.degraded = digest.degraded;
  peer.leaving = digest.leaving;
  if (digest.complete) peer.described = true;
  std::map<SlotId, const SlotDigest*> described;
  for (const SlotDigest& slot : digest.slots) described[slot.slot] = &slot;
  for (size_t i = 0; i < slots_.size(); ++i) {
    SlotState& state = slots_[i];
    const SlotId slot = SlotAt(i);
    const auto it = described.find(slot);
    if (it == described.end()) {
      // Empty at the sender, or too lively to be compared.
      if (digest.complete) Synced(slot, from);
      continue;
    }
    if (it->second->context_hash == state.slot.context().Hash()) {
      // Whoever is asked for a complete one sends it although it may be behind
      // with dropping what is over.
      if (!digest.complete && !IsScanBehind(now)) {
        CompareLives(from, &peer, *it->second, now, effects);
      }
      peer.resync.erase(slot);
      Synced(slot, from);
      continue;
    }
    state.synced_from.erase(from);
    peer.differences.erase(slot);
    if (digest.complete || !IsLively(state, now)) {
      puller_.Want(from, slot, /*urgent=*/!state.ready);
    }
  }
}

void Lane::OnResync(const NodeName& from, const Resync& resync) {
  if (!Linked(from)) return;  // repeated with the next link
  for (const SlotId slot : resync.slots) {
    if (slot % config_.lane_count != config_.lane ||
        slot >= config_.slot_count) {
      continue;
    }
    puller_.Want(from, slot, /*urgent=*/true);
  }
}

void Lane::AdvanceReadiness(Instant now, Effects* effects) {
  readiness_at_ = absl::InfiniteFuture();
  const absl::Time orphaned = started_ + config_.orphan_grace;
  const bool grace_over = now.steady >= orphaned;
  if (!grace_over) readiness_at_ = orphaned;
  std::vector<NodeName> sources;
  bool any_ready = false;
  bool all_degraded = true;  // of those that are ready
  for (const NodeName& node : owners_.members()) {
    const auto peer = peers_.find(node);
    const bool linked = peer != peers_.end() && peer->second.linked;
    if (!linked && (grace_over || owners_.IsSuspect(node))) continue;
    if (!linked || !peer->second.described) {
      if (grace_over) continue;
      return;  // everybody who lives must be heard
    }
    if (grace_over && peer->second.distrusted) continue;
    any_ready = any_ready || peer->second.ready;
    all_degraded =
        all_degraded && (!peer->second.ready || peer->second.degraded);
    sources.push_back(node);
  }
  if (grace_over && !any_ready) {
    BecomeReady(/*degraded=*/true, now, effects);
    return;
  }
  if (sources.empty()) return;
  if (!any_ready) {
    // A cluster that starts: nobody has anything, unless somebody who has is
    // dead to us or has not been met again.
    if (owners_.dead_count() > 0) return;
    if (!owners_.AllMet(config_.former_peers)) return;
    const absl::Time settled = owners_.changed_at() + config_.bootstrap_settle;
    if (now.steady < settled) {
      readiness_at_ = std::min(orphaned, settled);
      return;
    }
  }
  bool all = true;
  for (SlotState& state : slots_) {
    if (state.ready) continue;
    if (std::includes(state.synced_from.begin(), state.synced_from.end(),
                      sources.begin(), sources.end())) {
      state.ready = true;
      state.synced_from.clear();
    } else {
      all = false;
    }
  }
  // What only degraded nodes had may not be all there is.
  if (all) BecomeReady(any_ready && all_degraded, now, effects);
}

void Lane::AdvanceRecovery() {
  if (owners_.members().empty() || !puller_.idle()) return;
  for (const NodeName& node : owners_.members()) {
    if (!Linked(node)) return;
    const Peer& peer = peers_.at(node);
    if (!peer.described || !peer.ready) return;
  }
  degraded_ = false;
}

void Lane::BecomeReady(bool degraded, Instant now, Effects* effects) {
  for (SlotState& state : slots_) {
    state.ready = true;
    state.synced_from.clear();
  }
  ready_ = true;
  degraded_ = degraded;
  Emit({.kind = degraded ? Event::Kind::kLaneReadyDegraded
                         : Event::Kind::kLaneReady,
        .count = slots_.size(),
        .detail = degraded
                      ? "serves what it has: no ready owner was reached in time"
                      : ""},
       effects);
  SendDigests(/*complete=*/true, now, effects);
}

}  // namespace sessionmesh::replication
