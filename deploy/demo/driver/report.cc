#include "deploy/demo/driver/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sessionmesh::driver {
namespace {

enum class Must { kNothing, kBeZero, kNotBeZero, kNotExceed };

struct Row {
  const char* key;    // in JSON
  const char* label;  // for people
  std::uint64_t count;
  Must must = Must::kNothing;
  std::uint64_t limit = 0;  // of kNotExceed
};

// What is wrong with the count; "" when nothing is.
std::string Fault(const Row& row) {
  switch (row.must) {
    case Must::kNothing:
      return "";
    case Must::kBeZero:
      return row.count == 0 ? "" : "must be 0";
    case Must::kNotBeZero:
      return row.count != 0 ? "" : "nothing was tested";
    case Must::kNotExceed:
      return row.count <= row.limit ? "" : absl::StrCat("at most ", row.limit);
  }
  return "";
}

std::vector<Row> Rows(const Report& report) {
  const Traffic& traffic = report.traffic;
  const Findings& findings = report.findings;
  const Must cookies = report.cookies_promise ? Must::kBeZero : Must::kNothing;
  const Must reach = traffic.node_named > 0 ? Must::kNotBeZero : Must::kNothing;
  return {
      // The story.
      {"requests", "requests", traffic.requests, Must::kNotBeZero},
      {"sessions", "sessions", report.sessions, Must::kNotBeZero},
      {"requests_elsewhere",
       "requests that reached another server than the one that wrote last",
       traffic.elsewhere, reach},
      {"caught_up", "reads that had to wait or fetch because of the token",
       traffic.caught_up},
      {"stale_reads", "stale reads", findings.stale_reads, Must::kBeZero},
      {"lost_writes", "acknowledged writes lost", findings.lost_writes,
       Must::kBeZero},
      {"lost_sessions", "sessions lost", findings.lost_sessions, Must::kBeZero},
      {"logged_out_alive", "logged-out sessions seen alive",
       findings.logged_out_alive, Must::kBeZero},
      {"pairs_merged", "concurrent cart updates merged", findings.pairs_merged,
       Must::kNotBeZero},
      {"pairs_lost", "concurrent cart updates lost", findings.pairs_lost,
       Must::kBeZero},
      // What it rests on.
      {"browsers", "browsers at the same time", report.browsers},
      {"requests_overlapping",
       "requests while another of the same browser was in flight",
       traffic.overlapping, Must::kNotBeZero},
      {"reads", "reads checked", findings.reads, Must::kNotBeZero},
      {"writes", "writes acknowledged", findings.acknowledged_writes,
       Must::kNotBeZero},
      {"logouts", "log outs", findings.logouts, Must::kNotBeZero},
      {"old_reads", "tries with the cookies of logged-out sessions",
       findings.old_reads, Must::kNotBeZero},
      {"foreign_items", "things in a cart that nobody put there",
       findings.foreign_items, Must::kBeZero},
      {"retries", "retries (no connection, 502, 503)", traffic.retries},
      {"failed", "requests that failed for good", traffic.failed,
       Must::kBeZero},
      {"cut_off", "log ins cut off before the browser heard its new session id",
       report.cut_off, Must::kNotExceed, report.interrupted},
      {"interrupted", "browsers of which a request got no answer",
       report.interrupted},
      {"writes_given_up",
       "answers that a write seen before has died with its node (410)",
       traffic.writes_given_up},
      {"degraded", "answers that admitted to be degraded", traffic.degraded},
      {"slipped_reads",
       "reads that missed a write whose token the cookies had lost",
       findings.slipped_reads, cookies},
      {"admitted_losses", "reads that missed a write acknowledged as degraded",
       findings.admitted_losses},
      {"tokens_ignored", "token cookies beyond what a request may present",
       traffic.tokens_ignored},
  };
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(std::lround(share * last));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// To the third decimal: nobody reads more of a measured time.
double Rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

std::vector<std::string> Judge(const Report& report) {
  std::vector<std::string> broken;
  for (const Row& row : Rows(report)) {
    const std::string fault = Fault(row);
    if (!fault.empty()) {
      broken.push_back(
          absl::StrCat(row.label, ": ", row.count, " (", fault, ")"));
    }
  }
  return broken;
}

std::string FormatTable(const Report& report) {
  std::string out;
  for (const Row& row : Rows(report)) {
    absl::StrAppendFormat(&out, "  %-68s %8u%s\n", row.label, row.count,
                          Fault(row).empty() ? "" : "  <-- WRONG");
  }
  absl::StrAppendFormat(&out, "  %-68s %8.1f\n",
                        "milliseconds per request, median",
                        Percentile(report.traffic.latencies_ms, 0.5));
  absl::StrAppendFormat(&out, "  %-68s %8.1f\n",
                        "milliseconds per request, 99 of 100",
                        Percentile(report.traffic.latencies_ms, 0.99));
  absl::StrAppendFormat(&out, "  %-68s %8.1f\n", "seconds", report.seconds);
  for (const auto* samples :
       {&report.findings.samples, &report.traffic.samples}) {
    for (const std::string& sample : *samples) {
      absl::StrAppend(&out, "  ! ", sample, "\n");
    }
  }
  return out;
}

std::string FormatJson(const Report& report) {
  nlohmann::ordered_json json;
  for (const Row& row : Rows(report)) json[row.key] = row.count;
  const std::vector<double>& latencies = report.traffic.latencies_ms;
  json["p50_ms"] = Rounded(Percentile(latencies, 0.5));
  json["p99_ms"] = Rounded(Percentile(latencies, 0.99));
  json["seconds"] = Rounded(report.seconds);
  const std::vector<std::string> broken = Judge(report);
  json["ok"] = broken.empty();
  json["broken"] = broken;
  return json.dump() + "\n";
}

}  // namespace sessionmesh::driver
