#ifndef TESTS_BENCH_REPORT_H_
#define TESTS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::bench {

// One measured number.
struct Row {
  std::string name;    // the case: "get_local_1"
  std::string metric;  // "p50_us"
  double value = 0;
  std::string unit;  // "us"
};

// All rows as an aligned table for people.
std::string Table(const std::vector<Row>& rows);

// All rows as one JSON array of {case, metric, value, unit}.
std::string Json(const std::vector<Row>& rows);

// What Json wrote; InvalidArgument for anything else.
absl::StatusOr<std::vector<Row>> ParseJson(absl::string_view text);

// The value below which `fraction` of the samples lie (nearest rank). Sorts.
// REQUIRES: samples not empty, 0 < fraction <= 1.
double Percentile(std::vector<double>* samples, double fraction);

}  // namespace sessionmesh::bench

#endif  // TESTS_BENCH_REPORT_H_
