#ifndef TESTS_SIM_RUN_H_
#define TESTS_SIM_RUN_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/sim/world.h"

namespace sessionmesh::sim {

struct RunOptions {
  uint64_t seed = 1;
  std::string schedule;   // empty: by the seed
  size_t nodes = 0;       // 0: by the seed
  uint32_t replicas = 0;  // 0: by the schedule
  absl::Duration length;  // of the part with faults; zero: by the seed
  std::string mutant;     // empty: none
  bool trace = false;     // print the conversation
};

struct RunResult {
  std::string failure;  // empty: every check held
  std::string checker;  // which one did not
  uint64_t trace_hash = 0;
  absl::Duration virtual_time;
  Plan plan;
  Counts counts;
};

// One life of one cluster: it starts, is used and hurt, is left to heal, must
// become one again within a bound, is audited, and ends. Equal options, equal
// result, on every machine and compiler.
RunResult RunSeed(const RunOptions& options);

// The command that does it again.
std::string ReplayCommand(const RunOptions& options);

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_RUN_H_
