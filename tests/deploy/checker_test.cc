#include "deploy/demo/driver/checker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sessionmesh::driver {
namespace {

// Histories are told in the order of their moments; Now() is the next one.
class CheckerTest : public ::testing::Test {
 protected:
  CheckerTest() : history_("sid") { history_.begun = Now(); }

  Moment Now() { return ++moment_; }

  // A change that is sent and acknowledged before anything else happens.
  ChangeId Changed(const std::string& item, bool added) {
    const ChangeId id = Sent(item, added);
    Answered(id);
    return id;
  }
  ChangeId Added(const std::string& item) { return Changed(item, true); }
  ChangeId Removed(const std::string& item) { return Changed(item, false); }
  ChangeId Sent(const std::string& item, bool added = true) {
    Change change;
    change.item = item;
    change.added = added;
    change.sent = Now();
    history_.changes.push_back(change);
    return static_cast<ChangeId>(history_.changes.size()) - 1;
  }
  void Answered(ChangeId id) {
    history_.changes[static_cast<std::size_t>(id)].answered = Now();
  }

  Read& Shows(const std::set<std::string>& items) {
    Read read;
    read.sent = Now();
    read.answered = Now();
    read.items = items;
    history_.reads.push_back(read);
    return history_.reads.back();
  }
  void LastShows(const std::set<std::string>& items) {
    Shows(items).last = true;
  }
  void NotFound() { Shows({}).found = false; }
  void LogOut() {
    history_.logout_sent = Now();
    history_.logout_answered = Now();
  }

  SessionHistory history_;
  Moment moment_ = 0;
};

TEST_F(CheckerTest, AFaultlessHistoryHasNoFindings) {
  Added("tea");
  Shows({"tea"});
  Added("soap");
  Removed("tea");
  LastShows({"soap"});
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.stale_reads, 0u);
  EXPECT_EQ(findings.lost_writes, 0u);
  EXPECT_EQ(findings.foreign_items, 0u);
  EXPECT_EQ(findings.lost_sessions, 0u);
  EXPECT_EQ(findings.reads, 2u);
  EXPECT_EQ(findings.acknowledged_writes, 3u);
  EXPECT_TRUE(findings.samples.empty());
}

TEST_F(CheckerTest, AReadThatMissesAnAcknowledgedAdditionIsStale) {
  Added("tea");
  Shows({});
  EXPECT_EQ(Check(history_).stale_reads, 1u);
}

TEST_F(CheckerTest, AReadThatShowsARemovedItemIsStale) {
  Added("tea");
  Removed("tea");
  Shows({"tea"});
  EXPECT_EQ(Check(history_).stale_reads, 1u);
}

TEST_F(CheckerTest, AReadMayMissWhatWasAcknowledgedAfterItWasSent) {
  Read read;
  const ChangeId id = Sent("tea");
  read.sent = Now();
  Answered(id);
  read.answered = Now();
  history_.reads.push_back(read);
  EXPECT_EQ(Check(history_).stale_reads, 0u);
}

TEST_F(CheckerTest, AReadMayShowAChangeInFlight) {
  Sent("tea");
  Shows({"tea"});
  EXPECT_EQ(Check(history_).foreign_items, 0u);
}

TEST_F(CheckerTest, AChangeWithoutAnAnswerMayBeSeenEitherWay) {
  Sent("tea");
  Shows({"tea"});
  LastShows({});
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.stale_reads, 0u);
  EXPECT_EQ(findings.lost_writes, 0u);
}

TEST_F(CheckerTest, ARemovalInFlightExcusesItsItemOnly) {
  Added("tea");
  Added("soap");
  Sent("tea", /*added=*/false);
  Shows({});
  EXPECT_EQ(Check(history_).stale_reads, 1u);
  history_.reads.back().items = {"soap"};
  EXPECT_EQ(Check(history_).stale_reads, 0u);
}

TEST_F(CheckerTest, AnAdditionTriedInVainMayComeAfterTheRemoval) {
  history_.changes[static_cast<std::size_t>(Added("tea"))].tried_in_vain = true;
  Removed("tea");
  Shows({"tea"});
  EXPECT_EQ(Check(history_).stale_reads, 0u);
}

TEST_F(CheckerTest, AReadOfOneItemSaysNothingOfOthers) {
  Added("tea");
  Added("soap");
  Shows({"tea"}).only = "tea";
  EXPECT_EQ(Check(history_).stale_reads, 0u);
  Shows({}).only = "soap";
  EXPECT_EQ(Check(history_).stale_reads, 1u);
}

TEST_F(CheckerTest, AMissWhoseTokenTheCookiesLostIsCountedApart) {
  const ChangeId tea = Added("tea");
  history_.coverage.OnAnswer({}, tea, {{"token", "a", false}});
  history_.coverage.OnAnswer({}, std::nullopt, {{"token", "b", false}});
  Shows({}).presented = history_.coverage.Presented();
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.stale_reads, 0u);
  EXPECT_EQ(findings.slipped_reads, 1u);
}

TEST_F(CheckerTest, AMissOfAPresentedTokenIsStale) {
  const ChangeId tea = Added("tea");
  history_.coverage.OnAnswer({}, tea, {{"token", "a", false}});
  Shows({}).presented = history_.coverage.Presented();
  EXPECT_EQ(Check(history_).stale_reads, 1u);
}

TEST_F(CheckerTest, AnAcknowledgedWriteMissingFromTheLastLookIsLost) {
  Added("tea");
  Added("soap");
  LastShows({"soap"});
  EXPECT_EQ(Check(history_).lost_writes, 1u);
}

TEST_F(CheckerTest, ALostWriteIsLostAlsoWhenTheCookiesForgotIt) {
  const ChangeId tea = Added("tea");
  history_.coverage.OnAnswer({}, tea, {{"token", "a", false}});
  history_.coverage.OnAnswer({}, std::nullopt, {{"token", "b", false}});
  LastShows({});
  EXPECT_EQ(Check(history_).lost_writes, 1u);
}

TEST_F(CheckerTest, AWriteThatA410MadeTheCookiesForgetIsLost) {
  const ChangeId tea = Added("tea");
  history_.coverage.OnAnswer({}, tea, {{"token", "a", false}});
  history_.coverage.OnAnswer({}, std::nullopt, {{"token", "", true}});
  Shows({}).presented = history_.coverage.Presented();
  LastShows({});
  LogOut();
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.lost_writes, 1u);
  EXPECT_EQ(findings.slipped_reads, 2u);
}

TEST_F(CheckerTest, AForgottenWriteThatTooFewNodesHeldIsAnAdmittedLoss) {
  const ChangeId tea = Added("tea");
  history_.changes[static_cast<std::size_t>(tea)].degraded = true;
  history_.coverage.OnAnswer({}, tea, {{"token", "a", false}});
  Shows({}).presented = history_.coverage.Presented();
  EXPECT_EQ(Check(history_).stale_reads, 1u) << "its token was presented";
  history_.reads.clear();
  history_.coverage.OnAnswer({}, std::nullopt, {{"token", "", true}});
  LastShows({});
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.lost_writes, 0u);
  EXPECT_EQ(findings.slipped_reads, 0u);
  EXPECT_EQ(findings.admitted_losses, 1u);
}

TEST_F(CheckerTest, AnItemNobodyPutThereIsForeign) {
  Shows({"somebody-elses-lamp"});
  EXPECT_EQ(Check(history_).foreign_items, 1u);
}

TEST_F(CheckerTest, ASessionNotFoundIsLostAndCountedOnce) {
  NotFound();
  NotFound();
  EXPECT_EQ(Check(history_).lost_sessions, 1u);
}

TEST_F(CheckerTest, ASessionIsNotLostBeforeItsCreationIsAcknowledged) {
  history_.begun = kNever;
  NotFound();
  EXPECT_EQ(Check(history_).lost_sessions, 0u);
}

TEST_F(CheckerTest, ACutOffLogInEndsTheJudgement) {
  history_.cut_off = Now();
  NotFound();
  EXPECT_EQ(Check(history_).lost_sessions, 0u);
}

TEST_F(CheckerTest, OldCookiesThatFindNothingAreRight) {
  LogOut();
  history_.old_reads.push_back({Now(), false});
  const Findings findings = Check(history_);
  EXPECT_EQ(findings.logged_out_alive, 0u);
  EXPECT_EQ(findings.logouts, 1u);
  EXPECT_EQ(findings.old_reads, 1u);
}

TEST_F(CheckerTest, OldCookiesThatFindASessionAreCounted) {
  LogOut();
  history_.old_reads.push_back({Now(), false});
  history_.old_reads.push_back({Now(), true});
  EXPECT_EQ(Check(history_).logged_out_alive, 1u);
}

TEST_F(CheckerTest, OldCookiesTriedBeforeTheLogoutWasAcknowledgedProveNothing) {
  history_.logout_sent = Now();
  history_.old_reads.push_back({Now(), true});
  history_.logout_answered = Now();
  EXPECT_EQ(Check(history_).logged_out_alive, 0u);
  EXPECT_EQ(Check(history_).old_reads, 0u);
}

class PairTest : public CheckerTest {
 protected:
  PairTest() {
    const ChangeId tea = Sent("tea");
    const ChangeId soap = Sent("soap");
    Answered(soap);
    Answered(tea);
    history_.pairs.emplace_back(tea, soap);
  }
};

TEST_F(PairTest, BothThereIsAMerge) {
  LastShows({"tea", "soap"});
  EXPECT_EQ(Check(history_).pairs_merged, 1u);
  EXPECT_EQ(Check(history_).pairs_lost, 0u);
}

TEST_F(PairTest, OneMissingIsALoss) {
  LastShows({"tea"});
  EXPECT_EQ(Check(history_).pairs_merged, 0u);
  EXPECT_EQ(Check(history_).pairs_lost, 1u);
}

TEST_F(PairTest, OneRemovedSinceProvesNothing) {
  Removed("tea");
  LastShows({"soap"});
  EXPECT_EQ(Check(history_).pairs_merged, 0u);
  EXPECT_EQ(Check(history_).pairs_lost, 0u);
}

TEST_F(PairTest, NeverLookedAtProvesNothing) {
  EXPECT_EQ(Check(history_).pairs_merged, 0u);
  EXPECT_EQ(Check(history_).pairs_lost, 0u);
}

TEST_F(PairTest, ReadsOfSingleItemsTellTogether) {
  Shows({"tea"}).only = "tea";
  Shows({}).only = "soap";
  EXPECT_EQ(Check(history_).pairs_lost, 1u);
}

TEST(FindingsTest, AddUp) {
  Findings sum;
  Findings one;
  one.stale_reads = 2;
  one.reads = 3;
  sum += one;
  sum += one;
  EXPECT_EQ(sum.stale_reads, 4u);
  EXPECT_EQ(sum.reads, 6u);
}

}  // namespace
}  // namespace sessionmesh::driver
