#include "node/node_report.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "node/proto_time.h"
#include "node/version.h"
#include "replication/types.h"

namespace sessionmesh::node {
namespace {

v1::MemberState EncodeState(membership::State state) {
  switch (state) {
    case membership::State::kAlive:
      return v1::MEMBER_STATE_ALIVE;
    case membership::State::kSuspect:
      return v1::MEMBER_STATE_SUSPECT;
    case membership::State::kDead:
      return v1::MEMBER_STATE_DEAD;
    case membership::State::kLeft:
      return v1::MEMBER_STATE_LEFT;
  }
  return v1::MEMBER_STATE_UNSPECIFIED;
}

// Resident memory of this process, from /proc; 0 when that is not to be had.
uint64_t ResidentBytes() {
  FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  uint64_t total = 0;
  uint64_t resident = 0;
  const int fields =
      std::fscanf(file, "%" SCNu64 " %" SCNu64, &total, &resident);
  std::fclose(file);
  if (fields != 2) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

v1::Member EncodeMember(const membership::Member& member,
                        const membership::NodeName& self) {
  v1::Member proto;
  proto.set_name(member.name);
  proto.set_address(member.address);
  proto.set_state(EncodeState(member.claim.state));
  proto.set_generation(member.claim.generation);
  proto.set_incarnation(member.claim.incarnation);
  *proto.mutable_since() = ToProto(member.since);
  proto.set_accuser(member.accuser);
  proto.set_confirmations(static_cast<uint32_t>(member.confirmations));
  proto.set_self(member.name == self);
  proto.set_zone(member.zone);
  return proto;
}

NodeReport::NodeReport(Constants constants, const Parts& parts)
    : constants_(std::move(constants)), parts_(parts) {}

void NodeReport::SetClientAddress(const std::string& address) {
  MutexLock lock(&mutex_);
  client_address_ = address;
}

v1::NodeStatusResponse NodeReport::Status() const {
  const replication::LaneStatus lanes = parts_.lanes->status();
  const membership::ViewPtr view = parts_.membership->view();
  v1::NodeStatusResponse proto;
  proto.set_name(constants_.name);
  proto.set_version(kVersion);
  proto.set_cluster_id(constants_.cluster_id);
  {
    MutexLock lock(&mutex_);
    proto.set_client_address(client_address_);
  }
  proto.set_peer_address(constants_.peer_address);
  proto.set_generation(constants_.generation);
  *proto.mutable_started() = ToProto(constants_.started);
  proto.set_ready(lanes.ready && !*parts_.leaving);
  proto.set_state(*parts_.leaving ? "leaving"
                  : lanes.ready   ? "serving"
                                  : "syncing");
  proto.set_slots_owned(lanes.slots_owned);
  proto.set_slots_ready(lanes.slots_ready);
  proto.set_slots_total(parts_.lanes->ids().slot_count());
  proto.set_sessions(lanes.sessions);
  proto.set_session_bytes(lanes.session_bytes);
  proto.set_resident_bytes(ResidentBytes());
  if (view != nullptr) {
    proto.set_isolated(view->isolated());
    for (const membership::Member& member : view->members()) {
      switch (member.claim.state) {
        case membership::State::kAlive:
          proto.set_members_alive(proto.members_alive() + 1);
          break;
        case membership::State::kSuspect:
          proto.set_members_suspect(proto.members_suspect() + 1);
          break;
        case membership::State::kDead:
          proto.set_members_dead(proto.members_dead() + 1);
          break;
        case membership::State::kLeft:
          break;
      }
    }
  }
  for (const auto& [name, value] : parts_.log->counters()) {
    (*proto.mutable_counters())[name] = value;
  }
  return proto;
}

v1::MembersResponse NodeReport::Members() const {
  v1::MembersResponse proto;
  const membership::ViewPtr view = parts_.membership->view();
  if (view == nullptr) return proto;
  proto.set_isolated(view->isolated());
  for (const membership::Member& member : view->members()) {
    *proto.add_members() = EncodeMember(member, view->self());
  }
  return proto;
}

v1::ReplicationResponse NodeReport::Replication() const {
  v1::ReplicationResponse proto;
  for (const replication::PeerStatus& peer : parts_.lanes->peers()) {
    v1::ReplicationResponse::Peer* out = proto.add_peers();
    out->set_name(peer.name);
    out->set_connected(peer.connected);
    out->set_sent(peer.sent);
    out->set_acknowledged(peer.acknowledged);
    out->set_lag_operations(peer.lag_operations);
    *out->mutable_lag() = ToProto(peer.lag);
    out->set_backlog_bytes(peer.backlog_bytes);
    out->set_slots_dirty(peer.slots_dirty);
    out->set_slots_pulling(peer.slots_pulling);
  }
  const replication::LaneStatus lanes = parts_.lanes->status();
  proto.set_slots_syncing(lanes.slots_owned - lanes.slots_ready);
  proto.set_parked(lanes.parked);
  return proto;
}

absl::StatusOr<v1::WhereIsResponse::Owner> NodeReport::Holds(
    const std::string& session_id,
    const std::vector<replication::Dot>& version) const {
  const absl::StatusOr<replication::SlotId> slot =
      parts_.lanes->ids().SlotOf(session_id);
  if (!slot.ok()) return slot.status();
  const replication::Holder holder = parts_.lanes->Holds(*slot, session_id);
  v1::WhereIsResponse::Owner owner;
  owner.set_node(constants_.name);
  owner.set_slot_state(std::string(replication::PhaseName(holder.phase.phase)));
  owner.set_holds(holder.holds);
  owner.set_current(parts_.lanes->Covers(*slot, version));
  for (size_t i = 0; i < holder.version.size(); ++i) {
    const replication::Dot& dot = holder.version[i];
    const bool known = i < holder.writers.size() && !holder.writers[i].empty();
    owner.add_version(known ? absl::StrCat(holder.writers[i], ":", dot.counter)
                            : replication::DotName(dot));
  }
  return owner;
}

}  // namespace sessionmesh::node
