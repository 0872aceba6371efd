#include "tests/e2e/scenario.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/e2e/cluster.h"

namespace sessionmesh::e2e {
namespace {

Tally CountOne(const Outcome& outcome) {
  Tally tally;
  Count(outcome, &tally);
  EXPECT_EQ(tally.tries, 1);
  return tally;
}

TEST(ScenarioCountTest, WhatBothNodesShowIsNotLost) {
  const Shown both = {{{"left", "1"}, {"right", "1"}}};
  const Tally tally = CountOne({.acknowledged = {{"left", "1"}, {"right", "1"}},
                                .first = both,
                                .second = both});
  EXPECT_EQ(tally.lost + tally.diverged + tally.resurrected, 0);
}

TEST(ScenarioCountTest, WhatANodeDoesNotShowIsLost) {
  const Shown both = {{{"left", "1"}, {"right", "1"}}};
  const Shown one = {{{"left", "1"}}};
  const Outcome outcome{.acknowledged = {{"left", "1"}, {"right", "1"}},
                        .first = both,
                        .second = one};
  EXPECT_EQ(CountOne(outcome).lost, 1);
  EXPECT_EQ(CountOne(outcome).diverged, 1);
  const Outcome gone{.acknowledged = {{"left", "1"}}};
  EXPECT_EQ(CountOne(gone).lost, 1);
  EXPECT_EQ(CountOne(gone).diverged, 0);
}

TEST(ScenarioCountTest, OfOneAttributeEitherValueMayWinButTheSameEverywhere) {
  const Shown first = {{{"cart", "first"}}};
  const Shown second = {{{"cart", "second"}}};
  const Shown old = {{{"cart", "old"}}};
  Outcome outcome{.acknowledged = {{"cart", "first"}, {"cart", "second"}},
                  .first = second,
                  .second = second};
  EXPECT_EQ(CountOne(outcome).lost, 0);
  EXPECT_EQ(CountOne(outcome).diverged, 0);
  outcome.second = first;
  EXPECT_EQ(CountOne(outcome).lost, 0);
  EXPECT_EQ(CountOne(outcome).diverged, 1);
  outcome.first = outcome.second = old;
  EXPECT_EQ(CountOne(outcome).lost, 1);
}

TEST(ScenarioCountTest, WhoLoggedOutStaysLoggedOut) {
  const Shown page = {{{"page", "7"}}};
  Outcome outcome{.acknowledged = {{"page", "7"}}, .logged_out = true};
  EXPECT_EQ(CountOne(outcome).lost, 0);
  EXPECT_EQ(CountOne(outcome).resurrected, 0);
  outcome.second = page;
  EXPECT_EQ(CountOne(outcome).resurrected, 1);
}

TEST(ScenarioTest, NothingIsLostOnRealNodes) {
  Cluster cluster;
  ASSERT_TRUE(cluster.StartAll({"a", "b"}));
  const auto a = *client::Client::Open(
      {.addresses = {cluster.daemon("a").Field("client")}});
  const auto b = *client::Client::Open(
      {.addresses = {cluster.daemon("b").Field("client")}});
  for (const std::string& name : ScenarioNames()) {
    const auto tally = RunScenario(name, 25, a.get(), b.get());
    ASSERT_TRUE(tally.ok()) << name << ": " << tally.status();
    EXPECT_EQ(tally->tries, 25) << name;
    EXPECT_EQ(tally->lost, 0) << name;
    EXPECT_EQ(tally->diverged, 0) << name;
    EXPECT_EQ(tally->resurrected, 0) << name;
  }
  EXPECT_FALSE(RunScenario("nonsense", 1, a.get(), b.get()).ok());
}

}  // namespace
}  // namespace sessionmesh::e2e
