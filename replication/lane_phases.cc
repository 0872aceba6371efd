// What this node is to each slot: who owns it, and when it serves.

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "replication/lane.h"

namespace sessionmesh::replication {

void Lane::SetPhase(SlotId slot, Phase phase, bool degraded, Instant now) {
  SlotState& state = StateOf(slot);
  if (state.phase.phase != phase) state.phase_since = now.steady;
  state.phase = {phase, degraded};
  const auto keep = [slot](std::set<SlotId>* set, bool in) {
    if (in) {
      set->insert(slot);
    } else {
      set->erase(slot);
    }
  };
  keep(&syncing_, phase == Phase::kSyncing);
  keep(&to_drop_, phase == Phase::kLeaving);
  keep(&degraded_, phase == Phase::kReady && degraded);
  if (phase != Phase::kReady) partial_.erase(slot);
  to_tell_.insert(slot);
  to_advance_.insert(slot);
  if (phase == Phase::kLeaving) next_ask_at_ = now.steady;
}

void Lane::FollowOwners(Instant now, Effects* effects) {
  if (owners_version_ == owners_.version()) return;
  owners_version_ = owners_.version();
  // Owners that were none of a slot that is owned here too.
  std::map<NodeName, std::set<SlotId>> comers;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const SlotId slot = SlotAt(i);
    SlotState& state = slots_[i];
    if (state.owners_version == owners_.VersionOf(slot)) continue;
    state.owners_version = owners_.VersionOf(slot);
    FollowOwnersOf(slot, now);
    if (!owners_.IsOwnedHere(slot)) continue;
    const std::vector<NodeName>& former = owners_.FormerOf(slot);
    for (const NodeName& node : former) {
      const auto peer = peers_.find(node);
      if (peer == peers_.end() || owners_.IsOtherOf(slot, node)) continue;
      peer->second.resync.erase(slot);
    }
    for (const NodeName& node : owners_.OthersOf(slot)) {
      if (std::binary_search(former.begin(), former.end(), node)) continue;
      comers[node].insert(slot);
    }
  }
  for (const auto& [node, slots] : comers) {
    Peer& peer = PeerOf(node);
    // It may miss something, until it has pulled the slot or shown the same
    // digest of it.
    for (const SlotId slot : slots) {
      if (!StateOf(slot).slot.context().empty()) peer.resync.insert(slot);
    }
    ReofferWaits(node, &peer, &slots, now, effects);
    if (!peer.heard) continue;
    SendTo(node, DigestRequest{}, effects);
    SendDigest(node, /*complete=*/true, now, effects);
  }
}

void Lane::FollowOwnersOf(SlotId slot, Instant now) {
  SlotState& state = StateOf(slot);
  const bool here = owners_.IsOwnedHere(slot);
  switch (state.phase.phase) {
    case Phase::kNone:
      if (here) BeginSyncing(slot, now);
      return;
    case Phase::kLeaving:
      if (here) {
        BeginSyncing(slot, now);
      } else {
        VoidConsents(slot);
      }
      return;
    case Phase::kSyncing:
      if (here) {
        AddSources(slot, owners_.OthersOf(slot));
        return;
      }
      break;
    case Phase::kReady:
      if (here) return;
      break;
  }
  const bool holds =
      !state.slot.context().empty() || state.slot.parked_count() > 0;
  const bool degraded =
      state.phase.phase == Phase::kSyncing || state.phase.degraded;
  SetPhase(slot, holds ? Phase::kLeaving : Phase::kNone, holds && degraded,
           now);
  VoidConsents(slot);
}

void Lane::BeginSyncing(SlotId slot, Instant now) {
  SlotState& state = StateOf(slot);
  SetPhase(slot, Phase::kSyncing, /*degraded=*/false, now);
  state.synced_from.clear();
  state.consents.clear();
  state.sources.clear();
  AddSources(slot, owners_.OthersOf(slot));
  AddSources(slot, owners_.FormerOf(slot));
}

void Lane::AddSources(SlotId slot, const std::vector<NodeName>& nodes) {
  SlotState& state = StateOf(slot);
  for (const NodeName& node : nodes) {
    if (node == self_.name || !state.sources.insert(node).second) continue;
    if (Linked(node)) puller_.Want(node, slot, /*urgent=*/true);
  }
}

void Lane::Synced(SlotId slot, const NodeName& with) {
  SlotState& state = StateOf(slot);
  if (state.phase.phase == Phase::kSyncing) state.synced_from.insert(with);
}

bool Lane::MayBegin(Instant now) {
  if (ready_ || owners_.members().empty()) return false;
  // Unless somebody who has something is dead to us or has not been met again.
  if (owners_.dead_count() > 0) return false;
  if (!owners_.AllMet(config_.former_peers)) return false;
  bool all = true;
  for (const NodeName& node : owners_.members()) {
    const auto found = peers_.find(node);
    const bool linked = found != peers_.end() && found->second.linked;
    if (!linked && owners_.IsSuspect(node)) continue;
    if (!linked || !found->second.described) return false;
    // It may know members that have something.
    if (found->second.placement == owners_.placement_hash()) continue;
    found->second.ask_again = true;
    all = false;
  }
  if (!all) return false;
  const absl::Time settled = owners_.changed_at() + config_.bootstrap_settle;
  if (now.steady < settled) readiness_at_ = std::min(readiness_at_, settled);
  return now.steady >= settled;
}

Lane::Verdict Lane::JudgeReadiness(SlotId slot, bool may_begin, Instant now) {
  const SlotState& state = StateOf(slot);
  const absl::Time orphaned = state.phase_since + config_.orphan_grace;
  const bool grace_over = now.steady >= orphaned;
  if (!grace_over) readiness_at_ = std::min(readiness_at_, orphaned);
  bool any_ready = false;
  bool all_degraded = true;  // of those that are ready
  bool level = true;
  for (const NodeName& node : owners_.members()) {
    const auto found = peers_.find(node);
    const bool linked = found != peers_.end() && found->second.linked;
    const SlotPhase theirs =
        found == peers_.end() ? SlotPhase() : PhaseAt(found->second, slot);
    const bool has =
        theirs.phase == Phase::kReady || theirs.phase == Phase::kLeaving;
    // Whoever has it is a source, whether or not it is known to have owned it.
    if (!has && state.sources.count(node) == 0) continue;
    if (!linked && (grace_over || owners_.IsSuspect(node))) continue;
    if (!linked || !found->second.described) {
      if (grace_over) continue;
      return Verdict::kWait;  // everybody who lives must be heard
    }
    if (grace_over && found->second.distrusted) continue;
    if (theirs.phase == Phase::kNone) {
      // An owner that does not know that it is one sees other members; that it
      // has nothing says nothing.
      if (grace_over || !owners_.IsOtherOf(slot, node)) continue;
      found->second.ask_again = true;
      return Verdict::kWait;
    }
    level = level && state.synced_from.count(node) > 0;
    const bool whole = theirs.phase == Phase::kLeaving && !theirs.degraded;
    if (theirs.phase == Phase::kReady || whole) {
      any_ready = true;
      all_degraded = all_degraded && theirs.degraded;
    }
  }
  if (grace_over && !any_ready) return Verdict::kReadyDegraded;
  if (!level || (!any_ready && !may_begin)) return Verdict::kWait;
  if (!state.slot.context().Dominates(state.kept)) {
    return grace_over ? Verdict::kReadyDegraded : Verdict::kWait;
  }
  // What only degraded nodes had may not be all there is.
  return any_ready && all_degraded ? Verdict::kReadyDegraded : Verdict::kReady;
}

void Lane::AdvanceReadiness(Instant now, Effects* effects) {
  readiness_at_ = absl::InfiniteFuture();
  for (auto& [name, peer] : peers_) peer.ask_again = false;
  const bool may_begin = MayBegin(now);
  const std::set<SlotId> syncing = syncing_;
  for (const SlotId slot : syncing) {
    const Verdict verdict = JudgeReadiness(slot, may_begin, now);
    if (verdict == Verdict::kWait) continue;
    SlotState& state = StateOf(slot);
    const bool degraded = verdict == Verdict::kReadyDegraded;
    SetPhase(slot, Phase::kReady, degraded, now);
    if (owners_.dead_count() > 0) partial_.insert(slot);
    state.synced_from.clear();
    state.sources.clear();
    if (state.slot.context().Dominates(state.kept)) state.kept = Context();
    if (degraded && ready_) {
      Emit({.kind = Event::Kind::kSlotOrphaned,
            .slot = slot,
            .detail = "all its former owners are gone, and with them the "
                      "sessions that only they had"},
           effects);
    }
  }
  for (auto& [name, peer] : peers_) {
    peer.ask_again = peer.ask_again && !syncing_.empty();
    if (!peer.ask_again || !peer.heard) continue;
    if (now.steady - peer.digest_requested < config_.pull_timeout) continue;
    peer.digest_requested = now.steady;
    SendTo(name, DigestRequest{}, effects);
  }
  if (!syncing_.empty()) return;
  ready_ = true;
  Emit({.kind = degraded_.empty() ? Event::Kind::kLaneReady
                                  : Event::Kind::kLaneReadyDegraded,
        .count = status().slots_ready,
        .detail = degraded_.empty()
                      ? ""
                      : "serves what it has: no ready owner was reached in "
                        "time"},
       effects);
}

void Lane::AdvanceRecovery(Instant now) {
  if (!puller_.idle()) return;
  std::set<SlotId> incomplete = degraded_;
  if (owners_.dead_count() == 0) {
    incomplete.insert(partial_.begin(), partial_.end());
  }
  for (const SlotId slot : incomplete) {
    // Nobody else has anything of it.
    const std::vector<NodeName>& members = owners_.members();
    const bool all_there =
        std::all_of(members.begin(), members.end(), [&](const NodeName& node) {
          if (!Linked(node)) return false;
          const Peer& peer = peers_.at(node);
          const Phase theirs = PhaseAt(peer, slot).phase;
          return peer.described &&
                 theirs == (owners_.IsOtherOf(slot, node) ? Phase::kReady
                                                          : Phase::kNone);
        });
    if (members.empty() || !all_there) continue;
    if (!StateOf(slot).slot.context().Dominates(StateOf(slot).kept)) continue;
    StateOf(slot).kept = Context();
    if (owners_.dead_count() == 0) partial_.erase(slot);
    if (degraded_.count(slot) > 0) {
      SetPhase(slot, Phase::kReady, /*degraded=*/false, now);
    }
  }
}

void Lane::TellPhases(Effects* effects) {
  if (to_tell_.empty()) return;
  for (const auto& [name, peer] : peers_) {
    if (!peer.linked || !peer.heard) continue;
    Digest digest = DigestOfNoSlot();
    for (const SlotId slot : to_tell_) {
      if (owners_.Concerns(slot, name)) digest.slots.push_back(Describe(slot));
    }
    if (!digest.slots.empty()) SendTo(name, std::move(digest), effects);
  }
  to_tell_.clear();
}

std::vector<NodeName> Lane::Alternatives(SlotId slot,
                                         const std::vector<Dot>& token) {
  const auto knows = [&](const NodeName& node) {
    return std::any_of(token.begin(), token.end(), [&](const Dot& dot) {
      const ActorHome* home = actors_.Find(dot.actor);
      return home != nullptr && home->node == node;
    });
  };
  // Rank, then chance: not all to the same.
  std::vector<std::pair<uint64_t, NodeName>> ranked;
  for (const NodeName& node : owners_.OthersOf(slot)) {
    const auto found = peers_.find(node);
    const bool linked = Linked(node);
    if (!linked && owners_.IsSuspect(node)) continue;
    const Phase phase = found == peers_.end()
                            ? Phase::kNone
                            : PhaseAt(found->second, slot).phase;
    uint64_t rank = knows(node) ? 0 : 1;
    if (!linked || phase != Phase::kReady) rank += 2;
    if (phase == Phase::kSyncing) rank += 2;
    ranked.emplace_back(rank << 32 | random_.Below(uint64_t{1} << 32), node);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<NodeName> nodes;
  nodes.reserve(ranked.size());
  for (auto& [rank, node] : ranked) nodes.push_back(std::move(node));
  return nodes;
}

}  // namespace sessionmesh::replication
