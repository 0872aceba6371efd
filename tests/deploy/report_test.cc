#include "deploy/demo/driver/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sessionmesh::driver {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Report Faultless() {
  Report report;
  report.browsers = 200;
  report.sessions = 210;
  report.traffic.requests = 1000;
  report.traffic.overlapping = 100;
  report.traffic.elsewhere = 600;
  report.traffic.node_named = 1000;
  report.traffic.latencies_ms = {1.0, 2.0, 3.0};
  report.findings.reads = 500;
  report.findings.acknowledged_writes = 300;
  report.findings.pairs_merged = 50;
  report.findings.logouts = 10;
  report.findings.old_reads = 30;
  return report;
}

TEST(JudgeTest, AFaultlessRunIsNotBroken) {
  EXPECT_THAT(Judge(Faultless()), IsEmpty());
}

TEST(JudgeTest, EveryMustBeZeroIsJudged) {
  for (std::uint64_t Findings::*count :
       {&Findings::stale_reads, &Findings::lost_writes,
        &Findings::foreign_items, &Findings::lost_sessions,
        &Findings::logged_out_alive, &Findings::pairs_lost,
        &Findings::slipped_reads}) {
    Report report = Faultless();
    report.findings.*count = 3;
    EXPECT_THAT(Judge(report), ElementsAre(HasSubstr(": 3 (must be 0)")));
  }
  Report report = Faultless();
  report.traffic.failed = 1;
  EXPECT_THAT(Judge(report),
              ElementsAre("requests that failed for good: 1 (must be 0)"));
}

TEST(JudgeTest, CookiesThatPromiseNothingMayLoseAToken) {
  Report report = Faultless();
  report.findings.slipped_reads = 3;
  report.cookies_promise = false;
  EXPECT_THAT(Judge(report), IsEmpty());
}

TEST(JudgeTest, NoMoreSessionsAreCutOffThanRequestsWereLeftUnanswered) {
  Report report = Faultless();
  report.cut_off = 2;
  report.interrupted = 2;
  EXPECT_THAT(Judge(report), IsEmpty());
  report.cut_off = 3;
  EXPECT_THAT(Judge(report), ElementsAre(HasSubstr(": 3 (at most 2)")));
}

TEST(JudgeTest, AVacuousCheckIsBroken) {
  for (std::uint64_t Findings::*count :
       {&Findings::reads, &Findings::acknowledged_writes,
        &Findings::pairs_merged, &Findings::logouts, &Findings::old_reads}) {
    Report report = Faultless();
    report.findings.*count = 0;
    EXPECT_THAT(Judge(report), ElementsAre(HasSubstr("nothing was tested")));
  }
  Report report = Faultless();
  report.traffic.elsewhere = 0;
  EXPECT_THAT(Judge(report), ElementsAre(HasSubstr("another server")));
}

TEST(JudgeTest, WithoutNodeNamesTheOtherServerIsNotAsked) {
  Report report = Faultless();
  report.traffic.elsewhere = 0;
  report.traffic.node_named = 0;
  EXPECT_THAT(Judge(report), IsEmpty());
}

TEST(FormatTest, TheTableMarksWhatIsWrong) {
  EXPECT_THAT(FormatTable(Faultless()),
              AllOf(HasSubstr("stale reads"), Not(HasSubstr("WRONG"))));
  Report report = Faultless();
  report.findings.stale_reads = 1;
  EXPECT_THAT(FormatTable(report), HasSubstr("1  <-- WRONG"));
}

TEST(FormatTest, JsonHasStableKeysAndTheVerdict) {
  const auto good = nlohmann::json::parse(FormatJson(Faultless()));
  EXPECT_EQ(good["requests"], 1000);
  EXPECT_EQ(good["stale_reads"], 0);
  EXPECT_EQ(good["p50_ms"], 2.0);
  EXPECT_EQ(good["ok"], true);
  EXPECT_TRUE(good["broken"].empty());

  Report report = Faultless();
  report.findings.lost_sessions = 1;
  const auto bad = nlohmann::json::parse(FormatJson(report));
  EXPECT_EQ(bad["ok"], false);
  EXPECT_EQ(bad["broken"],
            nlohmann::json::array({"sessions lost: 1 (must be 0)"}));
}

}  // namespace
}  // namespace sessionmesh::driver
