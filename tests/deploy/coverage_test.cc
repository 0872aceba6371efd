#include "deploy/demo/driver/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionmesh::driver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CookieJar::Change Set(std::string name, std::string value) {
  return {std::move(name), std::move(value), false};
}
CookieJar::Change Remove(std::string name) {
  return {std::move(name), "", true};
}

TEST(CoverageTest, AnAcknowledgedChangeIsCoveredByTheCookieOfItsAnswer) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("t1", "a")});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), IsEmpty());
}

TEST(CoverageTest, ATokenStandsForThoseThatItsRequestPresented) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("t1", "a")});
  coverage.OnAnswer(coverage.Presented(), 1, {Set("t2", "b"), Remove("t1")});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), IsEmpty());
}

TEST(CoverageTest, AnAnswerInFlightThatOverwritesACookieLetsTheChangeSlip) {
  Coverage coverage("sid");
  const auto presented_by_both = coverage.Presented();
  coverage.OnAnswer(presented_by_both, 0, {Set("token", "a")});
  coverage.OnAnswer(presented_by_both, 1, {Set("token", "b")});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), ElementsAre(0));
}

TEST(CoverageTest, ACookiePerTokenKeepsBothAnswersInFlight) {
  Coverage coverage("sid");
  const auto presented_by_both = coverage.Presented();
  coverage.OnAnswer(presented_by_both, 0, {Set("t1", "a")});
  coverage.OnAnswer(presented_by_both, 1, {Set("t2", "b")});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), IsEmpty());
}

TEST(CoverageTest, AChangeSlipsOnlyForRequestsThatDidNotPresentItsToken) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("token", "a")});
  const auto before = coverage.Presented();
  coverage.OnAnswer({}, 1, {Set("token", "b")});
  EXPECT_THAT(coverage.Slipped(before), ElementsAre(1));
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), ElementsAre(0));
}

TEST(CoverageTest, EqualCookiesOfTwoAnswersStandForWhatEitherKnew) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("t1", "a")});
  const auto first_token = coverage.Presented();
  coverage.OnAnswer({}, 1, {Set("t1", "a")});
  EXPECT_THAT(coverage.Slipped(first_token), IsEmpty());
}

TEST(CoverageTest, ATokenThatAnAnswerLeavesStandsForThoseThatItRemoves) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("t1", "a")});
  coverage.OnAnswer({}, 1, {Set("t2", "b")});
  coverage.OnAnswer(coverage.Presented(), std::nullopt, {Remove("t1")});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), IsEmpty());
}

TEST(CoverageTest, TheSessionIdIsNoToken) {
  Coverage coverage("sid");
  coverage.OnAnswer({}, 0, {Set("sid", "a")});
  EXPECT_THAT(coverage.Presented(), IsEmpty());
}

TEST(CoverageTest, WithoutTokenCookiesNothingSlips) {
  Coverage coverage("JSESSIONID");
  coverage.OnAnswer({}, 0, {});
  EXPECT_THAT(coverage.Slipped(coverage.Presented()), IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::driver
