#include "tests/sim/totals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::sim {

void Totals::Add(uint64_t seed, const RunResult& result) {
  ++seeds;
  virtual_time += result.virtual_time;
  hash += replication::Mix64(result.trace_hash ^ replication::Mix64(seed));
  ++counts[absl::StrCat("schedule_", result.plan.schedule.name)];
  for (const auto& [name, count] : result.counts) counts[name] += count;
  auto& slowest = counts["max_settle_ms"];
  const auto settle = result.counts.find("settle_ms");
  if (settle != result.counts.end())
    slowest = std::max(slowest, settle->second);
  counts.erase("settle_ms");
  if (result.failure.empty()) return;
  failed_seed = seed;
  failure = absl::StrCat("(", result.plan.schedule.name, ", ",
                         result.plan.nodes, " nodes) ", result.failure);
}

void Totals::Merge(const Totals& other) {
  seeds += other.seeds;
  virtual_time += other.virtual_time;
  hash += other.hash;
  const uint64_t slowest = counts["max_settle_ms"];
  for (const auto& [name, count] : other.counts) counts[name] += count;
  const auto settle = other.counts.find("max_settle_ms");
  counts["max_settle_ms"] =
      std::max(slowest, settle == other.counts.end() ? 0 : settle->second);
  if (!other.failed_seed || (failed_seed && *failed_seed < *other.failed_seed))
    return;
  failed_seed = other.failed_seed;
  failure = other.failure;
}

std::string Totals::Line() const {
  std::string line = absl::StrFormat("%d seeds, %.1f virtual minutes:", seeds,
                                     absl::ToDoubleMinutes(virtual_time));
  const char* separator = " ";
  for (const auto& [name, count] : counts) {
    if (count == 0) continue;
    absl::StrAppend(&line, separator, name, "=", count);
    separator = " ";
  }
  return line;
}

std::string Totals::Serialize() const {
  std::string text =
      absl::StrCat(seeds, "\n", absl::ToInt64Nanoseconds(virtual_time), "\n",
                   hash, "\n", failed_seed ? absl::StrCat(*failed_seed) : "",
                   "\n", absl::StrReplaceAll(failure, {{"\n", " "}}), "\n");
  for (const auto& [name, count] : counts)
    absl::StrAppend(&text, name, " ", count, "\n");
  return text;
}

Totals Totals::Parse(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  CHECK_GE(lines.size(), 5u);
  const auto number = [](const std::string& digits) {
    uint64_t value = 0;
    CHECK(absl::SimpleAtoi(digits, &value)) << digits;
    return value;
  };
  Totals totals;
  totals.seeds = number(lines[0]);
  totals.virtual_time =
      absl::Nanoseconds(static_cast<int64_t>(number(lines[1])));
  totals.hash = number(lines[2]);
  if (!lines[3].empty()) totals.failed_seed = number(lines[3]);
  totals.failure = lines[4];
  for (size_t i = 5; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> entry =
        absl::StrSplit(lines[i], ' ');
    if (!lines[i].empty()) totals.counts[entry.first] = number(entry.second);
  }
  return totals;
}

}  // namespace sessionmesh::sim
