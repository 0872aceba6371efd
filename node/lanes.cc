#include "node/lanes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "node/node_events.h"
#include "node/random_bytes.h"
#include "replication/slot.h"

namespace sessionmesh::node {

using membership::NodeName;
using replication::CallHandle;
using replication::Effects;
using replication::Replicator;

struct Lanes::Lane {
  Lane(const replication::Config& config, const Replicator::Identity& self,
       const Parts& parts)
      : number(config.lane),
        replicator(config, self, parts.ids, parts.key, RandomUint64(),
                   parts.clock->Now()) {}

  const uint32_t number;
  std::atomic<CallHandle> next_handle{1};

  mutable Mutex mutex;
  Replicator replicator ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<CallHandle, CallSink*> calls ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<CallHandle, std::shared_ptr<WatchSink>> watches
      ABSL_GUARDED_BY(mutex);
};

// What is left to do when the lane's lock has been given back.
struct Lanes::Outcome {
  absl::Time wall;
  std::vector<NodeName> peers;  // that something was queued for
  std::vector<std::pair<CallSink*, replication::Reply>> replies;
  std::vector<std::shared_ptr<WatchSink>> watches;
  std::vector<replication::Event> events;
};

Lanes::Lanes(const replication::Config& config,
             const Replicator::Identity& self, const Parts& parts)
    : parts_(parts),
      timer_(config.lane_count, parts.clock, [this](size_t number) {
        Run(lanes_[number].get(),
            [](Replicator* replicator, Instant now, Effects* effects) {
              replicator->Tick(now, effects);
            });
      }) {
  for (uint32_t number = 0; number < config.lane_count; ++number) {
    replication::Config mine = config;
    mine.lane = number;
    lanes_.push_back(std::make_unique<Lane>(mine, self, parts_));
  }
}

Lanes::~Lanes() { Stop(); }

void Lanes::Start() { timer_.Start(); }

void Lanes::Stop() { timer_.Stop(); }

template <typename Turn>
void Lanes::Run(Lane* lane, Turn turn) {
  Outcome outcome;
  {
    MutexLock lock(&lane->mutex);
    // Read under the lock: time must not go back from turn to turn.
    const Instant now = parts_.clock->Now();
    outcome.wall = now.wall;
    Effects effects;
    turn(&lane->replicator, now, &effects);
    Collect(lane, &effects, &outcome);
    timer_.SetDeadline(lane->number, lane->replicator.NextDeadline());
  }
  Deliver(&outcome);
}

void Lanes::Collect(Lane* lane, Effects* effects,
                    Outcome* outcome) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (replication::Send& send : effects->sends) {
    parts_.sender->Enqueue(send.to, lane->number, std::move(send.message));
    if (std::find(outcome->peers.begin(), outcome->peers.end(), send.to) ==
        outcome->peers.end()) {
      outcome->peers.push_back(std::move(send.to));
    }
  }
  for (replication::Reply& reply : effects->replies) {
    const auto call = lane->calls.find(reply.handle);
    if (call == lane->calls.end()) continue;
    outcome->replies.emplace_back(call->second, std::move(reply));
    lane->calls.erase(call);
  }
  for (replication::WatchUpdate& update : effects->watch_updates) {
    const auto watch = lane->watches.find(update.handle);
    if (watch == lane->watches.end()) continue;
    const bool last = !update.status.ok() ||
                      update.end != replication::WatchUpdate::End::kNone;
    watch->second->Put(std::move(update));
    outcome->watches.push_back(watch->second);
    if (last) lane->watches.erase(watch);
  }
  outcome->events = std::move(effects->events);
}

void Lanes::Deliver(Outcome* outcome) {
  for (const NodeName& peer : outcome->peers) parts_.sender->Flush(peer);
  for (auto& [sink, reply] : outcome->replies) sink->OnReply(std::move(reply));
  for (const auto& watch : outcome->watches) watch->Wake();
  bool progress = false;
  for (const replication::Event& event : outcome->events) {
    parts_.log->Append(DescribeEvent(event, outcome->wall), event.count);
    progress = progress || event.kind == replication::Event::Kind::kLaneReady ||
               event.kind == replication::Event::Kind::kLaneReadyDegraded;
  }
  if (progress) parts_.listener->OnLaneProgress();
}

replication::SlotId Lanes::ChooseSlot(uint64_t number) const {
  const auto all =
      static_cast<replication::SlotId>(number % parts_.ids->slot_count());
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = *lanes_[(all + i) % lanes_.size()];
    MutexLock lock(&lane.mutex);
    const std::optional<replication::SlotId> slot =
        lane.replicator.ChooseSlot(all, number / parts_.ids->slot_count());
    if (slot.has_value()) return *slot;
  }
  return all;
}

CallTicket Lanes::NewTicket(replication::SlotId slot) {
  Lane& lane = *lanes_[slot % lanes_.size()];
  return {lane.number, lane.next_handle.fetch_add(1)};
}

void Lanes::Execute(const CallTicket& ticket, replication::Command command,
                    CallSink* sink) {
  command.handle = ticket.handle;
  Lane* lane = lanes_[ticket.lane].get();
  Run(lane, [&](Replicator* replicator, Instant now, Effects* effects)
                ABSL_NO_THREAD_SAFETY_ANALYSIS {
                  lane->calls.emplace(ticket.handle, sink);
                  replicator->Execute(std::move(command), now, effects);
                });
}

bool Lanes::Cancel(const CallTicket& ticket) {
  Lane& lane = *lanes_[ticket.lane];
  MutexLock lock(&lane.mutex);
  if (lane.calls.erase(ticket.handle) == 0) return false;
  lane.replicator.Cancel(ticket.handle);
  return true;
}

void Lanes::Watch(const CallTicket& ticket, const std::string& session_id,
                  const std::vector<std::string>& tokens, bool forwarded,
                  std::shared_ptr<WatchSink> sink) {
  Lane* lane = lanes_[ticket.lane].get();
  Run(lane, [&](Replicator* replicator, Instant now, Effects* effects)
                ABSL_NO_THREAD_SAFETY_ANALYSIS {
                  lane->watches.emplace(ticket.handle, std::move(sink));
                  replicator->Watch(ticket.handle, session_id, tokens,
                                    forwarded, now, effects);
                });
}

void Lanes::Unwatch(const CallTicket& ticket) {
  Lane& lane = *lanes_[ticket.lane];
  MutexLock lock(&lane.mutex);
  if (lane.watches.erase(ticket.handle) == 0) return;
  lane.replicator.Unwatch(ticket.handle);
}

void Lanes::Step(const NodeName& from, uint32_t lane,
                 const replication::Message& message) {
  Run(lanes_[lane].get(),
      [&](Replicator* replicator, Instant now, Effects* effects) {
        replicator->Step(from, message, now, effects);
      });
}

void Lanes::SetView(const membership::ViewPtr& view) {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    Run(lane.get(), [&](Replicator* replicator, Instant now, Effects* effects) {
      replicator->SetView(view, now, effects);
    });
  }
  // A change of view can make a lane ready without an event, the first one of a
  // node that starts a cluster does.
  parts_.listener->OnLaneProgress();
}

void Lanes::LinkUp(const NodeName& peer) {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    Run(lane.get(), [&](Replicator* replicator, Instant now, Effects* effects) {
      replicator->LinkUp(peer, now, effects);
    });
  }
}

void Lanes::LinkDown(const NodeName& peer) {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    Run(lane.get(), [&](Replicator* replicator, Instant now, Effects* effects) {
      replicator->LinkDown(peer, now, effects);
    });
  }
}

void Lanes::Leave() {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    Run(lane.get(), [](Replicator* replicator, Instant now, Effects* effects) {
      replicator->Leave(now, effects);
    });
  }
}

bool Lanes::handed_over() const {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    MutexLock lock(&lane->mutex);
    if (!lane->replicator.handed_over()) return false;
  }
  return true;
}

bool Lanes::ready() const {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    MutexLock lock(&lane->mutex);
    if (!lane->replicator.status().ready) return false;
  }
  return true;
}

replication::LaneStatus Lanes::status() const {
  replication::LaneStatus sum;
  sum.ready = true;
  sum.alone = true;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    MutexLock lock(&lane->mutex);
    const replication::LaneStatus status = lane->replicator.status();
    sum.ready = sum.ready && status.ready;
    sum.degraded = sum.degraded || status.degraded;
    sum.leaving = sum.leaving || status.leaving;
    sum.alone = sum.alone && status.alone;
    sum.slots_owned += status.slots_owned;
    sum.slots_ready += status.slots_ready;
    sum.slots_leaving += status.slots_leaving;
    sum.sessions += status.sessions;
    sum.session_bytes += status.session_bytes;
    sum.parked += status.parked;
    sum.waiting_calls += status.waiting_calls;
  }
  return sum;
}

std::vector<replication::PeerStatus> Lanes::peers() const {
  std::map<NodeName, replication::PeerStatus> sums;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    MutexLock lock(&lane->mutex);
    const Instant now = parts_.clock->Now();
    for (const replication::PeerStatus& peer : lane->replicator.peers(now)) {
      const auto [at, is_new] = sums.emplace(peer.name, peer);
      if (is_new) continue;
      replication::PeerStatus& sum = at->second;
      sum.connected = sum.connected && peer.connected;
      sum.sent += peer.sent;
      sum.acknowledged += peer.acknowledged;
      sum.lag_operations += peer.lag_operations;
      sum.lag = std::max(sum.lag, peer.lag);
      sum.backlog_bytes += peer.backlog_bytes;
      sum.slots_dirty += peer.slots_dirty;
      sum.slots_pulling += peer.slots_pulling;
    }
  }
  std::vector<replication::PeerStatus> result;
  result.reserve(sums.size());
  for (auto& [name, sum] : sums) result.push_back(std::move(sum));
  return result;
}

replication::Holder Lanes::Holds(replication::SlotId slot,
                                 absl::string_view session_id) const {
  const Lane& lane = *lanes_[slot % lanes_.size()];
  MutexLock lock(&lane.mutex);
  return lane.replicator.Holds(session_id);
}

bool Lanes::Covers(replication::SlotId slot,
                   const std::vector<replication::Dot>& dots) const {
  const Lane& lane = *lanes_[slot % lanes_.size()];
  MutexLock lock(&lane.mutex);
  const replication::Context& seen = lane.replicator.slot(slot).context();
  for (const replication::Dot& dot : dots) {
    if (!seen.Contains(dot)) return false;
  }
  return true;
}

}  // namespace sessionmesh::node
