// Slot synchronisation: pulls, digests, and when a slot becomes ready.

#include <algorithm>
#include <map>

#include "replication/lane.h"

namespace sessionmesh::replication {
namespace {

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
  owners_.NoteRecent(from, now.steady);
  PullReply reply =
      transfers_.Answer(from, pull, StateOf(pull.slot).slot, now.steady);
  reply.ready = StateOf(pull.slot).ready;
  reply.owners_hash = owners_.hash();
  reply.recent = RecentNames(pull.slot, now);
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

void Lane::FinishPull(const Puller::Done& done, Instant now, Effects* effects) {
  SlotState& state = StateOf(done.slot);
  if (done.reply.kind == PullReply::Kind::kDeltas) {
    for (const DeltaPtr& delta : done.reply.deltas) {
      if (delta->slot != done.slot || !CheckTimes(*delta, now).ok()) continue;
      ReceiveDelta(done.from, delta, now, effects);
    }
  } else if (done.reply.kind == PullReply::Kind::kState) {
    // By a clock far ahead its lives have ended early: not believed.
    if (peers_.at(done.from).distrusted) return;
    if (const absl::Status whole = CheckSnapshot(done.reply.state);
        !whole.ok()) {
      Emit({.kind = Event::Kind::kRefused,
            .node = done.from,
            .slot = done.slot,
            .detail = std::string(whole.message())},
           effects);
      return;
    }
    JoinState(done, now, effects);
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
    call.inquiry->answered.insert(done.from);
    call.inquiry->recent.insert(done.reply.recent.begin(),
                                done.reply.recent.end());
    if (done.reply.ready && owners_.IsOther(done.from)) {
      call.inquiry->ready.insert(done.from);
    }
    if (done.reply.owners_hash != owners_.hash()) call.lists_differ = true;
  }
  const auto probe = probes_.find(done.slot);
  if (probe != probes_.end() && done.pull >= probe->second.inquiry.since) {
    probe->second.inquiry.answered.insert(done.from);
    probe->second.inquiry.recent.insert(done.reply.recent.begin(),
                                        done.reply.recent.end());
  }
  Synced(done.slot, done.from);
  to_advance_.insert(done.slot);
}

void Lane::JoinState(const Puller::Done& done, Instant now, Effects* effects) {
  for (const Context::Entry& entry : done.reply.state.context.entries()) {
    GuardActor(done.from, done.slot, {entry.actor, entry.ranges.back().last},
               now, effects);
  }
  SlotChanges changes;
  StateOf(done.slot).slot.Join(done.reply.state, done.from, now.wall, &changes);
  AfterChange(done.slot, changes, now, effects);
}

// Lives go at their deadline by each node's own clock and pass, so for a while
// equal contexts may hold different lives. Longer than that it is a bug or
// damage: a dot fixes its value. Sending cannot mend it; it must be seen.
void Lane::CheckState(const NodeName& from, SlotId id, Instant now,
                      Effects* effects) {
  SlotState& state = StateOf(id);
  if (state.differs_since <= state.changed_at) state.differs_since = now.steady;
  if (now.steady - state.differs_since < 3 * config_.expiry_pass_interval) {
    return;
  }
  state.differs_since = absl::InfinitePast();
  Emit({.kind = Event::Kind::kStateMismatch,
        .node = from,
        .slot = id,
        .detail =
            "equal contexts hold different sessions: a bug or damaged memory"},
       effects);
}

void Lane::Synced(SlotId slot, const NodeName& with) {
  SlotState& state = StateOf(slot);
  if (!state.ready) state.synced_from.insert(with);
}

void Lane::SendDigest(const NodeName& to, bool complete, Instant now,
                      Effects* effects) const {
  Digest digest;
  digest.complete = complete;
  digest.ready = ready_;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const SlotState& state = slots_[i];
    if (state.slot.context().empty()) continue;
    if (!complete && now.steady - state.changed_at < config_.settle_time) {
      continue;
    }
    digest.slots.push_back({SlotAt(i), state.slot.context().Hash(),
                            Folded(state.slot.live_hash())});
  }
  if (!complete && digest.slots.empty()) return;
  SendTo(to, std::move(digest), effects);
}

void Lane::SendDigests(bool complete, Instant now, Effects* effects) const {
  for (const NodeName& node : owners_.others()) {
    if (Linked(node)) SendDigest(node, complete, now, effects);
  }
}

void Lane::OnDigest(const NodeName& from, const Digest& digest, Instant now,
                    Effects* effects) {
  Peer& peer = peers_.at(from);
  if (!peer.linked || !peer.heard) return;  // LinkUp asks for one anyway
  peer.ready = digest.ready;
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
      if (it->second->live_hash != Folded(state.slot.live_hash())) {
        CheckState(from, slot, now, effects);
      } else {
        state.differs_since = absl::InfinitePast();
      }
      peer.resync.erase(slot);
      Synced(slot, from);
      continue;
    }
    state.synced_from.erase(from);
    const bool lively = now.steady - state.changed_at < config_.settle_time;
    if (digest.complete || !lively) {
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
  for (const NodeName& node : owners_.others()) {
    const auto peer = peers_.find(node);
    const bool linked = peer != peers_.end() && peer->second.linked;
    if (!linked && (grace_over || owners_.IsSuspect(node))) continue;
    if (!linked || !peer->second.described) {
      if (grace_over) continue;
      return;  // everybody who lives must be heard
    }
    any_ready = any_ready || peer->second.ready;
    sources.push_back(node);
  }
  if (grace_over && !any_ready) {
    BecomeReady(/*degraded=*/true, now, effects);
    return;
  }
  if (sources.empty()) return;
  if (!any_ready) {
    // A cluster that starts: nobody has anything, unless somebody who has is
    // dead to us.
    if (owners_.dead_count() > 0) return;
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
  if (all) BecomeReady(/*degraded=*/false, now, effects);
}

void Lane::AdvanceRecovery() {
  if (owners_.others().empty() || !puller_.idle()) return;
  for (const NodeName& node : owners_.others()) {
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
