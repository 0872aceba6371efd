#ifndef REPLICATION_CONFIG_H_
#define REPLICATION_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "replication/placement.h"

namespace sessionmesh::replication {

// What one lane of replication is built with. Cluster constants must be the
// same on every node (the shell compares them when two nodes meet); the rest
// may differ.
struct Config {
  // --- cluster constants
  uint32_t slot_count = 1024;  // power of two, at most 65536
  uint32_t lane_count = 8;  // power of two, at most slot_count; slot s belongs
                            // to lane s % lane_count
  // How many nodes own a slot, at most all there are.
  uint32_t replicas = kReplicasAll;
  // No session lives longer; contexts forget actors after it (invariant I10).
  absl::Duration absolute_lifetime_max = absl::Hours(24 * 30);
  // The greatest difference between two nodes' wall clocks that is tolerated.
  absl::Duration clock_offset_max = absl::Milliseconds(500);

  // --- this lane
  uint32_t lane = 0;  // in [0, lane_count)
  // This node starts a cluster (it has no seeds and remembers no peers): its
  // slots are ready at once.
  bool bootstrap = false;
  // Where members of its cluster were when it ran before. Until all of them are
  // members again, a cluster in which nobody is ready is not a new one.
  std::vector<membership::Address> former_peers;

  // --- sessions
  absl::Duration idle_default = absl::Minutes(30);
  absl::Duration absolute_lifetime_default = absl::Hours(24);
  size_t session_bytes_max = 256 << 10;  // names and values together
  size_t attributes_max = 1024;          // per session
  size_t name_bytes_max = 256;
  size_t value_bytes_max = 64 << 10;
  size_t user_bytes_max = 256;
  size_t lane_bytes_max = size_t{256} << 20;  // all sessions, overhead included
  // A reply to a pull lists the last access of each; the wire takes 2^18.
  size_t slot_sessions_max = 1 << 17;

  // --- calls
  absl::Duration call_timeout_max = absl::Seconds(30);
  // How long a call waits for what its token names before it says STALE, if its
  // deadline is later.
  absl::Duration catch_up_timeout = absl::Seconds(2);
  // A missing dot is normally on its way; ask for it only after this.
  absl::Duration catch_up_patience = absl::Milliseconds(3);
  size_t waiting_calls_max = 4096;
  // Of what calls carry that wait for their token or a quorum, and of what
  // replies carry that wait for other owners; each.
  size_t waiting_bytes_max = 32 << 20;
  absl::Duration dedupe_window = absl::Seconds(60);
  size_t dedupe_entries_max = 8192;
  size_t watches_max = 1024;

  // --- delta streams
  size_t frame_bytes_max = 64 << 10;
  size_t frame_deltas_max = 512;
  size_t frames_in_flight_max = 4;
  size_t queue_bytes_max =
      8 << 20;  // per peer and lane; beyond it the slots turn dirty
  absl::Duration hello_interval = absl::Seconds(2);  // repeated until answered
  // A live owner whose stream has been broken for so long counts as gone for
  // durability: its datagrams pass, its connections do not, or it refuses us.
  absl::Duration link_grace = absl::Seconds(5);

  // --- slots
  size_t log_bytes_max = 8 << 10;                   // per slot
  size_t parked_bytes_max = 1 << 20;                // per slot
  size_t parked_node_bytes_max = size_t{64} << 20;  // of all lanes together
  absl::Duration parked_patience =
      absl::Milliseconds(200);  // then the dependency is pulled
  absl::Duration parked_max = absl::Minutes(10);

  // --- state transfer
  size_t pulls_in_flight_max = 8;       // of this lane, to all peers
  size_t transfers_in_flight_max = 16;  // snapshots pinned for peers
  size_t state_part_bytes_max = 256 << 10;
  absl::Duration pull_timeout = absl::Seconds(2);
  absl::Duration transfer_idle_max = absl::Seconds(10);
  absl::Duration digest_interval = absl::Seconds(10);
  absl::Duration settle_time =
      absl::Seconds(2);  // slots changed more recently are left out of digests
  // Where not every member owns every slot, others take over what a member
  // owned when it has been dead for so long: a quick restart moves nothing.
  absl::Duration takeover_delay = absl::Seconds(10);
  // A node that knows of others but reaches no ready owner serves what it has
  // after this, and says degraded.
  absl::Duration orphan_grace = absl::Seconds(60);
  // When nobody is ready (a cluster that starts), the owner list must have been
  // the same for this long.
  absl::Duration bootstrap_settle = absl::Seconds(1);

  // How often the owners of a slot that this node does not own any more are
  // asked whether they have all of it, if nothing else gives reason to.
  absl::Duration drop_interval = absl::Seconds(1);

  // --- expiry
  absl::Duration touch_flush_interval = absl::Milliseconds(100);
  // Every slot is looked at once in this time, one by one.
  absl::Duration expiry_pass_interval = absl::Seconds(8);
  absl::Duration view_delay_max =
      absl::Seconds(10);  // how late another node may learn of a change of view

  // Every limit in range and consistent with the others; INVALID_ARGUMENT names
  // the first that is not.
  absl::Status Validate() const;

  // A new actor id is taken this often; an actor may be named in deltas for
  // this long.
  absl::Duration actor_rotation() const { return absolute_lifetime_max / 4; }
  // Actors born longer ago than this are forgotten.
  absl::Duration context_horizon() const {
    return absolute_lifetime_max + actor_rotation() + 4 * clock_offset_max;
  }
  // Parked bytes of this lane: its share, so that no lane has to ask another.
  size_t parked_lane_bytes_max() const {
    return parked_node_bytes_max / lane_count;
  }
  // Idle expiry waits this much longer than the idle timeout (rule D).
  absl::Duration idle_slack() const { return 2 * clock_offset_max; }
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_CONFIG_H_
