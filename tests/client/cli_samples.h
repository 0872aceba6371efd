#ifndef TESTS_CLIENT_CLI_SAMPLES_H_
#define TESTS_CLIENT_CLI_SAMPLES_H_

#include <string>

#include "proto/cluster.pb.h"
#include "proto/session.pb.h"

namespace sessionmesh::cli {

// Replies with a bit of everything. Times are seconds since 1970.

inline v1::MembersResponse SampleMembers() {
  v1::MembersResponse reply;
  reply.set_isolated(true);
  v1::Member* member = reply.add_members();
  member->set_name("app1");
  member->set_address("10.0.0.1:71");
  member->set_state(v1::MEMBER_STATE_ALIVE);
  member->mutable_since()->set_seconds(1000);
  member->set_self(true);
  member = reply.add_members();
  member->set_name("app2");
  member->set_address("10.0.0.2:71");
  member->set_state(v1::MEMBER_STATE_SUSPECT);
  member->set_generation(1);
  member->set_incarnation(3);
  member->mutable_since()->set_seconds(3000);
  member->set_accuser("app1");
  member->set_zone("room2");
  member->set_confirmations(2);
  return reply;
}

inline v1::ClusterStatusResponse SampleStatus() {
  v1::ClusterStatusResponse reply;
  v1::ClusterStatusResponse::Node* node = reply.add_nodes();
  *node->mutable_member() = SampleMembers().members(0);
  v1::NodeStatusResponse* status = node->mutable_status();
  status->set_name("app1");
  status->mutable_started()->set_seconds(1000);
  status->set_ready(true);
  status->set_state("serving");
  status->set_slots_owned(64);
  status->set_slots_ready(64);
  status->set_sessions(1200);
  status->set_session_bytes(1536);
  status->set_resident_bytes(2 << 20);
  node = reply.add_nodes();
  *node->mutable_member() = SampleMembers().members(1);
  node->set_error("deadline");
  reply.set_verdict("degraded");
  return reply;
}

inline v1::ReplicationResponse SampleLag() {
  v1::ReplicationResponse reply;
  v1::ReplicationResponse::Peer* peer = reply.add_peers();
  peer->set_name("app2");
  peer->set_connected(true);
  peer->set_sent(105);
  peer->set_acknowledged(100);
  peer->set_lag_operations(5);
  peer->mutable_lag()->set_nanos(120'000'000);
  peer->set_backlog_bytes(2048);
  peer->set_slots_pulling(1);
  peer = reply.add_peers();
  peer->set_name("app3");
  peer->set_slots_dirty(64);
  reply.set_slots_syncing(1);
  reply.set_parked(2);
  return reply;
}

inline v1::WhereIsResponse SampleWhere() {
  v1::WhereIsResponse reply;
  reply.set_slot(17);
  reply.set_session_hash("5f3a9c01");
  v1::WhereIsResponse::Owner* owner = reply.add_owners();
  owner->set_node("app1");
  owner->set_self(true);
  owner->set_slot_state("ready");
  owner->set_holds(true);
  owner->set_current(true);
  owner->add_version("app1:7");
  owner->add_version("app2:3");
  owner = reply.add_owners();
  owner->set_node("app2");
  owner->set_slot_state("unreachable");
  owner->set_error("no link");
  return reply;
}

inline v1::Event SampleEvent() {
  v1::Event event;
  event.mutable_time()->set_seconds(1000);
  event.mutable_time()->set_nanos(500'000'000);
  event.set_area("member");
  event.set_kind("suspect");
  event.set_node("app2");
  event.set_message("app2 does not answer");
  (*event.mutable_fields())["by"] = "app1";
  event.set_lost(2);
  return event;
}

inline v1::Session SampleSession() {
  v1::Session session;
  session.set_id("secret-session-id");
  session.set_user("ann");
  (*session.mutable_attributes())["cart"] = "3 apples";
  (*session.mutable_attributes())["key"] = std::string("\0\xff", 2);
  session.mutable_idle_timeout()->set_seconds(1800);
  session.mutable_last_access()->set_seconds(1000);
  session.mutable_absolute_deadline()->set_seconds(1000 + 86400);
  return session;
}

inline v1::ReplyInfo SampleInfo() {
  v1::ReplyInfo info;
  info.set_token("abc");
  info.set_node("app1");
  info.set_replicas(2);
  return info;
}

}  // namespace sessionmesh::cli

#endif  // TESTS_CLIENT_CLI_SAMPLES_H_
