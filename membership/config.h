#ifndef MEMBERSHIP_CONFIG_H_
#define MEMBERSHIP_CONFIG_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::membership {

// The knobs of the membership protocol. The initial values are the `lan`
// profile. All members of a cluster should run the same numbers; mixed ones
// work, with detection as slow as the slowest.
//
// Profiles (numbers of `lan`, `wan` and `local` are those of memberlist where
// it has the knob):
//
//   lan     one data centre; a crash is noticed in a second or two, dead within
//   ten wan     between data centres: patient local   all on one machine fast
//   one data centre with little loss and spare CPU: five times as quick as lan,
//   five times
//           the packets
struct Config {
  static Config Lan() { return Config(); }
  static Config Wan();
  static Config Local();
  static Config Fast();
  // By name: "lan", "wan", "local", "fast".
  static absl::StatusOr<Config> FromProfile(absl::string_view name);

  // OK, or InvalidArgument with every problem: the knob, its value, the limit.
  absl::Status Validate() const;

  // -- Probing. Every interval one member is pinged. If no Ack came after the
  // timeout, `indirect_probes` others are asked to ping it and it is called on
  // the reliable plane; if nothing answered when the interval ends, it is
  // suspected. REQUIRES: probe_timeout < probe_interval.
  absl::Duration probe_interval = absl::Seconds(1);
  absl::Duration probe_timeout = absl::Milliseconds(500);
  int indirect_probes = 3;

  // -- Suspicion. A suspect is dead after between min and max, sooner with
  // every distinct member that confirms (scaling.h, suspicion.h):
  //   min = suspicion_mult * log10(members) * probe_interval,  max =
  //   suspicion_max_mult * min
  int suspicion_mult = 4;
  int suspicion_max_mult = 6;

  // -- Gossip. Every interval, when there is news, a datagram of it to
  // `gossip_nodes` members. A piece of news leaves a node at most
  // retransmit_mult * ceil(log10(members + 1)) times. The dead still get gossip
  // for `gossip_to_dead`, so that one that lives hears of its death.
  absl::Duration gossip_interval = absl::Milliseconds(200);
  int gossip_nodes = 3;
  int retransmit_mult = 4;
  absl::Duration gossip_to_dead = absl::Seconds(30);
  // Bytes of a datagram on the wire, outer frame included; below the smallest
  // path MTU.
  size_t datagram_bytes_max = 1400;

  // -- Anti-entropy. Every interval (stretched above 32 members) digests are
  // compared with one member.
  absl::Duration sync_interval = absl::Seconds(30);
  // Deadline of a call on the reliable plane, except the fallback ping, which
  // ends with its probe.
  absl::Duration exchange_timeout = absl::Seconds(10);

  // -- Re-dial. About every interval, one dead member or seed is called, for
  // ever, so that partitions of any length heal. Each target backs off
  // exponentially to the maximum.
  absl::Duration redial_interval = absl::Seconds(5);
  absl::Duration redial_backoff_max = absl::Seconds(20);

  // -- Joining. Seeds are tried until one answers: again after min, doubled up
  // to max, with jitter.
  absl::Duration join_retry_min = absl::Seconds(1);
  absl::Duration join_retry_max = absl::Seconds(30);

  // -- Leaving. The goodbye counts as spread after this long at the latest.
  absl::Duration leave_timeout = absl::Seconds(5);
  // Members that left are remembered this long, so that old news does not bring
  // them back.
  absl::Duration left_retention = absl::Hours(24);

  // Members known, this one and the dead included. When full, the one that left
  // or died longest ago makes room; if all live, newcomers are refused.
  size_t members_max = 4096;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_CONFIG_H_
