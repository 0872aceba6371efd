#include "replication/delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeltaTest : public ::testing::Test {
 protected:
  void Apply(const DeltaPtr& delta) {
    SlotChanges changes;
    ASSERT_EQ(slot_.Receive(delta, "n", &changes), Slot::Outcome::kApplied);
  }

  Slot slot_{Slot::Limits()};
  DeltaWriter writer_{TestActor(1)};
  const ActorId actor_ = writer_.actor();
};

TEST_F(DeltaTest, EachOpOwnsADotAndTheLastIsTheHead) {
  const DeltaPtr create = writer_.Create("session", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(create->dot_count(), 3u);
  EXPECT_EQ(create->dot(0), (Dot{actor_, 1}));
  EXPECT_EQ(create->dot(2), (Dot{actor_, 3}));
  EXPECT_EQ(create->last(), (Dot{actor_, 3}));
  EXPECT_THAT(create->births, ElementsAre(Dot{actor_, 1}));
  EXPECT_THAT(create->deps, IsEmpty());
}

TEST_F(DeltaTest, AKillTakesOneDotWithoutOps) {
  Apply(writer_.Create("session"));
  const DeltaPtr kill = writer_.Kill(slot_, "session");
  EXPECT_THAT(kill->ops, IsEmpty());
  EXPECT_EQ(kill->dot_count(), 1u);
  EXPECT_EQ(kill->last(), (Dot{actor_, 2}));
  EXPECT_EQ(writer_.next(), 3u);
}

TEST_F(DeltaTest, SizeGrowsWithWhatItHolds) {
  Apply(writer_.Create("session", {{"a", "1"}}));
  const size_t small =
      writer_.Update(slot_, "session", {{"a", "1"}})->ByteSize();
  const size_t large =
      writer_.Update(slot_, "session", {{"a", std::string(1001, 'x')}})
          ->ByteSize();
  EXPECT_EQ(large, small + 1000);
  EXPECT_GE(small, sizeof(Delta) + sizeof(Op));
}

// --- the writer that tests mint with

TEST_F(DeltaTest, TheWriterNamesWhatItSees) {
  Apply(writer_.Create("session", {{"a", "1"}}));
  const DeltaPtr update = writer_.Update(slot_, "session", {{"a", "2"}});
  EXPECT_THAT(update->births, ElementsAre(Dot{actor_, 1}));
  EXPECT_THAT(update->deps, ElementsAre(Dot{actor_, 2}));
  EXPECT_THAT(update->ops[0].superseded, ElementsAre(Dot{actor_, 2}));
  const DeltaPtr rotate = writer_.Rotate(slot_, "session", "new");
  EXPECT_EQ(rotate->ops[0].name, kIdAttribute);
  EXPECT_THAT(rotate->ops[0].superseded, ElementsAre(Dot{actor_, 1}));
}

}  // namespace
}  // namespace sessionmesh::replication
