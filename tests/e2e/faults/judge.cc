#include "tests/e2e/faults/judge.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/e2e/faults/session_judge.h"
#include "tests/e2e/faults/timeline.h"

namespace sessionmesh::e2e {
namespace {

constexpr absl::Duration kHealMax = absl::Seconds(10);

// Failures in a row of one thing after the faults were over.
struct Streak {
  absl::Time begin;
  std::vector<const Record*> records;
};

// A node, a session on a node, or a call must not fail for too long.
class Patience {
 public:
  Patience(absl::Time healed, Verdict* verdict)
      : healed_(healed), verdict_(verdict) {}

  void Take(const std::string& what, const Record& record) {
    if (record.final()) {
      streaks_.erase(what);
      verdict_->of(Rule::kNotHealed).checked++;
      return;
    }
    Streak& streak = streaks_[what];
    if (streak.records.empty()) {
      streak.begin = std::max(record.invoked, healed_);
    }
    const bool was_too_long = TooLong(streak);
    streak.records.push_back(&record);
    if (was_too_long || !TooLong(streak)) return;
    verdict_->Add(
        Rule::kNotHealed,
        absl::StrCat(what, " fails for ",
                     absl::FormatDuration(record.answered - streak.begin)),
        {streak.records.front(), &record});
  }

 private:
  static bool TooLong(const Streak& streak) {
    return !streak.records.empty() &&
           streak.records.back()->answered - streak.begin > kHealMax;
  }

  const absl::Time healed_;
  Verdict* const verdict_;
  std::map<std::string, Streak> streaks_;
};

void JudgeHealing(const Story& story, Verdict* verdict) {
  if (!story.settled) {
    verdict->Add(Rule::kNotHealed, "the cluster did not become whole", {});
  }
  Patience patience(story.healed, verdict);
  for (const Record& record : story.records) {
    if (record.answered <= story.healed) continue;
    patience.Take(absl::StrCat("node ", record.asked), record);
    patience.Take(
        absl::StrCat("session ", record.session, " on node ", record.asked),
        record);
    patience.Take(absl::StrCat("call ", record.call), record);
  }
}

}  // namespace

const char* Name(Rule rule) {
  switch (rule) {
    case Rule::kReadYourWrites:
      return "read_your_writes";
    case Rule::kMonotonicReads:
      return "monotonic_reads";
    case Rule::kMonotonicWrites:
      return "monotonic_writes";
    case Rule::kWritesFollowReads:
      return "writes_follow_reads";
    case Rule::kLostWrite:
      return "lost_write";
    case Rule::kDeletedShown:
      return "deleted_shown";
    case Rule::kRotatedIdShown:
      return "rotated_id_shown";
    case Rule::kWrongNotFound:
      return "wrong_not_found";
    case Rule::kWrongDataLoss:
      return "wrong_data_loss";
    case Rule::kEarlyExpiry:
      return "early_expiry";
    case Rule::kInventedValue:
      return "invented_value";
    case Rule::kDishonestAcknowledgement:
      return "dishonest_acknowledgement";
    case Rule::kEndedByItself:
      return "ended_by_itself";
    case Rule::kDiverged:
      return "diverged";
    case Rule::kNotHealed:
      return "not_healed";
  }
  return "?";
}

void Verdict::Add(Rule rule, std::string what,
                  std::vector<const Record*> records) {
  ++of(rule).violations;
  std::vector<int64_t> numbers;
  for (const Record* record : records) numbers.push_back(record->number);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  violations.push_back({rule, std::move(what), std::move(numbers)});
}

Verdict Judge(const Story& story) {
  Verdict verdict;
  const Timeline timeline(&story);
  std::map<int, std::vector<const Record*>> by_session;
  for (const Record& record : story.records) {
    by_session[record.session].push_back(&record);
  }
  for (const auto& [session, records] : by_session) {
    SessionJudge(records, &timeline, &verdict).Run();
  }
  for (const End& end : story.ends) {
    verdict.of(Rule::kEndedByItself).checked++;
    if (end.asked) continue;
    verdict.Add(Rule::kEndedByItself,
                absl::StrCat("node ", end.node, " at ",
                             absl::FormatDuration(end.at - story.begun)),
                {});
  }
  JudgeHealing(story, &verdict);
  return verdict;
}

}  // namespace sessionmesh::e2e
