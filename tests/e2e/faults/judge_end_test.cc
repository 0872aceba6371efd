#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "tests/e2e/faults/judge.h"
#include "tests/e2e/faults/tale.h"

// How sessions end, and how everything is in the end.

namespace sessionmesh::e2e {
namespace {

using Kind = Record::Kind;
using Level = Record::Level;
using Outcome = Record::Outcome;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(JudgeEndTest, ADeletedSessionIsNotShownToWhoKnows) {
  Tale tale;
  tale.Add(Kind::kDelete, 1, {0}).token = 1;
  tale.Read(1, {1}, 2, {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("deleted_shown"));
}

TEST(JudgeEndTest, ADeletedSessionMayBeShownToWhoDoesNot) {
  Tale tale;
  tale.Add(Kind::kDelete, 1, {0}).token = 1;
  tale.Read(1, {0}, 2, {});
  tale.Read(1, {}, 2, {});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeEndTest, ADeletedSessionIsShownToNobodyInTheEnd) {
  Tale tale;
  tale.Add(Kind::kDelete, 1, {0}).token = 1;
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("deleted_shown"));
}

TEST(JudgeEndTest, ADeletionMayDieWithAllItsHolders) {
  Tale tale;
  tale.Add(Kind::kDelete, 1, {0}).token = 1;
  tale.Crash("a");
  tale.Crash("b");
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeEndTest, ADeletionInDoubtBindsNobody) {
  Tale tale;
  Record& deletion = tale.Add(Kind::kDelete, 1, {0});
  deletion.outcome = Outcome::kUnknown;
  deletion.code = "UNAVAILABLE";
  tale.Read(1, {0}, 2, {});
  tale.NotFound({0});
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeEndTest, ARotatedIdIsNotShownToWhoKnows) {
  Tale tale;
  tale.Add(Kind::kRotate, 1, {0}).token = 1;
  tale.Read(1, {1}, 2, {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("rotated_id_shown"));
}

TEST(JudgeEndTest, TheNewIdIs) {
  Tale tale;
  tale.Add(Kind::kRotate, 1, {0}).token = 1;
  tale.Read(1, {1}, 2, {}).id_number = 1;
  tale.Read(1, {0}, 3, {});
  tale.NotFound({1});
  // The token does not know of the new id.
  tale.NotFound({0}).id_number = 1;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeEndTest, ARotatedIdIsShownToNobodyInTheEnd) {
  Tale tale;
  tale.Add(Kind::kRotate, 1, {0}).token = 1;
  tale.Audit("a", {});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("rotated_id_shown"));
}

TEST(JudgeEndTest, NotFoundNeedsAnEnd) {
  Tale tale;
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_not_found"));
}

TEST(JudgeEndTest, NotFoundOfTheNewIdNeedsAnEnd) {
  Tale tale;
  tale.Add(Kind::kRotate, 1, {0}).token = 1;
  tale.NotFound({1}).id_number = 1;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_not_found"));
}

TEST(JudgeEndTest, NotFoundIsNoMistakeWithoutTokensOrAtLocal) {
  Tale tale;
  tale.NotFound({});
  tale.NotFound({0}).level = Level::kLocal;
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeEndTest, ARefusedDeletionIsNoEnd) {
  Tale tale;
  tale.Fails(Kind::kDelete, {0}, "UNAVAILABLE", "NOT_READY");
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_not_found"));
}

TEST(JudgeEndTest, ADeletionThatBeganLaterIsNoEnd) {
  Tale tale;
  tale.NotFound({0});
  tale.Add(Kind::kDelete, 1, {0}).token = 1;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("wrong_not_found"));
}

// ---- Idle expiry

TEST(JudgeExpiryTest, ASessionInUseIsNotExpired) {
  Tale tale(absl::Seconds(20));
  tale.Wait(15);
  tale.Add(Kind::kTouch, 1, {0}).token = 0;
  tale.Wait(15);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("early_expiry"));
}

TEST(JudgeExpiryTest, ASessionLeftAloneIs) {
  Tale tale(absl::Seconds(20));
  tale.Wait(15);
  tale.Add(Kind::kTouch, 1, {0}).token = 0;
  tale.Wait(20);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeExpiryTest, APeekIsNoUse) {
  Tale tale(absl::Seconds(20));
  tale.Wait(15);
  tale.Read(1, {0}, 0, {}).peek = true;
  tale.Wait(15);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeExpiryTest, AnAccessMayDieWithItsOnlyHolder) {
  Tale tale(absl::Seconds(20));
  tale.Wait(15);
  tale.Add(Kind::kTouch, 1, {0}).token = 0;
  tale.Crash("a");
  tale.Wait(10);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeExpiryTest, ACutLongerThanTheIdleTimeExcuses) {
  Tale tale(absl::Seconds(20));
  tale.Trouble("partition", {"a", "b", "c"}, 15);
  tale.Add(Kind::kTouch, 1, {0}).token = 0;
  tale.Trouble("partition", {"a", "b", "c"}, 15);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeExpiryTest, AShorterOneDoesNot) {
  Tale tale(absl::Seconds(20));
  tale.Wait(15);
  tale.Add(Kind::kTouch, 1, {0}).token = 0;
  tale.Trouble("partition", {"a", "b", "c"}, 5);
  tale.NotFound({0});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("early_expiry"));
}

// ---- The end

TEST(JudgeHealingTest, NodesMustAgree) {
  Tale tale;
  tale.Write(Both(1, 1), {0}, 1);
  tale.Write(Both(1, 2), {0}, 2);
  tale.Audit("a", {Both(1, 1)});
  tale.Audit("b", {Both(1, 2)});
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("diverged"));
}

TEST(JudgeHealingTest, TheLastLookOfANodeCounts) {
  Tale tale;
  tale.Write(Both(1, 1), {0}, 1);
  tale.Write(Both(1, 2), {0}, 2);
  tale.Audit("a", {Both(1, 1)});
  tale.Audit("b", {Both(1, 2)});
  tale.Audit("b", {Both(1, 1)});
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeHealingTest, NobodyIsRefusedForLong) {
  Tale tale;
  tale.Healed();
  for (int i = 0; i < 4; ++i) {
    tale.Fails(Kind::kGet, {0}, "UNAVAILABLE", "STALE");
    tale.Wait(4);
  }
  // The node, and the session there; each call is another one.
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("not_healed", "not_healed"));
}

TEST(JudgeHealingTest, ButForAWhile) {
  Tale tale;
  tale.Fails(Kind::kGet, {0}, "UNAVAILABLE", "STALE");
  tale.Wait(20);
  tale.Healed();
  tale.Fails(Kind::kGet, {0}, "UNAVAILABLE", "STALE");
  tale.Wait(9);
  tale.Fails(Kind::kGet, {0}, "UNAVAILABLE", "STALE");
  tale.Read(1, {0}, 0, {});
  tale.Wait(9);
  tale.Fails(Kind::kGet, {0}, "UNAVAILABLE", "STALE");
  EXPECT_THAT(tale.Broken(), IsEmpty());
}

TEST(JudgeHealingTest, NoProcessEndsByItself) {
  Tale tale;
  tale.Crash("a");
  tale.Leave("b");
  EXPECT_THAT(tale.Broken(), IsEmpty());
  tale.story().ends[0].asked = false;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("ended_by_itself"));
}

TEST(JudgeHealingTest, TheClusterMustBecomeWhole) {
  Tale tale;
  tale.story().settled = false;
  EXPECT_THAT(tale.Broken(), UnorderedElementsAre("not_healed"));
}

}  // namespace
}  // namespace sessionmesh::e2e
