#include "node/self_info.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "node/node_events.h"

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

absl::StatusOr<wire::NodeInfo> SelfInfo::Check(const v1::NodeInfo& theirs) {
  absl::StatusOr<wire::NodeInfo> info = wire::DecodeNodeInfo(theirs);
  if (!info.ok()) return info;
  const absl::Status status =
      wire::CheckCompatible(Now(), *info, clock_offset_max_);
  if (status.ok()) return info;
  Report("peer_refused", info->name,
         absl::StrCat("refused ", info->name, " at ", info->peer_address, ": ",
                      status.message()));
  return status;
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
