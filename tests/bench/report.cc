#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "glog/logging.h"

namespace sessionmesh::bench {

std::string Table(const std::vector<Row>& rows) {
  std::string table = absl::StrFormat("%-14s %-18s %14s  %s\n", "case",
                                      "metric", "value", "unit");
  for (const Row& row : rows) {
    const int decimals = row.value < 100 ? 2 : 0;
    absl::StrAppendFormat(&table, "%-14s %-18s %14.*f  %s\n", row.name,
                          row.metric, decimals, row.value, row.unit);
  }
  return table;
}

std::string Json(const std::vector<Row>& rows) {
  nlohmann::json array = nlohmann::json::array();
  for (const Row& row : rows) {
    array.push_back({{"case", row.name},
                     {"metric", row.metric},
                     {"value", row.value},
                     {"unit", row.unit}});
  }
  return array.dump(1) + "\n";
}

absl::StatusOr<std::vector<Row>> ParseJson(absl::string_view text) {
  const absl::Status refused = absl::InvalidArgumentError("no array of rows");
  const auto array = nlohmann::json::parse(text.begin(), text.end(), nullptr,
                                           /*allow_exceptions=*/false);
  if (!array.is_array()) return refused;
  std::vector<Row> rows;
  for (const auto& row : array) {
    if (!row.is_object() || row.size() != 4 || !row.contains("case") ||
        !row["case"].is_string() || !row.contains("metric") ||
        !row["metric"].is_string() || !row.contains("value") ||
        !row["value"].is_number() || !row.contains("unit") ||
        !row["unit"].is_string()) {
      return refused;
    }
    rows.push_back({row["case"], row["metric"], row["value"], row["unit"]});
  }
  return rows;
}

double Percentile(std::vector<double>* samples, double fraction) {
  CHECK(!samples->empty());
  CHECK(fraction > 0 && fraction <= 1);
  std::sort(samples->begin(), samples->end());
  const double rank =
      std::ceil(fraction * static_cast<double>(samples->size()));
  return (*samples)[static_cast<size_t>(rank) - 1];
}

}  // namespace sessionmesh::bench
