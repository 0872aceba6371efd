#include "node/self_info.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "node/node_events.h"
#include "node/ports.h"

namespace sessionmesh::node {
namespace {

constexpr absl::Duration kReportInterval = absl::Minutes(1);
constexpr size_t kReportedMax = 256;

}  // namespace

SelfInfo::SelfInfo(wire::NodeInfo info, absl::Duration clock_offset_max,
                   const Clock* clock, EventLog* log)
    : info_(std::move(info)),
      clock_offset_max_(clock_offset_max),
      clock_(clock),
      log_(log),
      reported_(kReportInterval, kReportedMax) {}

wire::NodeInfo SelfInfo::Now() const {
  wire::NodeInfo info = info_;
  info.wall = clock_->Now().wall;
  return info;
}

absl::StatusOr<wire::NodeInfo> SelfInfo::Check(const v1::NodeInfo& theirs,
                                               absl::string_view caller) {
  const wire::NodeInfo mine = Now();
  absl::Status status = wire::CheckCanTalk(mine, theirs);
  if (absl::IsInvalidArgument(status)) return status;
  if (!status.ok()) {
    ReportRefused(theirs, status);
    return status;
  }
  absl::StatusOr<wire::NodeInfo> info = wire::DecodeNodeInfo(theirs);
  if (!info.ok()) return info;
  status = wire::CheckCompatible(mine, *info, clock_offset_max_);
  if (status.ok()) status = CheckReachable(info->peer_address, caller);
  if (status.ok()) return info;
  ReportRefused(theirs, status);
  return status;
}

void SelfInfo::ReportRefused(const v1::NodeInfo& theirs,
                             const absl::Status& why) {
  // Of another version, they need not be what they are in this one.
  const bool named = wire::CheckNodeName("name", theirs.name()).ok();
  const bool placed = wire::CheckAddress("address", theirs.peer_address()).ok();
  const std::string name = named ? theirs.name() : "a node";
  Report("peer_refused", name,
         absl::StrCat("refused ", name, " at ",
                      placed ? theirs.peer_address() : "an unknown address",
                      ": ", why.message()));
}

void SelfInfo::ReportRefusedBy(absl::string_view address,
                               absl::string_view why) {
  Report("refused_by_peer", std::string(address),
         absl::StrCat("the node at ", address, " refuses this one: ", why));
}

void SelfInfo::Report(absl::string_view kind, const std::string& peer,
                      const std::string& sentence) {
  const Instant now = clock_->Now();
  {
    MutexLock lock(&mutex_);
    if (!reported_.Allow(absl::StrCat(kind, " ", peer), now.steady)) {
      log_->Count(absl::StrCat("node_", kind));
      return;
    }
  }
  NodeEvent event = MakeNodeEvent(now.wall, Severity::kWarning, kind, sentence);
  event.node = peer;
  log_->Append(std::move(event));
}

}  // namespace sessionmesh::node
