// Hand-over of slots that are not owned any more: when they may be dropped
// (rule C). DESIGN.md has why each condition is needed.

#include "replication/lane.h"

namespace sessionmesh::replication {

void Lane::VoidConsents(SlotId slot) {
  SlotState& state = StateOf(slot);
  state.attempt = next_attempt_++;
  state.consents.clear();
}

void Lane::AskToDrop(Instant now, Effects* effects) {
  for (const SlotId slot : to_drop_) {
    for (const NodeName& node : owners_.OthersOf(slot)) {
      AskToDrop(slot, node, effects);
    }
  }
  next_ask_at_ = to_drop_.empty() ? absl::InfiniteFuture()
                                  : now.steady + config_.drop_interval;
}

void Lane::AskToDrop(SlotId slot, const NodeName& node, Effects* effects) {
  const SlotState& state = StateOf(slot);
  if (state.phase.phase != Phase::kLeaving || !Linked(node)) return;
  // What waits here for its dependency was not acknowledged, but nobody else
  // may have it. It settles, or is dropped as hopeless.
  if (state.slot.parked_count() > 0 || state.consents.count(node) > 0) return;
  SendTo(node,
         DropAsk{.slot = slot,
                 .attempt = state.attempt,
                 .context = state.slot.context(),
                 .last_access_hash = state.slot.LastAccessHash()},
         effects);
}

void Lane::OnDropAsk(const NodeName& from, const DropAsk& ask,
                     Effects* effects) {
  if (!IsInLane(ask.slot)) return;
  // By this node's own view (rule C1).
  if (!owners_.IsOwnedHere(ask.slot) || !IsReady(ask.slot)) return;
  const Slot& slot = StateOf(ask.slot).slot;
  Peer& peer = peers_.at(from);
  // Accesses have no dots: equal hashes, or an answer to a pull that carried
  // them, say that they are known here.
  const auto known = peer.accesses_known.find(ask.slot);
  const bool accesses = slot.LastAccessHash() == ask.last_access_hash ||
                        (known != peer.accesses_known.end() &&
                         known->second == ask.last_access_hash);
  if (!accesses || !slot.context().Dominates(ask.context)) {
    // It asks again when it has answered.
    puller_.Want(from, ask.slot, /*urgent=*/false);
    return;
  }
  peer.accesses_known.erase(ask.slot);
  SendTo(from, DropConsent{ask.slot, ask.attempt}, effects);
}

void Lane::OnDropConsent(const NodeName& from, const DropConsent& consent,
                         Instant now, Effects* effects) {
  if (!IsInLane(consent.slot)) return;
  SlotState& state = StateOf(consent.slot);
  if (state.phase.phase != Phase::kLeaving) return;
  // Of an attempt that is over (rule C2).
  if (consent.attempt != state.attempt) return;
  if (!owners_.IsOtherOf(consent.slot, from)) return;
  state.consents.insert(from);
  // All owners, those too that died not long ago and may come back.
  if (state.consents.size() == owners_.CountOf(consent.slot)) {
    Drop(consent.slot, now, effects);
  }
}

void Lane::Drop(SlotId slot, Instant now, Effects* effects) {
  SlotState& state = StateOf(slot);
  Emit({.kind = Event::Kind::kSlotDropped,
        .slot = slot,
        .count = state.slot.lives().size(),
        .detail = "handed over: all its owners have what was here"},
       effects);
  state.kept.Join(state.slot.context());
  state.consents.clear();
  state.slot = Slot(SlotLimits());
  puller_.Forget(slot);
  probes_.erase(slot);
  for (auto it = touched_.lower_bound({slot, Dot()});
       it != touched_.end() && it->first == slot;) {
    it = touched_.erase(it);
  }
  for (auto& [name, peer] : peers_) {
    peer.resync.erase(slot);
    peer.differences.erase(slot);
    peer.accesses_known.erase(slot);
  }
  SetPhase(slot, Phase::kNone, /*degraded=*/false, now);
  AfterChange(slot, {}, now, effects);
  for (const CallHandle handle : waits_.All()) {
    DurabilityWait* wait = waits_.Find(handle);
    if (wait == nullptr || wait->delta->slot != slot) continue;
    wait->held_by.insert(owners_.OthersOf(slot).begin(),
                         owners_.OthersOf(slot).end());
    SettleWait(handle, now, effects);
  }
}

}  // namespace sessionmesh::replication
