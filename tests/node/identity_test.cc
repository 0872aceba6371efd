#include "node/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/node/temp_dir.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::sessionmesh::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixMillis(1'700'000'000'000);

class IdentityTest : public ::testing::Test {
 protected:
  auto Open(absl::Time now = kNow, const std::string& name = "a") {
    return Identity::Open(directory_.File("state"), name, now);
  }
  void WriteState(const std::string& text) {
    std::filesystem::create_directories(directory_.File("state"));
    std::ofstream(directory_.File("state/node-state")) << text;
  }

  TempDir directory_;
};

TEST_F(IdentityTest, TheFirstGenerationIsTheClockInMilliseconds) {
  EXPECT_EQ((*Open())->state().generation, 1'700'000'000'000u);
}

TEST_F(IdentityTest, EveryStartHasAHigherGenerationThoughTheClockStands) {
  const auto first = (*Open())->state().generation;
  const auto second = (*Open())->state().generation;

  EXPECT_EQ(second, first + 1);
}

TEST_F(IdentityTest, AClockThatWentBackDoesNotLowerTheGeneration) {
  const auto first = (*Open())->state().generation;
  const auto second = (*Open(kNow - absl::Hours(5)))->state().generation;

  EXPECT_EQ(second, first + 1);
}

TEST_F(IdentityTest, AGenerationBeyondTheLimitIsDamage) {
  for (const char* generation :
       {"4611686018427387904", "18446744073709551615"}) {
    WriteState(absl::StrCat("sessiond node-state 1\nname a\ngeneration ",
                            generation, "\n"));

    EXPECT_THAT(
        Open(),
        StatusIs(absl::StatusCode::kDataLoss,
                 AllOf(HasSubstr("is damaged: line 3: the generation "
                                 "is "),
                       HasSubstr(generation), HasSubstr("remove the file"))));
  }
}

TEST_F(IdentityTest, AGenerationThatOthersWouldNotBelieveIsNotUsed) {
  ASSERT_THAT(Open(kNow + absl::Hours(48)), IsOk());

  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("more than a day ahead"),
                                     HasSubstr("Set the clock"))));
  EXPECT_THAT(Open(kNow + absl::Hours(47)), IsOk());
}

TEST_F(IdentityTest, PeersAreRememberedOverARestart) {
  ASSERT_THAT((*Open())->SavePeers({"b:1", "c:2"}), IsOk());

  EXPECT_THAT((*Open())->state().peers, ElementsAre("b:1", "c:2"));
}

TEST_F(IdentityTest, TwoProcessesCannotShareADirectory) {
  const auto first = Open();
  ASSERT_THAT(first, IsOk());

  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("another sessiond uses"),
                                     HasSubstr("--state-dir"))));
}

TEST_F(IdentityTest, TheDirectoryOfAnotherNodeIsRefused) {
  ASSERT_THAT(Open(kNow, "a"), IsOk());

  EXPECT_THAT(Open(kNow, "b"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("belongs to node \"a\", this one is \"b\"")));
}

TEST_F(IdentityTest, ADamagedFileSaysWhereAndWhatToDo) {
  WriteState("sessiond node-state 1\nname a\ngeneration soon\n");

  EXPECT_THAT(
      Open(),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("line 3: the generation is not a number"),
                     HasSubstr("remove the file"))));
}

TEST_F(IdentityTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(directory_.File("state")) << "a file";

  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("--state-dir")));
}

TEST_F(IdentityTest, WhatWasWrittenIsRead) {
  const NodeState state{"a", 17, {"b:1", "[fd00::1]:2"}};

  EXPECT_THAT(ParseNodeState(FormatNodeState(state)), IsOkAndHolds(state));
}

TEST_F(IdentityTest, EveryCutOfTheFileIsNoticed) {
  const std::string text = FormatNodeState({"a", 17, {}});

  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(ParseNodeState(text.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

}  // namespace
}  // namespace sessionmesh::node
