// The ends that time brings: absolute deadlines, idle expiry (rule D), context
// floors; and the accesses that postpone them.

#include <algorithm>
#include <map>
#include <utility>

#include "replication/lane.h"

namespace sessionmesh::replication {
namespace {

constexpr size_t kTouchesPerMessage = 1024;

}  // namespace

void Lane::ScanSlots(Instant now, Effects* effects) {
  // After a pause of this process what is overdue comes at once, one slot a
  // tick, each at most once.
  next_scan_at_ = std::max(next_scan_at_ + ScanInterval(),
                           now.steady - config_.expiry_pass_interval);
  ScanSlot(SlotAt(next_scan_), now, effects);
  next_scan_ = (next_scan_ + 1) % slots_.size();
}

void Lane::ScanSlot(SlotId id, Instant now, Effects* effects) {
  SlotState& state = StateOf(id);
  std::vector<Dot> past;
  std::map<Dot, int64_t> idle;
  const int64_t slack_ms = absl::ToInt64Milliseconds(config_.idle_slack());
  const int64_t wall_ms = absl::ToUnixMillis(now.wall);
  for (const auto& [birth, holding] : state.slot.lives()) {
    if (holding.life->deadline() <= now.wall) {
      past.push_back(birth);
    } else if (holding.last_access_ms + holding.life->idle_ms + slack_ms <
               wall_ms) {
      idle[birth] = holding.last_access_ms;
    }
  }
  std::sort(past.begin(), past.end());
  SlotChanges changes;
  for (const Dot& birth : past) {
    state.slot.DropPastDeadline(birth, now.wall, &changes);
  }
  const size_t dropped = state.slot.Prune(now.wall - config_.context_horizon(),
                                          now.wall - config_.parked_max);
  if (dropped > 0) {
    Emit({.kind = Event::Kind::kParkedDropped, .slot = id, .count = dropped},
         effects);
  }
  AfterChange(id, changes, now, effects);
  state.kept.Prune(now.wall - config_.context_horizon());
  const auto probe = probes_.find(id);
  if (probe != probes_.end() && now.steady >= probe->second.give_up) {
    Emit({.kind = Event::Kind::kExpiryPostponed,
          .slot = id,
          .count = probe->second.lives.size()},
         effects);
    probes_.erase(probe);
  }
  if (idle.empty() || !IsReady(id) || owners_.First(id) != self_.name ||
      probes_.count(id) > 0) {
    return;
  }
  IdleProbe next;
  next.inquiry = Inquire(id, LinkedOwners(id), now);
  next.lives = std::move(idle);
  next.give_up = now.steady + config_.pull_timeout;
  probes_.emplace(id, std::move(next));
  to_advance_.insert(id);
}

absl::Duration Lane::AccessWindow(int64_t idle_ms) const {
  return absl::Milliseconds(idle_ms) + 2 * config_.idle_slack() +
         config_.view_delay_max;
}

std::set<NodeName> Lane::MayHaveTouched(SlotId slot, const Slot::Holding& life,
                                        const Inquiry* inquiry,
                                        Instant now) const {
  const absl::Duration window = AccessWindow(life.life->idle_ms);
  std::set<NodeName> nodes;
  for (const RecentOwner& owner : owners_.Recent(slot, now.steady, window)) {
    nodes.insert(owner.node);
  }
  if (inquiry == nullptr) return nodes;
  for (const auto& [node, noted] : inquiry->recent) {
    // Who was recent for a life that may be idle for longer need not be for
    // this one.
    if (now.steady - noted > window) continue;
    if (node != self_.name && !owners_.IsLeft(node)) nodes.insert(node);
  }
  return nodes;
}

std::vector<RecentOwner> Lane::RecentOwners(SlotId slot, Instant now) const {
  int64_t idle_ms = 0;
  for (const auto& [birth, holding] : StateOf(slot).slot.lives()) {
    idle_ms = std::max(idle_ms, holding.life->idle_ms);
  }
  return owners_.Recent(slot, now.steady, AccessWindow(idle_ms));
}

void Lane::AdvanceProbe(SlotId id, Instant now, Effects* effects) {
  const auto it = probes_.find(id);
  if (it == probes_.end()) return;
  if (!IsReady(id)) {
    probes_.erase(it);
    return;
  }
  IdleProbe& probe = it->second;
  Slot& slot = StateOf(id).slot;
  std::vector<const Slot::Holding*> expired;
  bool waiting = false;
  for (const auto& [birth, asked_about] : probe.lives) {
    const Slot::Holding* holding = slot.Find(birth);
    // A later access, from whomever, makes all answers void for this life.
    if (holding == nullptr || holding->last_access_ms != asked_about) continue;
    const std::set<NodeName> needed =
        MayHaveTouched(id, *holding, &probe.inquiry, now);
    if (std::includes(probe.inquiry.answered.begin(),
                      probe.inquiry.answered.end(), needed.begin(),
                      needed.end())) {
      expired.push_back(holding);
    } else {
      waiting = true;
      AskAlso(needed, &probe.inquiry);
    }
  }
  // All kills of the probe are minted from pointers that stay valid only while
  // the slot stands still.
  std::vector<DeltaPtr> kills;
  for (const Slot::Holding* holding : expired) {
    probe.lives.erase(holding->life->birth);
    kills.push_back(Mint(
        {.slot = id, .kind = Delta::Kind::kKill, .reason = EndReason::kIdle},
        {holding}, now));
  }
  if (!waiting) probes_.erase(it);
  for (const DeltaPtr& kill : kills) Publish(kill, now, effects);
}

void Lane::FlushTouches(Instant now, Effects* effects) {
  std::map<NodeName, Touches> touches;
  for (const auto& [id, birth] : touched_) {
    Slot& slot = StateOf(id).slot;
    const Slot::Holding* holding = slot.Find(birth);
    if (holding == nullptr) continue;
    const SlotTouch touch{id, {birth, holding->last_access_ms}};
    for (const NodeName& node : LinkedOwners(id)) {
      // Told to nobody, it is still to be told.
      slot.MarkSent(birth, holding->last_access_ms);
      std::vector<SlotTouch>& part = touches[node].touches;
      part.push_back(touch);
      if (part.size() < kTouchesPerMessage) continue;
      SendTo(node, std::exchange(touches[node], {}), effects);
    }
  }
  touched_.clear();
  next_touch_flush_at_ = now.steady + config_.touch_flush_interval;
  for (auto& [node, part] : touches) {
    if (!part.touches.empty()) SendTo(node, std::move(part), effects);
  }
}

void Lane::NoteAccess(SlotId slot, const LastAccess& access, Instant now) {
  // A clock beyond the bound must not keep sessions alive.
  const int64_t latest_ms =
      absl::ToUnixMillis(now.wall + config_.clock_offset_max);
  if (access.millis > latest_ms) return;
  SlotState& state = StateOf(slot);
  if (!state.slot.Touch(access.birth, access.millis)) return;
  if (state.phase.phase == Phase::kLeaving) VoidConsents(slot);
}

void Lane::OnTouches(const NodeName&, const Touches& touches, Instant now,
                     Effects*) {
  for (const SlotTouch& touch : touches.touches) {
    if (IsInLane(touch.slot)) NoteAccess(touch.slot, touch.access, now);
  }
}

void Lane::PullForParked(Instant now) {
  for (const SlotId id : parked_slots_) {
    SlotState& state = StateOf(id);
    if (now.steady - state.parked_since < config_.parked_patience) continue;
    state.parked_since = now.steady;
    NodeName from;
    if (state.slot.OldestParked(&from) == nullptr) continue;
    if (Linked(from)) {
      puller_.Want(from, id, /*urgent=*/false);
    } else {
      for (const NodeName& node : LinkedOwners(id)) {
        puller_.Want(node, id, /*urgent=*/false);
      }
    }
  }
}

}  // namespace sessionmesh::replication
