#ifndef TESTS_SIM_TOTALS_H_
#define TESTS_SIM_TOTALS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "tests/sim/run.h"

namespace sessionmesh::sim {

// Totals adds up the runs of many seeds: counts, and one hash over all traces
// that does not depend on the order in which they are added. When runs fail,
// the lowest seed is kept.
struct Totals {
  uint64_t seeds = 0;
  absl::Duration virtual_time;
  uint64_t hash = 0;
  Counts counts;
  std::optional<uint64_t> failed_seed;
  std::string failure;

  void Add(uint64_t seed, const RunResult& result);
  void Merge(const Totals& other);

  // "500 seeds, 13.2 virtual hours: crash 512, ..."
  std::string Line() const;

  // Between the processes of one machine. REQUIRES (Parse): a text that
  // Serialize made.
  std::string Serialize() const;
  static Totals Parse(const std::string& text);
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_TOTALS_H_
