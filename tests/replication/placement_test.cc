#include "replication/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr uint32_t kSlots = 1024;

using Nodes = std::vector<Placement::Node>;

std::set<NodeName> OwnersOf(const Placement& placement, SlotId slot) {
  std::set<NodeName> names;
  for (const size_t owner : placement.OwnersOf(slot)) {
    names.insert(placement.nodes()[owner].name);
  }
  return names;
}

Nodes MakeNodes(int count, int zones) {
  Nodes nodes;
  for (int i = 0; i < count; ++i) {
    nodes.push_back({absl::StrCat("node-", 1000 + i),
                     zones == 0 ? "" : absl::StrCat("zone-", i % zones)});
  }
  return nodes;
}

// How many copies of slots each node has.
std::map<NodeName, int> Copies(const Placement& placement) {
  std::map<NodeName, int> copies;
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    for (const NodeName& name : OwnersOf(placement, slot)) ++copies[name];
  }
  return copies;
}

// How many copies nodes have in `to` that they had not in `from`.
int Moved(const Placement& from, const Placement& to) {
  int moved = 0;
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    const std::set<NodeName> before = OwnersOf(from, slot);
    for (const NodeName& name : OwnersOf(to, slot)) {
      moved += before.count(name) == 0 ? 1 : 0;
    }
  }
  return moved;
}

TEST(PlacementTest, AlwaysSaysTheSame) {
  const Placement placement(MakeNodes(9, 0), 3);

  // What other processes, built by other compilers, say too.
  EXPECT_THAT(placement.OwnersOf(0), ElementsAre(1, 7, 0));
  EXPECT_THAT(placement.OwnersOf(1023), ElementsAre(0, 1, 3));
}

TEST(PlacementTest, EverybodyOwnsEverythingWhenThereAreNoMoreThanReplicas) {
  for (const uint32_t replicas : {3u, 7u, kReplicasAll}) {
    const Placement placement(MakeNodes(3, 2), replicas);
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      EXPECT_THAT(OwnersOf(placement, slot), SizeIs(3));
    }
  }
  EXPECT_THAT(Placement({}, 3).OwnersOf(0), SizeIs(0));
}

TEST(PlacementTest, OwnersAreDistinctAndTheFirstIsTheHeaviest) {
  const Placement one(MakeNodes(9, 4), 1);
  const Placement three(MakeNodes(9, 4), 3);
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    const std::vector<size_t> owners = three.OwnersOf(slot);
    EXPECT_THAT(owners, SizeIs(3));
    EXPECT_THAT(std::set<size_t>(owners.begin(), owners.end()), SizeIs(3));
    EXPECT_THAT(one.OwnersOf(slot), ElementsAre(owners.front()));
  }
}

TEST(PlacementTest, SpreadsCopiesEvenly) {
  for (const int count : {4, 9, 30}) {
    const Placement placement(MakeNodes(count, 0), 3);
    const double fair = 3.0 * kSlots / count;
    for (const auto& [name, copies] : Copies(placement)) {
      // Four standard deviations of independent choices.
      EXPECT_NEAR(copies, fair, 4 * std::sqrt(fair)) << name << " of " << count;
    }
  }
}

TEST(PlacementTest, ANodeThatComesTakesOnlyItsShare) {
  for (const int count : {3, 9, 30}) {
    const Placement before(MakeNodes(count, 0), 3);
    const Placement after(MakeNodes(count + 1, 0), 3);
    const NodeName comer = after.nodes().back().name;

    EXPECT_EQ(Moved(before, after), Copies(after)[comer]);
    EXPECT_LE(Moved(before, after), 1.15 * 3 * kSlots / (count + 1));
  }
}

TEST(PlacementTest, ANodeThatGoesGivesAwayOnlyItsOwn) {
  const Placement before(MakeNodes(9, 0), 3);
  Nodes nodes = before.nodes();
  const NodeName goer = nodes[4].name;
  nodes.erase(nodes.begin() + 4);

  EXPECT_EQ(Moved(before, Placement(nodes, 3)), Copies(before)[goer]);
}

TEST(PlacementTest, NoZoneHasTwoOwnersWhileAnotherHasNone) {
  for (int zones = 1; zones <= 5; ++zones) {
    const Placement placement(MakeNodes(10, zones), 3);
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      std::map<std::string, int> in_zone;
      for (const size_t owner : placement.OwnersOf(slot)) {
        ++in_zone[placement.nodes()[owner].zone];
      }
      ASSERT_THAT(in_zone, SizeIs(std::min(zones, 3))) << slot;
      for (const auto& [zone, owners] : in_zone) {
        ASSERT_LE(owners, (3 + zones - 1) / zones) << slot;
      }
    }
  }
}

TEST(PlacementTest, ASmallZoneHasNoMoreThanItsNodes) {
  Nodes nodes = MakeNodes(6, 0);
  for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i].zone = "large";
  nodes.back().zone = "small";
  const Placement placement(nodes, 4);

  for (SlotId slot = 0; slot < kSlots; ++slot) {
    const std::set<NodeName> owners = OwnersOf(placement, slot);
    EXPECT_THAT(owners, SizeIs(4));
    EXPECT_EQ(owners.count(nodes.back().name), 1u);
  }
}

// With a zone for each replica, no more moves than one copy of a slot.
TEST(PlacementTest, ANodeThatGoesMovesOneCopyOfItsSlotsAlsoWithZones) {
  const Placement before(MakeNodes(12, 4), 3);
  for (size_t gone = 0; gone < before.nodes().size(); ++gone) {
    Nodes nodes = before.nodes();
    const NodeName goer = nodes[gone].name;
    nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(gone));

    EXPECT_EQ(Moved(before, Placement(nodes, 3)), Copies(before)[goer]) << goer;
  }
}

}  // namespace
}  // namespace sessionmesh::replication
