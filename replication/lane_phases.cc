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
  const auto add_sources = [&](const std::vector<NodeName>& nodes) {
    state.sources.insert(nodes.begin(), nodes.end());
  };
  switch (state.phase.phase) {
    case Phase::kNone:
    case Phase::kLeaving:
      if (owners_.IsOwnedHere(slot)) {
        BeginSyncing(slot, now);
      } else if (state.phase.phase == Phase::kLeaving) {
        VoidConsents(slot);
      }
      return;
    case Phase::kSyncing:
    case Phase::kReady:
      break;
  }
  if (owners_.IsOwnedHere(slot)) {
    if (state.phase.phase != Phase::kSyncing) return;
    add_sources(owners_.OthersOf(slot));
    if (state.first) add_sources(owners_.WithoutSelf(slot));
    return;
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
  std::vector<NodeName> sources = owners_.OthersOf(slot);
  const std::vector<NodeName> before =
      state.first ? owners_.WithoutSelf(slot) : owners_.FormerOf(slot);
  sources.insert(sources.end(), before.begin(), before.end());
  for (const NodeName& node : sources) {
    if (node == self_.name || !state.sources.insert(node).second) continue;
    if (Linked(node)) puller_.Want(node, slot, /*urgent=*/true);
  }
}

void Lane::Synced(SlotId slot, const NodeName& with) {
  SlotState& state = StateOf(slot);
  if (state.phase.phase == Phase::kSyncing) state.synced_from.insert(with);
}

Lane::Verdict Lane::JudgeReadiness(SlotId slot, Instant now) {
  const SlotState& state = StateOf(slot);
  const absl::Time orphaned = state.phase_since + config_.orphan_grace;
  const bool grace_over = now.steady >= orphaned;
  if (!grace_over) readiness_at_ = std::min(readiness_at_, orphaned);
  bool any_source = false;
  bool any_ready = false;
  bool all_degraded = true;  // of those that are ready
  bool level = true;
  for (const NodeName& node : state.sources) {
    if (!owners_.IsMember(node)) continue;
    const auto found = peers_.find(node);
    const bool linked = found != peers_.end() && found->second.linked;
    if (!linked && (grace_over || owners_.IsSuspect(node))) continue;
    if (!linked || !found->second.described) {
      if (grace_over) continue;
      return Verdict::kWait;  // everybody who lives must be heard
    }
    if (grace_over && found->second.distrusted) continue;
    const SlotPhase theirs = PhaseAt(found->second, slot);
    if (theirs.phase == Phase::kNone) {
      // An owner that does not know that it is one sees other members; that it
      // has nothing says nothing.
      if (!grace_over && owners_.IsOtherOf(slot, node)) return Verdict::kWait;
      continue;
    }
    any_source = true;
    level = level && state.synced_from.count(node) > 0;
    const bool whole = theirs.phase == Phase::kLeaving && !theirs.degraded;
    if (theirs.phase == Phase::kReady || whole) {
      any_ready = true;
      all_degraded = all_degraded && theirs.degraded;
    }
  }
  if (grace_over && !any_ready) return Verdict::kReadyDegraded;
  if (!any_source) return Verdict::kWait;
  if (!any_ready) {
    // A cluster that starts: nobody has anything, unless somebody who has is
    // dead to us or has not been met again.
    if (owners_.dead_count() > 0) return Verdict::kWait;
    if (!owners_.AllMet(config_.former_peers)) return Verdict::kWait;
    const absl::Time settled = owners_.changed_at() + config_.bootstrap_settle;
    if (now.steady < settled) {
      readiness_at_ = std::min(readiness_at_, settled);
      return Verdict::kWait;
    }
  }
  if (!level) return Verdict::kWait;
  if (!state.slot.context().Dominates(state.kept)) {
    return grace_over ? Verdict::kReadyDegraded : Verdict::kWait;
  }
  // What only degraded nodes had may not be all there is.
  return any_ready && all_degraded ? Verdict::kReadyDegraded : Verdict::kReady;
}

void Lane::AdvanceReadiness(Instant now, Effects* effects) {
  readiness_at_ = absl::InfiniteFuture();
  const std::set<SlotId> syncing = syncing_;
  for (const SlotId slot : syncing) {
    const Verdict verdict = JudgeReadiness(slot, now);
    if (verdict == Verdict::kWait) continue;
    SlotState& state = StateOf(slot);
    const bool degraded = verdict == Verdict::kReadyDegraded;
    SetPhase(slot, Phase::kReady, degraded, now);
    state.synced_from.clear();
    state.sources.clear();
    if (state.slot.context().Dominates(state.kept)) state.kept = Context();
    if (degraded && !state.first) {
      Emit({.kind = Event::Kind::kSlotOrphaned,
            .slot = slot,
            .detail = "all its former owners are gone, and with them the "
                      "sessions that only they had"},
           effects);
    }
    state.first = false;
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
  const std::set<SlotId> degraded = degraded_;
  for (const SlotId slot : degraded) {
    const std::vector<NodeName>& others = owners_.OthersOf(slot);
    const bool all_there =
        std::all_of(others.begin(), others.end(), [&](const NodeName& node) {
          if (!Linked(node)) return false;
          const Peer& peer = peers_.at(node);
          return peer.described && PhaseAt(peer, slot).phase == Phase::kReady;
        });
    if (others.empty() || !all_there) continue;
    if (!StateOf(slot).slot.context().Dominates(StateOf(slot).kept)) continue;
    StateOf(slot).kept = Context();
    SetPhase(slot, Phase::kReady, /*degraded=*/false, now);
  }
}

void Lane::TellPhases(Effects* effects) {
  if (to_tell_.empty()) return;
  for (const auto& [name, peer] : peers_) {
    if (!peer.linked || !peer.heard) continue;
    Digest digest{.process = self_.process, .leaving = leaving_, .slots = {}};
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
