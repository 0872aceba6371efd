#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "tests/e2e/faults/judge.h"
#include "tests/e2e/faults/tale.h"

// What may be lost, and who may say so.

namespace sessionmesh::e2e {
namespace {

using Kind = Record::Kind;
using Level = Record::Level;
using Outcome = Record::Outcome;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(JudgeLossTest, OneCopyMustBeCalledDegraded) {
  Tale tale;
  tale.Write(Own(1), {0}, 1).replicas = 1;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("dishonest_acknowledgement"));
}

TEST(JudgeLossTest, OneCopyIsEnoughForLocalOrIfDegraded) {
  Tale tale;
  Record& degraded = tale.Write(Own(1), {0}, 1);
  degraded.replicas = 1;
  degraded.degraded = true;
  Record& local = tale.Write(Own(2), {1}, 2);
  local.replicas = 1;
  local.level = Level::kLocal;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, AnAcknowledgedWriteIsThereInTheEnd) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Write(Own(2), {1}, 2);
  tale.Audit("a", {Own(1)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, WhatReplacedItIsEnough) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  Record& unanswered = tale.Write(Own(2), {1}, -1);
  unanswered.outcome = Outcome::kUnknown;
  unanswered.code = "UNAVAILABLE";
  tale.Audit("a", {Own(2)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, OneCrashExcusesNoWriteOfTwo) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Crash("a");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, TwoCrashesTogetherDo) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Crash("a");
  tale.Crash("b");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, TwoCrashesApartDoNot) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Crash("a");
  tale.Whole();
  tale.Crash("b");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, TwoCrashesOfOneNodeDoNot) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Crash("a");
  tale.Crash("a");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, CrashesBeforeTheWriteDoNot) {
  Tale tale;
  tale.Crash("a");
  tale.Crash("b");
  tale.Write(Own(1), {0}, 1);
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, TwoCrashesExcuseNoWriteOfThree) {
  Tale tale;
  tale.Write(Own(1), {0}, 1).replicas = 3;
  tale.Crash("a");
  tale.Crash("b");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, WhoLeavesExcusesNothing) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Leave("a");
  tale.Leave("b");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, AWholeSessionMayNotBeLost) {
  Tale tale;
  Record& audit = tale.NotFound({});
  audit.audit = true;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("lost_write"));
}

TEST(JudgeLossTest, AWholeSessionMayBeLostWithAllItsHolders) {
  Tale tale;
  tale.Crash("a");
  tale.Crash("b");
  Record& audit = tale.NotFound({});
  audit.audit = true;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, ARotationThatIsLostLeavesTheFormerId) {
  Tale tale;
  Record& rotate = tale.Add(Kind::kRotate, 1, {0});
  rotate.token = 1;
  rotate.level = Level::kLocal;
  rotate.replicas = 1;
  tale.Crash("a");
  tale.Audit("a", {});
  Record& audit = tale.NotFound({});
  audit.audit = true;
  audit.id_number = 1;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, ARotationOfTwoCopiesMayNotBeLost) {
  Tale tale;
  tale.Add(Kind::kRotate, 1, {0}).token = 1;
  tale.Crash("a");
  tale.Audit("a", {});
  Record& audit = tale.NotFound({});
  audit.audit = true;
  audit.id_number = 1;
  EXPECT_THAT(tale.Broken(),
              UnorderedElementsAre("lost_write", "rotated_id_shown"));
}

TEST(JudgeLossTest, DataLossNeedsThatTheHoldersAreGone) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Crash("b");
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_data_loss"));
}

TEST(JudgeLossTest, DataLossIsRightWhenTheyAre) {
  Tale tale;
  Record& write = tale.Write(Own(1), {0}, 1);
  write.level = Level::kLocal;
  write.replicas = 1;
  tale.Crash("b");
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, DataLossIsAMistakeThatAPartitionExcuses) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Trouble("partition", {"a", "b", "c"}, 3);
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeLossTest, APartitionExcusesNoDataLossOfWhatAllOwnersHold) {
  Tale tale;
  tale.Write(Own(1), {0}, 1).replicas = 3;
  tale.Trouble("partition", {"a", "b", "c"}, 3);
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_data_loss"));
}

TEST(JudgeLossTest, ACrashAfterwardsDoesNotExcuseDataLoss) {
  Tale tale;
  Record& write = tale.Write(Own(1), {0}, 1);
  write.level = Level::kLocal;
  write.replicas = 1;
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  tale.Crash("b");
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_data_loss"));
}

TEST(JudgeLossTest, AnOldPartitionDoesNotExcuseDataLoss) {
  Tale tale;
  tale.Write(Own(1), {0}, 1);
  tale.Trouble("partition", {"a", "b", "c"}, 3);
  tale.Wait(30);
  tale.Fails(Kind::kGet, {1}, "DATA_LOSS", "WRITE_LOST");
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_data_loss"));
}

}  // namespace
}  // namespace sessionmesh::e2e
