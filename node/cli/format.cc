#include "node/cli/format.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "node/cli/names.h"
#include "node/cli/table.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

Table::Cell State(v1::MemberState state) {
  const Color color = state == v1::MEMBER_STATE_ALIVE     ? Color::kGreen
                      : state == v1::MEMBER_STATE_SUSPECT ? Color::kYellow
                      : state == v1::MEMBER_STATE_DEAD    ? Color::kRed
                                                          : Color::kNone;
  return {MemberStateName(state), color};
}

Table::Cell YesNo(bool yes, Color no_color) {
  return yes ? Table::Cell{"yes"} : Table::Cell{"no", no_color};
}

Table::Cell Number(std::uint64_t n, Color color_above_zero = Color::kNone) {
  return {absl::StrCat(n), n > 0 ? color_above_zero : Color::kNone};
}

std::string Name(const v1::Member& member) {
  return absl::StrCat(Printable(member.name()), member.self() ? "*" : "");
}

std::string Why(const v1::Member& member) {
  if (member.accuser().empty()) {
    return "";
  }
  return absl::StrCat("accused by ", Printable(member.accuser()), ", ",
                      Count(member.confirmations(), "confirmation"));
}

std::string Age(const google::protobuf::Timestamp& time, const Style& style) {
  return ShortDuration(style.now - ToTime(time));
}

// "name:  value" lines; pairs with an empty value are left out.
std::string Pairs(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  constexpr std::size_t kWidth = sizeof("idle limit:");  // the longest, a space
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!value.empty()) {
      std::string label = absl::StrCat(name, ":");
      label.resize(std::max(kWidth, label.size() + 1), ' ');
      absl::StrAppend(&out, label, value, "\n");
    }
  }
  return out;
}

std::string Attributes(const v1::Session& session) {
  std::string out;
  const std::map<std::string, std::string> sorted(session.attributes().begin(),
                                                  session.attributes().end());
  for (const auto& [name, value] : sorted) {
    absl::StrAppend(&out, "  ", Printable(name), " = ", Printable(value), "\n");
  }
  return out;
}

std::vector<Table::Cell> StatusRow(const v1::ClusterStatusResponse::Node& node,
                                   const Style& style) {
  if (!node.has_status()) {
    return {{Name(node.member())},
            State(node.member().state()),
            {"-"},
            {"-"},
            {"-"},
            {"-"},
            {"-"},
            {"-"},
            {node.error().empty()
                 ? "no answer"
                 : absl::StrCat("no answer: ", Printable(node.error())),
             Color::kRed}};
  }
  const v1::NodeStatusResponse& status = node.status();
  return {
      {Name(node.member())},
      State(node.member().state()),
      YesNo(status.ready(), Color::kYellow),
      {absl::StrCat(status.slots_ready(), "/", status.slots_owned())},
      Number(status.sessions()),
      {ShortBytes(status.session_bytes())},
      {ShortBytes(status.resident_bytes())},
      {status.has_started() ? Age(status.started(), style) : "-"},
      {status.isolated() ? absl::StrCat(Printable(status.state()), ", isolated")
                         : Printable(status.state()),
       status.isolated() ? Color::kRed : Color::kNone}};
}

}  // namespace

int VerdictRank(const std::string& verdict) {
  return verdict == "healthy" ? 2 : verdict == "degraded" ? 1 : 0;
}

std::string StatusText(const v1::ClusterStatusResponse& reply,
                       const Style& style) {
  Table table({"NODE", "MEMBER", "READY", "SLOTS", "SESSIONS", "PAYLOAD",
               "MEMORY", "UPTIME", "STATE"});
  int ready = 0;
  for (const v1::ClusterStatusResponse::Node& node : reply.nodes()) {
    table.AddRow(StatusRow(node, style));
    ready += node.status().ready() ? 1 : 0;
  }
  const int rank = VerdictRank(reply.verdict());
  const Color color = rank == 2   ? Color::kGreen
                      : rank == 1 ? Color::kYellow
                                  : Color::kRed;
  return absl::StrCat(
      table.Render(style.color), "\n",
      Paint(Printable(reply.verdict()), color, style.color), ": ", ready,
      " of ", Count(static_cast<std::uint64_t>(reply.nodes_size()), "member"),
      " ready\n");
}

std::string MembersText(const v1::MembersResponse& reply, const Style& style) {
  Table table(
      {"NAME", "ADDRESS", "ZONE", "STATE", "SINCE", "INCARNATION", "WHY"});
  for (const v1::Member& member : reply.members()) {
    table.AddRow({{Name(member)},
                  {Printable(member.address())},
                  {member.zone().empty() ? "-" : Printable(member.zone())},
                  State(member.state()),
                  {member.has_since() ? Age(member.since(), style) : "-"},
                  Number(member.incarnation()),
                  {Why(member)}});
  }
  std::string out = table.Render(style.color);
  if (reply.isolated()) {
    absl::StrAppend(&out, "\n", Paint("isolated", Color::kRed, style.color),
                    ": this node hears nobody although it should\n");
  }
  return out;
}

std::string LagText(const v1::ReplicationResponse& reply, const Style& style) {
  Table table({"PEER", "LINK", "BEHIND", "LAG", "BACKLOG", "SENT",
               "ACKNOWLEDGED", "DIRTY", "PULLING"});
  for (const v1::ReplicationResponse::Peer& peer : reply.peers()) {
    table.AddRow({{Printable(peer.name())},
                  peer.connected() ? Table::Cell{"up", Color::kGreen}
                                   : Table::Cell{"down", Color::kRed},
                  Number(peer.lag_operations()),
                  {ShortDuration(ToDuration(peer.lag()))},
                  {ShortBytes(peer.backlog_bytes())},
                  Number(peer.sent()),
                  Number(peer.acknowledged()),
                  Number(peer.slots_dirty(), Color::kYellow),
                  Number(peer.slots_pulling(), Color::kYellow)});
  }
  return absl::StrCat(table.Render(style.color), "\n",
                      Count(reply.slots_syncing(), "slot"), " syncing, ",
                      Count(reply.parked(), "delta"), " parked\n");
}

std::string WhereText(const v1::WhereIsResponse& reply, const Style& style) {
  Table table({"OWNER", "SLOT", "HOLDS", "CURRENT", "VERSION"});
  for (const v1::WhereIsResponse::Owner& owner : reply.owners()) {
    std::vector<std::string> version;
    for (const std::string& dot : owner.version()) {
      version.push_back(Printable(dot));
    }
    table.AddRow(
        {{absl::StrCat(Printable(owner.node()), owner.self() ? "*" : "")},
         {Printable(owner.slot_state()),
          owner.slot_state() == "ready" ? Color::kGreen : Color::kYellow},
         YesNo(owner.holds(), Color::kNone),
         YesNo(owner.current(), Color::kYellow),
         {owner.error().empty() ? absl::StrJoin(version, " ")
                                : Printable(owner.error()),
          owner.error().empty() ? Color::kNone : Color::kRed}});
  }
  return absl::StrCat("session ", Printable(reply.session_hash()), " in slot ",
                      reply.slot(), "\n\n", table.Render(style.color));
}

std::string EventText(const v1::Event& event, const Style& style) {
  std::string out;
  if (event.lost() > 0) {
    absl::StrAppend(&out, Paint("lost", Color::kYellow, style.color), " ",
                    Count(event.lost(), "event"),
                    ": this reader was too slow\n");
  }
  absl::StrAppend(&out, TimeText(event.time()), "  ", Printable(event.area()),
                  "/", Printable(event.kind()), "  ",
                  event.node().empty() ? "-" : Printable(event.node()), "  ",
                  Printable(event.message()), "\n");
  return out;
}

std::string SessionText(const v1::Session& session, const v1::ReplyInfo& info,
                        const Style& style) {
  std::string out = Pairs(
      {{"user", Printable(session.user())},
       {"idle",
        session.has_last_access() ? Age(session.last_access(), style) : ""},
       {"idle limit", session.has_idle_timeout()
                          ? ShortDuration(ToDuration(session.idle_timeout()))
                          : ""},
       {"ends in",
        session.has_absolute_deadline()
            ? ShortDuration(ToTime(session.absolute_deadline()) - style.now)
            : ""},
       {"node", Printable(info.node())},
       {"token", Printable(info.token())}});
  absl::StrAppend(&out, Count(session.attributes().size(), "attribute"), "\n",
                  Attributes(session));
  return out;
}

std::string CreatedText(const v1::Session& session, const v1::ReplyInfo& info) {
  return absl::StrCat(Pairs({{"id", Printable(session.id())}}),
                      WrittenText(info));
}

std::string WrittenText(const v1::ReplyInfo& info) {
  return Pairs(
      {{"token", Printable(info.token())},
       {"node", Printable(info.node())},
       {"replicas", info.replicas() > 0 ? absl::StrCat(info.replicas()) : ""}});
}

std::string WatchText(const v1::WatchResponse& event) {
  if (event.has_ended()) {
    return absl::StrCat("ended: ", EndedReasonName(event.ended().reason()),
                        "\n");
  }
  return absl::StrCat("token ", Printable(event.token()), ", ",
                      Count(event.session().attributes().size(), "attribute"),
                      "\n", Attributes(event.session()));
}

}  // namespace sessionmesh::cli
