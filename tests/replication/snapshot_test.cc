#include "replication/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "replication/slot.h"
#include "tests/replication/delta_writer.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::HasSubstr;

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() : slot_(Slot::Limits()) {
    DeltaWriter writer(TestActor(1));
    SlotChanges changes;
    slot_.Receive(writer.Create("s", {{"cart", "1"}}), "a", &changes);
    slot_.Receive(writer.Update(slot_, "s", {{"cart", "2"}}), "a", &changes);
  }

  Slot slot_;
};

TEST_F(SnapshotTest, WhatASlotMakesBelongsTogether) {
  EXPECT_THAT(CheckSnapshot(slot_.TakeSnapshot({})), IsOk());
  EXPECT_THAT(CheckSnapshot(slot_.TakeSnapshot(slot_.context())), IsOk());
}

TEST_F(SnapshotTest, AContextThatDoesNotCoverALifeIsRefused) {
  for (const Context& puller : {Context(), slot_.context()}) {
    Snapshot snapshot = slot_.TakeSnapshot(puller);
    snapshot.context = Context();
    snapshot.context.Add(snapshot.lives.front().birth);

    EXPECT_THAT(CheckSnapshot(snapshot),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("does not cover")));
  }
}

TEST_F(SnapshotTest, ALifeWithoutAHeadIsRefused) {
  Snapshot snapshot = slot_.TakeSnapshot({});
  Life headless = *snapshot.lives.front().full;
  headless.heads.clear();
  snapshot.lives.front().full = std::make_shared<const Life>(headless);

  EXPECT_THAT(CheckSnapshot(snapshot),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("without a head")));
}

// A state that passes the check and yet says that all our heads are over.
TEST_F(SnapshotTest, AJoinNeverLeavesALifeWithoutAHead) {
  Snapshot snapshot = slot_.TakeSnapshot({});
  Life old = *snapshot.lives.front().full;
  old.heads = {old.birth};
  snapshot.lives.front().full = std::make_shared<const Life>(old);
  SlotChanges changes;

  slot_.Join(snapshot, "liar", TestStart(), &changes);

  ASSERT_EQ(slot_.Lookup("s").size(), 1u);
  EXPECT_FALSE(slot_.Lookup("s").front()->life->heads.empty());
}

}  // namespace
}  // namespace sessionmesh::replication
