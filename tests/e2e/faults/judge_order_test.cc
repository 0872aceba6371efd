#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "tests/e2e/faults/judge.h"
#include "tests/e2e/faults/tale.h"

// What clients see of their own and of other writes.

namespace sessionmesh::e2e {
namespace {

using Level = Record::Level;
using Outcome = Record::Outcome;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(JudgeOrderTest, AnOwnWriteMustBeRead) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(1, {2}, 3, {Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("read_your_writes"));
}

TEST(JudgeOrderTest, AnOwnWriteMayBeMissedWithoutItsToken) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(1, {1}, 1, {Own(1)});
  tale.Read(1, {}, 0, {});
  Record& local = tale.Read(1, {2}, 1, {Own(1)});
  local.level = Level::kLocal;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, AnOwnWriteMustBeThereAtAll) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Read(1, {1}, 2, {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("read_your_writes"));
}

TEST(JudgeOrderTest, AWriteThatFailedNeedNotBeRead) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  Record& failed = tale.Write(Own(2), {1}, -1);
  failed.outcome = Outcome::kUnknown;
  failed.code = "UNAVAILABLE";
  tale.Read(1, {1}, 2, {Own(1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, ATryInDoubtMayComeLateAndWin) {
  Tale tale;
  Record& first = tale.Write(Own(1), {0}, -1);
  first.outcome = Outcome::kUnknown;
  first.code = "DEADLINE_EXCEEDED";
  const int64_t call = first.call;
  Record& again = tale.Write(Own(1), {0}, 1);
  again.call = call;
  again.attempt = 2;
  tale.Write(Own(2), {1}, 2);
  tale.Read(1, {2}, 3, {Own(1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
  EXPECT_EQ(Judge(tale.story()).of(Rule::kReadYourWrites).excused, 1);
}

TEST(JudgeOrderTest, ATryThatWasRefusedMayNot) {
  Tale tale;
  Record& first = tale.Write(Own(1), {0}, -1);
  first.outcome = Outcome::kRefused;
  first.code = "UNAVAILABLE";
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(1, {2}, 3, {Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("read_your_writes"));
}

TEST(JudgeOrderTest, AReadMustNotGoBack) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(5, {0}, 3, {Own(2)});
  tale.Read(5, {3}, 4, {Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("monotonic_reads"));
}

TEST(JudgeOrderTest, AnotherClientMayBeBehind) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(5, {0}, 3, {Own(2)});
  tale.Read(6, {0}, 4, {Own(1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, WhoIsHandedATokenMustNotGoBackEither) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Read(6, {2}, 3, {Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("monotonic_reads"));
}

TEST(JudgeOrderTest, TwoWritersOfOneAttributeTakeTurns) {
  Tale tale;
  tale.Write(Both(1, 1), {0}, 1);
  tale.Write(Both(1, 2), {0}, 2);
  // Neither knew of the other: either may be shown, also in turn.
  tale.Read(5, {1}, 3, {Both(1, 2)});
  tale.Read(5, {3, 1}, 4, {Both(1, 1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, WhatAWriterKnewOfIsReplaced) {
  Tale tale;
  tale.Write(Both(1, 1), {0}, 1);
  tale.Write(Both(1, 2), {1}, 2);
  tale.Read(5, {2}, 3, {Both(1, 1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("monotonic_reads"));
}

TEST(JudgeOrderTest, WhoSeesAWriteSeesWhatItsWriterWroteBefore) {
  Tale tale;
  tale.Write(Both(1, 1), {0}, 1);
  tale.Write(Both(2, 1), {1}, 2);
  tale.Write(Own(1), {2}, 3);
  tale.Read(5, {}, 4, {Both(1, 1), Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("monotonic_writes"));
}

TEST(JudgeOrderTest, WhoSeesAWriteSeesWhatItsWriterHadRead) {
  Tale tale;
  tale.Write(Both(1, 2), {0}, 1);
  tale.Write(Both(1, 3), {1}, 2);
  tale.Read(1, {2}, 3, {Both(1, 3)});
  tale.Write(Own(1), {3}, 4);
  tale.Read(5, {}, 5, {Both(1, 2), Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("writes_follow_reads"));
}

TEST(JudgeOrderTest, AWriteWithoutTokensFollowsNothing) {
  Tale tale;
  tale.Write(Both(1, 2), {0}, 1);
  tale.Write(Both(1, 3), {1}, 2);
  tale.Write(Own(1), {0}, 4);
  tale.Read(5, {}, 5, {Both(1, 2), Own(1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, AWriteThatDidNotKnowTheOneBeforeDoesNotReplaceIt) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  // The token was given up, after DATA_LOSS for instance.
  tale.Write(Own(2), {0}, 2);
  tale.Write(Own(3), {2}, 3);
  tale.Read(1, {3}, 4, {Own(1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeOrderTest, AValueThatNobodyWroteIsInvented) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Read(5, {}, 2, {Own(7)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("invented_value"));
}

TEST(JudgeOrderTest, AValueMayBeReadBeforeItsWriterIsAnswered) {
  Tale tale;
  tale.Read(5, {}, 2, {Own(1)});
  tale.Write(Own(1), {0}, 1);
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::e2e
