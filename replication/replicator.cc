#include "replication/replicator.h"

#include <utility>

#include "replication/lane.h"

namespace sessionmesh::replication {

Replicator::Replicator(const Config& config, Identity self,
                       const SessionIds* ids, const KeyedHash* key,
                       uint64_t seed, Instant now)
    : lane_(std::make_unique<Lane>(config, std::move(self), ids, key, seed,
                                   now)) {}

Replicator::~Replicator() = default;

void Replicator::Step(const NodeName& from, const Message& message, Instant now,
                      Effects* effects) {
  lane_->Step(from, message, now, effects);
}

void Replicator::Execute(Command command, Instant now, Effects* effects) {
  lane_->Execute(std::move(command), now, effects);
}

void Replicator::Cancel(CallHandle handle) { lane_->Cancel(handle); }

void Replicator::Watch(CallHandle handle, const std::string& session_id,
                       const std::vector<std::string>& tokens, bool forwarded,
                       Instant now, Effects* effects) {
  lane_->Watch(handle, session_id, tokens, forwarded, now, effects);
}

void Replicator::Unwatch(CallHandle handle) { lane_->Unwatch(handle); }

void Replicator::SetView(const membership::ViewPtr& view, Instant now,
                         Effects* effects) {
  lane_->SetView(view, now, effects);
}

void Replicator::LinkUp(const NodeName& peer, Instant now, Effects* effects) {
  lane_->LinkUp(peer, now, effects);
}

void Replicator::LinkDown(const NodeName& peer, Instant now, Effects* effects) {
  lane_->LinkDown(peer, now, effects);
}

void Replicator::Leave(Instant now, Effects* effects) {
  lane_->Leave(now, effects);
}

bool Replicator::handed_over() const { return lane_->handed_over(); }

void Replicator::Tick(Instant now, Effects* effects) {
  lane_->Tick(now, effects);
}

absl::Time Replicator::NextDeadline() const { return lane_->NextDeadline(); }

std::optional<SlotId> Replicator::ChooseSlot(SlotId wanted,
                                             uint64_t number) const {
  return lane_->ChooseSlot(wanted, number);
}

LaneStatus Replicator::status() const { return lane_->status(); }

std::vector<PeerStatus> Replicator::peers(Instant now) const {
  return lane_->peers(now);
}

Holder Replicator::Holds(absl::string_view session_id) const {
  return lane_->Holds(session_id);
}

const Slot& Replicator::slot(SlotId id) const { return lane_->slot(id); }

SlotPhase Replicator::phase(SlotId id) const { return lane_->phase(id); }

}  // namespace sessionmesh::replication
