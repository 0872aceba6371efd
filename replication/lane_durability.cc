// Waiting until enough owners hold a change.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "replication/lane.h"

namespace sessionmesh::replication {

uint32_t Lane::Live(SlotId slot) const {
  uint32_t live = owners_.IsOwnedHere(slot) ? 1 : 0;
  for (const NodeName& node : owners_.OthersOf(slot)) {
    live += IsReachable(slot, node);
  }
  return live;
}

// A suspect whose link is down too counts as gone: two signs that do not depend
// on each other. So does one that cannot be linked for long, and one that
// refuses what it is sent.
bool Lane::IsReachable(SlotId slot, const NodeName& node) const {
  if (!owners_.IsOtherOf(slot, node)) return false;
  const auto found = peers_.find(node);
  if (found == peers_.end()) return !owners_.IsSuspect(node);
  const Peer& peer = found->second;
  if (peer.cut || peer.refused) return false;
  return peer.linked || !owners_.IsSuspect(node);
}

uint32_t Lane::Held(const DurabilityWait& wait) const {
  // The copy of a node that is no owner any more is about to go.
  uint32_t held = owners_.IsOwnedHere(wait.delta->slot) ? 1 : 0;
  for (const NodeName& node : wait.held_by) {
    held += IsReachable(wait.delta->slot, node);
  }
  return held;
}

uint32_t Lane::Needed(SlotId slot, Durability durability) const {
  const uint32_t owners = static_cast<uint32_t>(owners_.CountOf(slot));
  switch (durability) {
    case Durability::kLocal:
      return 1;
    case Durability::kOne:
      return 2;
    case Durability::kQuorum:
      return owners / 2 + 1;
    case Durability::kAll:
      return owners;
  }
  return 1;
}

bool Lane::CheckStrict(SlotId slot, const Command& command,
                       Effects* effects) const {
  if (!command.strict) return true;
  const uint32_t needed = Needed(slot, command.durability);
  const uint32_t live = Live(slot);
  if (live >= needed) return true;
  Fail(command.handle,
       absl::UnavailableError(absl::StrCat("the durability asked for needs ",
                                           needed, " live owners; there are ",
                                           live, "; nothing was changed")),
       {.reason = Reason::kDurabilityUnmet,
        .limit_name = "live owners",
        .limit = needed,
        .value = live},
       effects);
  return false;
}

void Lane::Await(const Command& command, const DeltaPtr& delta, Reply reply,
                 Instant now, Effects* effects) {
  if (!command.request_id.empty() &&
      dedupe_.Find(command.request_id, now.steady) == nullptr) {
    dedupe_.Remember(command.request_id,
                     {.fingerprint = Fingerprint(command),
                      .last = delta->last(),
                      .delta = delta,
                      .replicas = 1,
                      .created = reply.created},
                     now.steady);
  }
  DurabilityWait wait;
  wait.delta = delta;
  wait.durability = command.durability;
  wait.strict = command.strict;
  wait.deadline = command.deadline;
  wait.request_id = command.request_id;
  if (reply.session.has_value()) {
    for (const auto& [name, value] : reply.session->attributes) {
      wait.bytes += name.size() + value.size();
    }
  }
  wait.bytes += delta->ByteSize();
  wait.reply = std::move(reply);
  waits_.Add(std::move(wait));
  SettleWait(command.handle, now, effects);
  if (waits_.Find(command.handle) != nullptr) {
    SetTimer(command.handle, command.deadline);
  }
}

void Lane::SettleWait(CallHandle handle, Instant now, Effects* effects) {
  DurabilityWait* wait = waits_.Find(handle);
  if (wait == nullptr) return;
  const SlotId slot = wait->delta->slot;
  const uint32_t needed = Needed(slot, wait->durability);
  const uint32_t live = Live(slot);
  const uint32_t held = Held(*wait);
  wait->reply.replicas = held;
  const bool enough = held >= std::min(needed, live);
  if (!enough && now.steady < wait->deadline) return;
  Failure failure{.reason = Reason::kDurabilityUnmet,
                  .applied = true,
                  .limit_name = "replicas",
                  .limit = needed,
                  .value = held};
  if (!enough) {
    wait->reply.status = absl::DeadlineExceededError(
        absl::StrCat("the change is applied here, but only ", held, " of ",
                     needed, " owners are known to hold it yet"));
    wait->reply.failure = std::move(failure);
  } else if (wait->strict && held < needed) {
    wait->reply.status = absl::UnavailableError(absl::StrCat(
        "the change is applied here, but owners died meanwhile: ", held, " of ",
        needed, " hold it"));
    wait->reply.failure = std::move(failure);
  } else if (held < needed) {
    Degrade(absl::StrCat("only ", live, " live owner(s) for a durability of ",
                         needed),
            &wait->reply);
  }
  // It may have become so while the call waited.
  if (const char* reason = DegradedNode(slot)) Degrade(reason, &wait->reply);
  if (wait->reply.status.ok() && !wait->request_id.empty()) {
    dedupe_.Settle(wait->request_id, held, now.steady);
  }
  effects->replies.push_back(std::move(wait->reply));
  timers_.erase({wait->deadline, handle});
  waits_.Remove(handle);
}

void Lane::SettleAllWaits(Instant now, Effects* effects) {
  for (const CallHandle handle : waits_.All()) SettleWait(handle, now, effects);
}

void Lane::ReofferWaits(const NodeName& name, Peer* peer,
                        const std::set<SlotId>* slots, Instant now,
                        Effects* effects) {
  for (const CallHandle handle : waits_.All()) {
    const DurabilityWait* wait = waits_.Find(handle);
    if (slots != nullptr && slots->count(wait->delta->slot) == 0) continue;
    if (wait->held_by.count(name) > 0) continue;
    if (config_.replicas != kReplicasAll &&
        !owners_.IsOtherOf(wait->delta->slot, name)) {
      continue;
    }
    Offer(name, peer, wait->delta, now, effects);
  }
}

}  // namespace sessionmesh::replication
