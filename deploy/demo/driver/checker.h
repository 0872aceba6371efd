#ifndef DEPLOY_DEMO_DRIVER_CHECKER_H_
#define DEPLOY_DEMO_DRIVER_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "deploy/demo/driver/history.h"

namespace sessionmesh::driver {

// What is wrong with a history, as counts, and how much of it was put to the
// test.
struct Findings {
  // Must be zero.

  // Missed a change that was acknowledged before the read was sent.
  std::uint64_t stale_reads = 0;
  // Acknowledged changes that the last look misses.
  std::uint64_t lost_writes = 0;
  // Shown, but never put into this cart.
  std::uint64_t foreign_items = 0;
  // Sessions not found although nobody had ended them.
  std::uint64_t lost_sessions = 0;
  // Sessions found by a request sent after their logout was acknowledged.
  std::uint64_t logged_out_alive = 0;
  // Of two changes in flight together, one is not there in the last look.
  std::uint64_t pairs_lost = 0;

  // Reads that missed a change which no cookie covered any more (coverage.h):
  // the cookies lost its token, or a 410 made them forget it. Must be zero for
  // a site whose cookies promise that (client/cookies.h).
  std::uint64_t slipped_reads = 0;

  // For information: reads that missed a change in the same way, and its
  // acknowledgement had said that too few nodes held it (Change::degraded).
  std::uint64_t admitted_losses = 0;

  // What was tested; a zero among the must-be-zero means nothing without these.
  std::uint64_t reads = 0;
  std::uint64_t acknowledged_writes = 0;
  std::uint64_t pairs_merged = 0;
  std::uint64_t logouts = 0;
  std::uint64_t old_reads = 0;

  // One sentence on each fault, the first few only.
  std::vector<std::string> samples;

  Findings& operator+=(const Findings& other);
};

// Judges one session. Pure.
//
// An item is a register with two values, there and not there. Of a read it is
// certain
//   there      when an acknowledged addition was answered before the read was
//              sent, and every removal that was sent before the read was
//              answered had itself been answered before that addition was sent;
//   not there  the same with the roles changed.
// Everything else, such as a change in flight or without an answer, may be seen
// either way.
Findings Check(const SessionHistory& history);

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_CHECKER_H_
