#include "node/cli/json.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "client/error.h"
#include "node/cli/names.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 become U+FFFD: dump() would throw.
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}
std::string Reply(const Json& json) { return Dump(json, 2); }
std::string StreamLine(const Json& json) { return Dump(json, -1); }

template <typename Message>
Json Time(const Message& time, bool present) {
  return present ? Json(TimeText(time)) : Json(nullptr);
}

template <typename Message>
Json Seconds(const Message& duration, bool present) {
  return present ? Json(absl::ToDoubleSeconds(ToDuration(duration)))
                 : Json(nullptr);
}

Json Info(const v1::ReplyInfo& info) {
  return {{"token", info.token()},
          {"node", info.node()},
          {"degraded", info.degraded()},
          {"degraded_reason", info.degraded_reason()},
          {"replicas", info.replicas()},
          {"caught_up", info.caught_up()}};
}

Json Session(const v1::Session& session) {
  Json text = Json::object();
  Json base64 = Json::object();
  const std::map<std::string, std::string> sorted(session.attributes().begin(),
                                                  session.attributes().end());
  for (const auto& [name, value] : sorted) {
    if (IsPrintable(value)) {
      text[name] = value;
    } else {
      base64[name] = absl::Base64Escape(value);
    }
  }
  return {
      {"user", session.user()},
      {"attributes", text},
      {"attributes_base64", base64},
      {"idle_timeout_seconds",
       Seconds(session.idle_timeout(), session.has_idle_timeout())},
      {"last_access", Time(session.last_access(), session.has_last_access())},
      {"absolute_deadline",
       Time(session.absolute_deadline(), session.has_absolute_deadline())}};
}

Json Member(const v1::Member& member) {
  return {{"name", member.name()},
          {"address", member.address()},
          {"zone", member.zone()},
          {"state", MemberStateName(member.state())},
          {"generation", member.generation()},
          {"incarnation", member.incarnation()},
          {"since", Time(member.since(), member.has_since())},
          {"accuser", member.accuser()},
          {"confirmations", member.confirmations()},
          {"self", member.self()}};
}

Json NodeStatus(const v1::NodeStatusResponse& status) {
  Json counters = Json::object();
  const std::map<std::string, std::uint64_t> sorted(status.counters().begin(),
                                                    status.counters().end());
  for (const auto& [name, value] : sorted) {
    counters[name] = value;
  }
  return {{"name", status.name()},
          {"version", status.version()},
          {"cluster_id", status.cluster_id()},
          {"client_address", status.client_address()},
          {"peer_address", status.peer_address()},
          {"generation", status.generation()},
          {"started", Time(status.started(), status.has_started())},
          {"ready", status.ready()},
          {"state", status.state()},
          {"isolated", status.isolated()},
          {"slots_owned", status.slots_owned()},
          {"slots_ready", status.slots_ready()},
          {"slots_total", status.slots_total()},
          {"sessions", status.sessions()},
          {"session_bytes", status.session_bytes()},
          {"resident_bytes", status.resident_bytes()},
          {"members_alive", status.members_alive()},
          {"members_suspect", status.members_suspect()},
          {"members_dead", status.members_dead()},
          {"counters", counters}};
}

}  // namespace

std::string StatusJson(const v1::ClusterStatusResponse& reply) {
  Json nodes = Json::array();
  for (const v1::ClusterStatusResponse::Node& node : reply.nodes()) {
    nodes.push_back({{"member", Member(node.member())},
                     {"status", node.has_status() ? NodeStatus(node.status())
                                                  : Json(nullptr)},
                     {"error", node.error()}});
  }
  return Reply({{"verdict", reply.verdict()}, {"nodes", nodes}});
}

std::string MembersJson(const v1::MembersResponse& reply) {
  Json members = Json::array();
  for (const v1::Member& member : reply.members()) {
    members.push_back(Member(member));
  }
  return Reply({{"isolated", reply.isolated()}, {"members", members}});
}

std::string LagJson(const v1::ReplicationResponse& reply) {
  Json peers = Json::array();
  for (const v1::ReplicationResponse::Peer& peer : reply.peers()) {
    peers.push_back(
        {{"name", peer.name()},
         {"connected", peer.connected()},
         {"sent", peer.sent()},
         {"acknowledged", peer.acknowledged()},
         {"lag_operations", peer.lag_operations()},
         {"lag_ms", absl::ToDoubleMilliseconds(ToDuration(peer.lag()))},
         {"backlog_bytes", peer.backlog_bytes()},
         {"slots_dirty", peer.slots_dirty()},
         {"slots_pulling", peer.slots_pulling()}});
  }
  return Reply({{"slots_syncing", reply.slots_syncing()},
                {"parked", reply.parked()},
                {"peers", peers}});
}

std::string WhereJson(const v1::WhereIsResponse& reply) {
  Json owners = Json::array();
  for (const v1::WhereIsResponse::Owner& owner : reply.owners()) {
    Json version = Json::array();
    for (const std::string& dot : owner.version()) {
      version.push_back(dot);
    }
    owners.push_back({{"node", owner.node()},
                      {"self", owner.self()},
                      {"slot_state", owner.slot_state()},
                      {"holds", owner.holds()},
                      {"current", owner.current()},
                      {"version", version},
                      {"error", owner.error()}});
  }
  return Reply({{"session_hash", reply.session_hash()},
                {"slot", reply.slot()},
                {"owners", owners}});
}

std::string EventJson(const v1::Event& event) {
  Json fields = Json::object();
  const std::map<std::string, std::string> sorted(event.fields().begin(),
                                                  event.fields().end());
  for (const auto& [name, value] : sorted) {
    fields[name] = value;
  }
  return StreamLine({{"time", Time(event.time(), event.has_time())},
                     {"area", event.area()},
                     {"kind", event.kind()},
                     {"node", event.node()},
                     {"message", event.message()},
                     {"fields", fields},
                     {"lost", event.lost()}});
}

std::string SessionJson(const v1::Session& session, const v1::ReplyInfo& info) {
  return Reply({{"session", Session(session)}, {"info", Info(info)}});
}

std::string AttributeJson(const std::string& name, const std::string& value,
                          const v1::ReplyInfo& info) {
  const bool printable = IsPrintable(value);
  return Reply({{"name", name},
                {"value", printable ? Json(value) : Json(nullptr)},
                {"value_base64",
                 printable ? Json(nullptr) : Json(absl::Base64Escape(value))},
                {"info", Info(info)}});
}

std::string CreatedJson(const v1::Session& session, const v1::ReplyInfo& info) {
  return Reply({{"id", session.id()},
                {"session", Session(session)},
                {"info", Info(info)}});
}

std::string WrittenJson(const v1::ReplyInfo& info) {
  return Reply({{"info", Info(info)}});
}

std::string WatchJson(const v1::WatchResponse& event) {
  const bool ended = event.has_ended();
  return StreamLine(
      {{"session", ended ? Json(nullptr) : Session(event.session())},
       {"ended",
        ended ? Json(EndedReasonName(event.ended().reason())) : Json(nullptr)},
       {"token", event.token()}});
}

std::string JoinJson(const v1::JoinResponse& reply) {
  return Reply({{"members", reply.members()}});
}

std::string LeaveJson(const v1::LeaveResponse& reply) {
  return Reply(
      {{"handed_over", reply.handed_over()}, {"message", reply.message()}});
}

std::string ErrorJson(const absl::Status& status) {
  const v1::ErrorInfo info =
      client::ErrorDetail(status).value_or(v1::ErrorInfo());
  return Reply(
      {{"error",
        {{"code", absl::StatusCodeToString(status.code())},
         {"message", std::string(status.message())},
         {"reason", ReasonName(info.reason())},
         {"may_be_applied", client::MayBeApplied(status)},
         {"id", info.applied() && info.has_session() ? Json(info.session().id())
                                                     : Json(nullptr)},
         {"replicas", info.replicas()},
         {"missing_writer", info.missing_writer()},
         {"missing_writer_alive", info.missing_writer_alive()},
         {"behind", info.behind()},
         {"session",
          info.has_session() ? Session(info.session()) : Json(nullptr)},
         {"token", info.token()},
         {"limit_name", info.limit_name()},
         {"limit", info.limit()},
         {"value", info.value()}}}});
}

}  // namespace sessionmesh::cli
