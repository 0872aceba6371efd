#include "node/node_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "replication/types.h"

namespace sessionmesh::node {
namespace {

using MemberEvent = membership::EventKind;
using LaneEvent = replication::Event::Kind;

Severity SeverityOf(MemberEvent kind) {
  switch (kind) {
    case MemberEvent::kJoined:
    case MemberEvent::kRefuted:
    case MemberEvent::kLeft:
    case MemberEvent::kRejoined:
    case MemberEvent::kForgotten:
    case MemberEvent::kLeaving:
    case MemberEvent::kLeaveCompleted:
    case MemberEvent::kNotIsolated:
    case MemberEvent::kJoinSucceeded:
    case MemberEvent::kDatagramsWork:
      return Severity::kInfo;
    case MemberEvent::kSuspected:
    case MemberEvent::kDied:
    case MemberEvent::kSelfAccused:
    case MemberEvent::kIsolated:
    case MemberEvent::kJoinFailed:
    case MemberEvent::kOtherCluster:
    case MemberEvent::kTableFull:
    case MemberEvent::kDatagramsBlocked:
      return Severity::kWarning;
    case MemberEvent::kSuperseded:
    case MemberEvent::kNameConflict:
      return Severity::kError;
  }
  return Severity::kInfo;
}

std::string Sentence(const membership::Event& event) {
  const std::string& name = event.member.name;
  switch (event.kind) {
    case MemberEvent::kJoined:
      return absl::StrCat(name, " is a member at ", event.member.address);
    case MemberEvent::kSuspected:
      return absl::StrCat(name, " did not answer ", event.accuser);
    case MemberEvent::kRefuted:
      return absl::StrCat(name, " lives: it refuted the doubt");
    case MemberEvent::kDied:
      return absl::StrCat(name, " is taken for dead");
    case MemberEvent::kLeft:
      return absl::StrCat(name, " said goodbye");
    case MemberEvent::kRejoined:
      return absl::StrCat(name, " is back at ", event.member.address);
    case MemberEvent::kForgotten:
      return absl::StrCat(name, " is gone for long and forgotten");
    case MemberEvent::kSelfAccused:
      return absl::StrCat(event.accuser, " doubted that this node lives");
    case MemberEvent::kSuperseded:
      return "another process runs under this node's name with a higher "
             "generation; this one must end";
    case MemberEvent::kLeaving:
      return "this node says goodbye";
    case MemberEvent::kLeaveCompleted:
      return "the others know that this node leaves";
    case MemberEvent::kIsolated:
      return "no member answers this node: is its network cut?";
    case MemberEvent::kNotIsolated:
      return "members answer again";
    case MemberEvent::kJoinSucceeded:
      return absl::StrCat("joined the cluster through ", event.detail);
    case MemberEvent::kJoinFailed:
      return absl::StrCat("no seed answered (", event.detail,
                          "); trying again until one does");
    case MemberEvent::kNameConflict:
      return absl::StrCat("two nodes are named ", name, ", the one at ",
                          event.detail, " is refused; give it another --name");
    case MemberEvent::kOtherCluster:
      return absl::StrCat("the node at ", event.detail,
                          " refuses this node, or has other constants; the "
                          "event before this one says which");
    case MemberEvent::kTableFull:
      return absl::StrCat("newcomer ", event.detail,
                          " refused: too many members are known");
    case MemberEvent::kDatagramsBlocked:
      return absl::StrCat(name, " answers by TCP but not by UDP: is UDP to ",
                          event.member.address, " blocked?");
    case MemberEvent::kDatagramsWork:
      return absl::StrCat("UDP to ", name, " works again");
  }
  return "";
}

Severity SeverityOf(LaneEvent kind) {
  switch (kind) {
    case LaneEvent::kStalePrevented:
    case LaneEvent::kSessionEnded:
    case LaneEvent::kActorRotated:
    case LaneEvent::kLaneReady:
    case LaneEvent::kSlotDropped:
      return Severity::kDebug;
    case LaneEvent::kPeerForgot:
    case LaneEvent::kSessionRevoked:
    case LaneEvent::kExpiryPostponed:
    case LaneEvent::kStaleAnswered:
      return Severity::kInfo;
    case LaneEvent::kLaneReadyDegraded:
    case LaneEvent::kQueueOverflow:
    case LaneEvent::kRefused:
    case LaneEvent::kWriteLost:
    case LaneEvent::kParkedDropped:
    case LaneEvent::kClockBehind:
    case LaneEvent::kSlotOrphaned:
      return Severity::kWarning;
    case LaneEvent::kStateMismatch:
      return Severity::kError;
  }
  return Severity::kInfo;
}

bool IsAboutSession(LaneEvent kind) {
  switch (kind) {
    case LaneEvent::kStalePrevented:
    case LaneEvent::kStaleAnswered:
    case LaneEvent::kWriteLost:
    case LaneEvent::kSessionEnded:
    case LaneEvent::kSessionRevoked:
      return true;
    default:
      return false;
  }
}

}  // namespace

NodeEvent DescribeEvent(const membership::Event& event) {
  NodeEvent result;
  result.time = event.at;
  result.severity = SeverityOf(event.kind);
  result.area = "member";
  // One spelling for events, counters and scripts.
  result.kind =
      absl::StrReplaceAll(membership::EventKindName(event.kind), {{"-", "_"}});
  result.node = event.member.name;
  result.message = Sentence(event);
  result.fields["generation"] = absl::StrCat(event.member.claim.generation);
  result.fields["incarnation"] = absl::StrCat(event.member.claim.incarnation);
  result.fields["state"] =
      std::string(membership::StateName(event.member.claim.state));
  if (!event.accuser.empty()) result.fields["accuser"] = event.accuser;
  return result;
}

NodeEvent DescribeEvent(const replication::Event& event, absl::Time wall) {
  NodeEvent result;
  result.time = wall;
  result.severity = SeverityOf(event.kind);
  result.area = IsAboutSession(event.kind) ? "session" : "replication";
  result.kind = std::string(replication::EventName(event.kind));
  result.node = event.node;
  result.message = event.detail;
  result.fields["slot"] = absl::StrCat(event.slot);
  if (!event.session.empty()) result.fields["session"] = event.session;
  if (event.count != 1) result.fields["count"] = absl::StrCat(event.count);
  if (event.kind == LaneEvent::kSessionEnded) {
    result.fields["reason"] =
        std::string(replication::EndReasonName(event.reason));
  }
  return result;
}

NodeEvent MakeNodeEvent(absl::Time wall, Severity severity,
                        absl::string_view kind, std::string message) {
  NodeEvent result;
  result.time = wall;
  result.severity = severity;
  result.area = "node";
  result.kind = std::string(kind);
  result.message = std::move(message);
  return result;
}

}  // namespace sessionmesh::node
