#ifndef TESTS_E2E_FAULTS_REPORT_H_
#define TESTS_E2E_FAULTS_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/judge.h"

namespace sessionmesh::e2e {

// What a run was, in figures.
struct Report {
  struct Fault {
    int struck = 0;
    // Of each one the longest time that a client waited which tries other nodes
    // when one gives no answer: the median and the longest of those.
    absl::Duration wait_median;
    absl::Duration wait_max;
  };

  uint64_t seed = 0;
  int nodes = 0;
  int replicas = 0;
  absl::Duration time;
  int sessions = 0;
  // Tries by kind ("get"), then by outcome ("ok", "ok_degraded", "not_found",
  // ..., "unknown").
  std::map<std::string, std::map<std::string, int64_t>> calls;
  std::map<std::string, Fault> faults;
  Verdict verdict;
};

Report MakeReport(const Story& story, Verdict verdict);

// For people, several tables and a line that says it all; as one JSON object.
std::string ReportText(const Report& report);
std::string ReportJson(const Report& report);
// The lines that prove each violation; of each rule at most `each`.
std::string ProofText(const Story& story, const Verdict& verdict, int each);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_REPORT_H_
