#ifndef TESTS_SIM_SCHEDULE_H_
#define TESTS_SIM_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/config.h"
#include "replication/config.h"

namespace sessionmesh::sim {

// A Schedule says which faults happen how often and what the clients do: one
// mix of weather. One random mix of everything misses what a churn-heavy or a
// partition-heavy mix finds, so a seed picks one of several (swarm testing,
// Groce and others 2012).
struct Schedule {
  absl::string_view name;
  // False: no seed picks it, it is run by its name only. A schedule that seeds
  // pick cannot be added without changing what every seed means.
  bool picked = true;

  // Mean time between two faults of a kind, over the whole cluster; zero:
  // never.
  absl::Duration crash;
  absl::Duration leave;      // gracefully, and back later
  absl::Duration partition;  // any split of the hosts
  absl::Duration one_way;    // one direction of one link
  absl::Duration reset;      // the streams between two hosts
  absl::Duration stall;      // inbox.h
  absl::Duration block;
  absl::Duration slow;
  absl::Duration clock_jump;  // within the bound
  absl::Duration
      weather;  // loss, duplication, reordering and latency of all links change

  // Clients.
  absl::Duration think =
      absl::Milliseconds(700);  // mean, between two calls of one browser
  absl::Duration idle_min = absl::Seconds(60);
  absl::Duration idle_max = absl::Seconds(120);
  absl::Duration lifetime_min = absl::Seconds(200);
  absl::Duration lifetime_max = absl::Seconds(500);
  uint32_t rotate_weight = 4;  // of 100 calls
  uint32_t delete_weight = 4;
  uint32_t abandon_weight = 3;
  uint32_t local_weight = 15;  // of 100 writes: durability LOCAL
  size_t value_bytes = 0;      // of padding in each value
  uint32_t share_weight = 1;   // of 4 logins: into a session of somebody else
  // Most writes and reads are QUORUM, and many of the reads bring no token.
  bool quorum = false;

  // Cluster.
  // Owners of a slot; 0: every member. With fewer, there are more nodes.
  uint32_t replicas = 0;
  absl::Duration absolute_lifetime_max = absl::Minutes(10);
  bool tiny_queues = false;
  size_t lane_bytes_max = 0;  // memory for sessions; 0: as in production
};

const std::vector<Schedule>& Schedules();
// Null when there is none of that name.
const Schedule* FindSchedule(absl::string_view name);

// What a run is: everything follows from it.
struct Plan {
  uint64_t seed = 0;
  Schedule schedule;
  size_t nodes = 3;
  absl::Duration length;  // of the part with faults
};

// Choices that are left empty (no name, 0 nodes, zero length) follow from the
// seed. REQUIRES: the name is empty or known.
Plan MakePlan(uint64_t seed, absl::string_view schedule, size_t nodes,
              absl::Duration length);

// The configuration of the cores: that of production with everything that takes
// minutes scaled to seconds.
membership::Config MembershipConfig();
replication::Config ReplicationConfig(const Schedule& schedule);

// Virtual time within which a healed cluster must be one again: see DESIGN.md
// for the sum.
absl::Duration ConvergenceBound(const membership::Config& membership,
                                const replication::Config& replication);

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_SCHEDULE_H_
