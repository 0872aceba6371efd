#include "membership/config.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "membership/limits.h"

namespace sessionmesh::membership {
namespace {

// One datagram must have room for the largest possible update besides the
// largest possible body.
constexpr size_t kDatagramBytesMaxLowest = 1280;
constexpr size_t kDatagramBytesMaxHighest = 65507;  // UDP over IPv4

// Collects what is wrong, so that an operator sees everything at once.
class Problems {
 public:
  void Positive(absl::string_view knob, absl::Duration value) {
    if (value <= absl::ZeroDuration()) {
      Add(knob, absl::FormatDuration(value), "must be positive");
    } else if (value == absl::InfiniteDuration()) {
      Add(knob, absl::FormatDuration(value), "must be finite");
    }
  }

  void AtLeast(absl::string_view knob, absl::Duration value,
               absl::string_view other_knob, absl::Duration other) {
    if (value < other) {
      Add(knob, absl::FormatDuration(value),
          absl::StrCat("must be at least ", other_knob, " = ",
                       absl::FormatDuration(other)));
    }
  }

  void Between(absl::string_view knob, int64_t value, int64_t low,
               int64_t high) {
    if (value < low || value > high) {
      Add(knob, absl::StrCat(value),
          absl::StrCat("must be between ", low, " and ", high));
    }
  }

  void Add(absl::string_view knob, absl::string_view value,
           absl::string_view demand) {
    problems_.push_back(absl::StrCat(knob, " = ", value, " ", demand));
  }

  absl::Status ToStatus() const {
    if (problems_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(problems_, "; "));
  }

 private:
  std::vector<std::string> problems_;
};

}  // namespace

Config Config::Wan() {
  Config config;
  config.probe_interval = absl::Seconds(5);
  config.probe_timeout = absl::Seconds(3);
  config.suspicion_mult = 6;
  config.gossip_interval = absl::Milliseconds(500);
  config.gossip_nodes = 4;
  config.gossip_to_dead = absl::Seconds(60);
  config.sync_interval = absl::Seconds(60);
  config.exchange_timeout = absl::Seconds(30);
  config.redial_interval = absl::Seconds(15);
  config.redial_backoff_max = absl::Seconds(60);
  config.leave_timeout = absl::Seconds(15);
  return config;
}

Config Config::Local() {
  Config config;
  config.probe_timeout = absl::Milliseconds(200);
  config.indirect_probes = 1;
  config.suspicion_mult = 3;
  config.gossip_interval = absl::Milliseconds(100);
  config.retransmit_mult = 2;
  config.gossip_to_dead = absl::Seconds(15);
  config.sync_interval = absl::Seconds(15);
  config.exchange_timeout = absl::Seconds(1);
  config.redial_interval = absl::Seconds(2);
  config.redial_backoff_max = absl::Seconds(8);
  config.leave_timeout = absl::Seconds(2);
  return config;
}

Config Config::Fast() {
  Config config;
  config.probe_interval = absl::Milliseconds(200);
  config.probe_timeout = absl::Milliseconds(100);
  config.gossip_interval = absl::Milliseconds(40);
  config.gossip_to_dead = absl::Seconds(6);
  config.sync_interval = absl::Seconds(6);
  config.exchange_timeout = absl::Seconds(2);
  config.redial_interval = absl::Seconds(1);
  config.redial_backoff_max = absl::Seconds(4);
  config.join_retry_min = absl::Milliseconds(200);
  config.join_retry_max = absl::Seconds(6);
  config.leave_timeout = absl::Seconds(1);
  return config;
}

absl::StatusOr<Config> Config::FromProfile(absl::string_view name) {
  if (name == "lan") return Lan();
  if (name == "wan") return Wan();
  if (name == "local") return Local();
  if (name == "fast") return Fast();
  return absl::InvalidArgumentError(absl::StrCat(
      "membership profile \"", name, "\" is not one of lan, wan, local, fast"));
}

absl::Status Config::Validate() const {
  Problems problems;
  problems.Positive("probe_interval", probe_interval);
  problems.Positive("probe_timeout", probe_timeout);
  if (probe_timeout >= probe_interval) {
    problems.Add("probe_timeout", absl::FormatDuration(probe_timeout),
                 absl::StrCat("must be below probe_interval = ",
                              absl::FormatDuration(probe_interval),
                              ", or no time is left for indirect probes"));
  }
  problems.Between("indirect_probes", indirect_probes, 0, 16);
  problems.Between("suspicion_mult", suspicion_mult, 1, 64);
  problems.Between("suspicion_max_mult", suspicion_max_mult, 1, 64);
  problems.Positive("gossip_interval", gossip_interval);
  problems.Between("gossip_nodes", gossip_nodes, 1, 64);
  problems.Between("retransmit_mult", retransmit_mult, 1, 64);
  problems.Positive("gossip_to_dead", gossip_to_dead);
  problems.Between("datagram_bytes_max",
                   static_cast<int64_t>(datagram_bytes_max),
                   kDatagramBytesMaxLowest, kDatagramBytesMaxHighest);
  problems.Positive("sync_interval", sync_interval);
  problems.Positive("exchange_timeout", exchange_timeout);
  problems.Positive("redial_interval", redial_interval);
  problems.AtLeast("redial_backoff_max", redial_backoff_max, "redial_interval",
                   redial_interval);
  problems.Positive("join_retry_min", join_retry_min);
  problems.AtLeast("join_retry_max", join_retry_max, "join_retry_min",
                   join_retry_min);
  problems.Positive("leave_timeout", leave_timeout);
  problems.Positive("left_retention", left_retention);
  problems.Between("members_max", static_cast<int64_t>(members_max), 2,
                   kSyncMembersMax);
  return problems.ToStatus();
}

}  // namespace sessionmesh::membership
