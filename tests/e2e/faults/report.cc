#include "tests/e2e/faults/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sessionmesh::e2e {
namespace {

using Json = nlohmann::ordered_json;

// A call that began this long before a fault may meet it.
constexpr absl::Duration kBefore = absl::Seconds(3);

std::string OutcomeOf(const Record& record) {
  if (record.ok()) return record.degraded ? "ok_degraded" : "ok";
  if (record.outcome == Record::Outcome::kUnknown) return "in_doubt";
  const std::string& why = record.reason.empty() ? record.code : record.reason;
  return absl::AsciiStrToLower(why);
}

// Of each call when it began and how long its client waited for an answer, or
// tried in vain.
std::vector<std::pair<absl::Time, absl::Duration>> Waits(const Story& story) {
  std::map<int64_t, std::pair<absl::Time, absl::Duration>> calls;
  for (const Record& record : story.records) {
    if (record.audit) continue;
    auto& [begin, wait] =
        calls.try_emplace(record.call, record.invoked, absl::ZeroDuration())
            .first->second;
    wait = record.answered - begin;
  }
  std::vector<std::pair<absl::Time, absl::Duration>> waits;
  for (const auto& [call, wait] : calls) waits.push_back(wait);
  std::sort(waits.begin(), waits.end());
  return waits;
}

absl::Duration Median(std::vector<absl::Duration> durations) {
  std::sort(durations.begin(), durations.end());
  return durations[durations.size() / 2];
}

double Seconds(absl::Duration duration) {
  return absl::ToDoubleSeconds(duration);
}

std::string Sentence(const Report& report) {
  int faults = 0;
  for (const auto& [kind, fault] : report.faults) faults += fault.struck;
  int64_t tries = 0;
  for (const auto& [kind, outcomes] : report.calls) {
    for (const auto& [outcome, count] : outcomes) tries += count;
  }
  const size_t broken = report.verdict.violations.size();
  return absl::StrCat(broken == 0 ? "PASSED" : "FAILED", ": ", broken,
                      " broken promises in ", tries, " calls on ",
                      report.sessions, " sessions, ", faults, " faults, ",
                      report.nodes, " nodes, ", report.replicas,
                      " replicas, seed ", report.seed);
}

}  // namespace

Report MakeReport(const Story& story, Verdict verdict) {
  Report report;
  report.replicas = story.replicas;
  report.verdict = std::move(verdict);
  std::set<int> sessions;
  for (const Record& record : story.records) {
    report.calls[std::string(Name(record.kind))][OutcomeOf(record)]++;
    if (record.kind == Record::Kind::kCreate && record.ok()) {
      sessions.insert(record.session);
    }
    report.time = std::max(report.time, record.answered - story.begun);
  }
  report.sessions = static_cast<int>(sessions.size());
  const auto waits = Waits(story);
  std::map<std::string, std::vector<absl::Duration>> longest;
  for (const Trouble& trouble : story.troubles) {
    absl::Duration most;
    auto wait = std::lower_bound(
        waits.begin(), waits.end(),
        std::make_pair(trouble.begin - kBefore, absl::ZeroDuration()));
    for (; wait != waits.end() && wait->first <= trouble.end; ++wait) {
      if (wait->first + wait->second < trouble.begin) continue;
      most = std::max(most, wait->second);
    }
    longest[trouble.kind].push_back(most);
  }
  for (const auto& [kind, durations] : longest) {
    report.faults[kind] = {
        .struck = static_cast<int>(durations.size()),
        .wait_median = Median(durations),
        .wait_max = *std::max_element(durations.begin(), durations.end())};
  }
  return report;
}

std::string ReportText(const Report& report) {
  std::string text;
  absl::StrAppendFormat(&text, "%-10s %-22s %9s\n", "call", "outcome", "tries");
  for (const auto& [kind, outcomes] : report.calls) {
    for (const auto& [outcome, count] : outcomes) {
      absl::StrAppendFormat(&text, "%-10s %-22s %9d\n", kind, outcome, count);
    }
  }
  absl::StrAppendFormat(&text, "\n%-15s %6s   %s\n", "fault", "struck",
                        "longest wait of a client that tries other nodes: "
                        "median, greatest (s)");
  for (const auto& [kind, fault] : report.faults) {
    absl::StrAppendFormat(&text, "%-15s %6d %8.2f %8.2f\n", kind, fault.struck,
                          Seconds(fault.wait_median), Seconds(fault.wait_max));
  }
  absl::StrAppendFormat(&text, "\n%-26s %9s %8s %7s\n", "promise", "checked",
                        "excused", "broken");
  for (int i = 0; i < kRules; ++i) {
    const Verdict::Count& count = report.verdict.counts[i];
    absl::StrAppendFormat(&text, "%-26s %9d %8d %7d\n",
                          Name(static_cast<Rule>(i)), count.checked,
                          count.excused, count.violations);
  }
  absl::StrAppend(&text, "\n", Sentence(report), "\n");
  return text;
}

std::string ReportJson(const Report& report) {
  Json json = {{"verdict", Sentence(report)}, {"passed", report.verdict.good()},
               {"seed", report.seed},         {"nodes", report.nodes},
               {"replicas", report.replicas}, {"seconds", Seconds(report.time)},
               {"sessions", report.sessions}, {"calls", report.calls}};
  Json& faults = json["faults"] = Json::object();
  for (const auto& [kind, fault] : report.faults) {
    faults[kind] = {{"struck", fault.struck},
                    {"wait_median_seconds", Seconds(fault.wait_median)},
                    {"wait_max_seconds", Seconds(fault.wait_max)}};
  }
  Json& promises = json["promises"] = Json::object();
  for (int i = 0; i < kRules; ++i) {
    const Verdict::Count& count = report.verdict.counts[i];
    promises[Name(static_cast<Rule>(i))] = {{"checked", count.checked},
                                            {"excused", count.excused},
                                            {"broken", count.violations}};
  }
  Json& broken = json["broken"] = Json::array();
  for (const Violation& violation : report.verdict.violations) {
    broken.push_back({{"promise", Name(violation.rule)},
                      {"what", violation.what},
                      {"records", violation.records}});
  }
  return json.dump(1) + "\n";
}

std::string ProofText(const Story& story, const Verdict& verdict, int each) {
  std::string text;
  int shown[kRules] = {};
  for (const Violation& violation : verdict.violations) {
    if (++shown[static_cast<int>(violation.rule)] > each) continue;
    absl::StrAppend(&text, "\nBROKEN ", Name(violation.rule), ": ",
                    violation.what, "\n");
    for (const int64_t number : violation.records) {
      absl::StrAppend(
          &text, "  ",
          ToJson(story.records[static_cast<size_t>(number - 1)], story.begun),
          "\n");
    }
  }
  return text;
}

}  // namespace sessionmesh::e2e
