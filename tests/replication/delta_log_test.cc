#include "replication/delta_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

class DeltaLogTest : public ::testing::Test {
 protected:
  static DeltaPtr Update(uint64_t first, size_t value_bytes = 1) {
    auto delta = std::make_shared<Delta>();
    delta->actor = 1;
    delta->first = first;
    delta->ops.resize(1);
    delta->ops[0].value = std::string(value_bytes, 'x');
    return delta;
  }
  static Context Covering(uint64_t last) {
    Context context;
    if (last > 0) context.AddRange({1, 1, last});
    return context;
  }
  // Room for this many small updates.
  static size_t Room(size_t count) {
    DeltaLog log(1 << 20);
    for (size_t i = 0; i < count; ++i) log.Add(Update(1 + i));
    return log.bytes();
  }
};

TEST_F(DeltaLogTest, GivesWhatThePeerLacksInOrder) {
  DeltaLog log(1 << 20);
  const std::vector<DeltaPtr> deltas = {Update(1), Update(2), Update(3)};
  for (const DeltaPtr& delta : deltas) log.Add(delta);
  EXPECT_THAT(log.Since(Covering(3), Covering(1)),
              Optional(ElementsAre(deltas[1], deltas[2])));
  EXPECT_THAT(log.Since(Covering(3), Covering(3)), Optional(IsEmpty()));
  EXPECT_THAT(log.Since(Covering(3), Covering(9)), Optional(IsEmpty()));
}

TEST_F(DeltaLogTest, TheOldestGoFirstAndThenOnlyASnapshotHelps) {
  DeltaLog log(Room(2));
  const std::vector<DeltaPtr> deltas = {Update(1), Update(2), Update(3)};
  for (const DeltaPtr& delta : deltas) log.Add(delta);
  EXPECT_LE(log.bytes(), Room(2));
  EXPECT_EQ(log.Since(Covering(3), Covering(0)), std::nullopt);
  EXPECT_THAT(log.Since(Covering(3), Covering(1)),
              Optional(ElementsAre(deltas[1], deltas[2])));
}

TEST_F(DeltaLogTest, ADeltaLargerThanTheLogIsAGap) {
  DeltaLog log(Room(2));
  const DeltaPtr small = Update(1);
  log.Add(small);
  log.Add(Update(2, 10000));
  EXPECT_EQ(log.bytes(), Room(1));
  EXPECT_THAT(log.Since(Covering(1), Covering(0)),
              Optional(ElementsAre(small)));
  EXPECT_EQ(log.Since(Covering(2), Covering(0)), std::nullopt);
  EXPECT_EQ(log.Since(Covering(2), Covering(1)), std::nullopt);
}

TEST_F(DeltaLogTest, WhatCameByAJoinIsAGap) {
  DeltaLog log(1 << 20);
  log.Add(Update(1));
  Context mine = Covering(1);
  mine.Add({2, 1});
  EXPECT_EQ(log.Since(mine, Covering(0)), std::nullopt);
  Context peer;
  peer.Add({2, 1});
  EXPECT_NE(log.Since(mine, peer), std::nullopt);
}

TEST_F(DeltaLogTest, AKillCoversTheBirthsItNames) {
  auto kill = std::make_shared<Delta>();
  kill->kind = Delta::Kind::kKill;
  kill->actor = 1;
  kill->first = 1;
  kill->births = {{7, 7}};
  DeltaLog log(1 << 20);
  log.Add(kill);
  Context mine = Covering(1);
  mine.Add({7, 7});
  EXPECT_THAT(log.Since(mine, Context()), Optional(ElementsAre(kill)));
}

TEST_F(DeltaLogTest, ALogWithoutRoomIsEmpty) {
  DeltaLog log(0);
  log.Add(Update(1));
  EXPECT_EQ(log.bytes(), 0u);
  EXPECT_EQ(log.Since(Covering(1), Context()), std::nullopt);
  EXPECT_THAT(log.Since(Context(), Context()), Optional(IsEmpty()));
}

}  // namespace
}  // namespace sessionmesh::replication
