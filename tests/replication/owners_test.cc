#include "replication/owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

using membership::Member;
using membership::State;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1000);

Config ConfigOf(uint32_t replicas) {
  Config config;
  config.slot_count = 256;
  config.lane_count = 4;
  config.lane = 1;
  config.replicas = replicas;
  return config;
}

std::vector<SlotId> SlotsOf(const Config& config) {
  std::vector<SlotId> slots;
  for (uint32_t slot = config.lane; slot < config.slot_count;
       slot += config.lane_count) {
    slots.push_back(static_cast<SlotId>(slot));
  }
  return slots;
}

// A cluster of "a", "b", ... as one of them sees it.
class Cluster {
 public:
  explicit Cluster(int count) {
    for (int i = 0; i < count; ++i) {
      Member member;
      member.name = std::string(1, static_cast<char>('a' + i));
      member.address = absl::StrCat("10.0.0.", i, ":7401");
      members_.push_back(std::move(member));
    }
  }

  Member& At(const NodeName& name) {
    for (Member& member : members_) {
      if (member.name == name) return member;
    }
    ADD_FAILURE() << name;
    return members_.front();
  }

  membership::ViewPtr ViewOf(const NodeName& self) {
    return std::make_shared<membership::View>(self, members_, ++version_,
                                              /*isolated=*/false);
  }

  const std::vector<Member>& members() const { return members_; }

 private:
  std::vector<Member> members_;
  uint64_t version_ = 0;
};

// The owners of a slot, this node included if it is one.
std::set<NodeName> OwnersOf(const Owners& owners, const NodeName& self,
                            SlotId slot) {
  const std::vector<NodeName>& others = owners.OthersOf(slot);
  std::set<NodeName> all(others.begin(), others.end());
  if (owners.IsOwnedHere(slot)) all.insert(self);
  return all;
}

// Of every slot of the lane.
std::vector<std::set<NodeName>> AllOwnersOf(const Owners& owners,
                                            const NodeName& self,
                                            const Config& config) {
  std::vector<std::set<NodeName>> all;
  for (const SlotId slot : SlotsOf(config)) {
    all.push_back(OwnersOf(owners, self, slot));
  }
  return all;
}

TEST(OwnersTest, BeforeThereIsAViewThisNodeOwnsEverything) {
  const Config config = ConfigOf(3);
  const Owners owners("a", config);

  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_TRUE(owners.IsOwnedHere(slot));
    EXPECT_THAT(owners.OthersOf(slot), IsEmpty());
    EXPECT_EQ(owners.CountOf(slot), 1u);
    EXPECT_EQ(owners.First(slot), "a");
  }
}

TEST(OwnersTest, EveryMemberOwnsEverySlotWhereReplicasAreAll) {
  const Config config = ConfigOf(kReplicasAll);
  Cluster cluster(5);
  Owners owners("c", config);
  owners.SetView(cluster.ViewOf("c"), kNow);

  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_TRUE(owners.IsOwnedHere(slot));
    EXPECT_THAT(owners.OthersOf(slot), ElementsAre("a", "b", "d", "e"));
    EXPECT_EQ(owners.CountOf(slot), 5u);
  }
}

TEST(OwnersTest, AllNodesOfOneViewAgree) {
  const Config config = ConfigOf(3);
  Cluster cluster(7);
  std::vector<Owners> all;
  for (const Member& member : cluster.members()) {
    all.emplace_back(member.name, config);
    all.back().SetView(cluster.ViewOf(member.name), kNow);
  }
  for (const SlotId slot : SlotsOf(config)) {
    const std::set<NodeName> expected = OwnersOf(all[0], "a", slot);
    ASSERT_THAT(expected, SizeIs(3));
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(OwnersOf(all[i], cluster.members()[i].name, slot), expected);
      ASSERT_EQ(all[i].First(slot), all[0].First(slot));
      ASSERT_EQ(all[i].HashOf(slot), all[0].HashOf(slot));
      ASSERT_EQ(all[i].CountOf(slot), 3u);
    }
  }
}

TEST(OwnersTest, ASuspectOwnsWhatItOwnedButIsNotFirst) {
  const Config config = ConfigOf(3);
  Cluster cluster(5);
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  const auto before = AllOwnersOf(owners, "a", config);

  cluster.At("b").claim.state = State::kSuspect;
  owners.SetView(cluster.ViewOf("a"), kNow);

  size_t i = 0;
  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_EQ(OwnersOf(owners, "a", slot), before[i++]);
    EXPECT_NE(owners.First(slot), "b");
  }
}

TEST(OwnersTest, TheDeadAreReplacedAfterTheTakeoverDelay) {
  const Config config = ConfigOf(3);
  Cluster cluster(5);
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  const auto before = AllOwnersOf(owners, "a", config);

  cluster.At("b").claim.state = State::kDead;
  owners.SetView(cluster.ViewOf("a"), kNow);

  EXPECT_EQ(owners.next_takeover_at(), kNow + config.takeover_delay);
  owners.Tick(kNow + config.takeover_delay - absl::Seconds(1));
  size_t i = 0;
  for (const SlotId slot : SlotsOf(config)) {
    std::set<NodeName> left = before[i++];
    left.erase("b");
    EXPECT_EQ(OwnersOf(owners, "a", slot), left);
    EXPECT_EQ(owners.CountOf(slot), 3u);
  }

  // Another view meanwhile does not put it off.
  owners.SetView(cluster.ViewOf("a"), kNow + absl::Seconds(5));
  owners.Tick(kNow + config.takeover_delay);

  EXPECT_EQ(owners.next_takeover_at(), absl::InfiniteFuture());
  i = 0;
  for (const SlotId slot : SlotsOf(config)) {
    std::set<NodeName> kept = before[i++];
    kept.erase("b");
    const std::set<NodeName> now = OwnersOf(owners, "a", slot);
    EXPECT_THAT(now, AllOf(SizeIs(3), Not(Contains("b"))));
    EXPECT_TRUE(std::includes(now.begin(), now.end(), kept.begin(), kept.end()))
        << "who lives keeps what it has";
  }
}

TEST(OwnersTest, ARestartInTimeMovesNothing) {
  const Config config = ConfigOf(3);
  Cluster cluster(5);
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  const auto before = AllOwnersOf(owners, "a", config);
  cluster.At("b").claim.state = State::kDead;
  owners.SetView(cluster.ViewOf("a"), kNow);
  cluster.At("b").claim = {.generation = 2, .state = State::kAlive};
  owners.SetView(cluster.ViewOf("a"), kNow + absl::Seconds(9));

  EXPECT_EQ(owners.next_takeover_at(), absl::InfiniteFuture());
  size_t i = 0;
  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_EQ(OwnersOf(owners, "a", slot), before[i++]);
  }
}

TEST(OwnersTest, WhoLeftOrWasDeadBeforeThisProcessBeganIsReplacedAtOnce) {
  const Config config = ConfigOf(3);
  Cluster cluster(6);
  cluster.At("b").claim.state = State::kDead;
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  cluster.At("c").claim.state = State::kLeft;
  owners.SetView(cluster.ViewOf("a"), kNow);

  EXPECT_EQ(owners.next_takeover_at(), absl::InfiniteFuture());
  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_THAT(OwnersOf(owners, "a", slot),
                AllOf(SizeIs(3), Not(Contains("b")), Not(Contains("c"))));
  }
}

TEST(OwnersTest, WhereReplicasAreAllTheDeadGoAtOnce) {
  const Config config = ConfigOf(kReplicasAll);
  Cluster cluster(3);
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  cluster.At("b").claim.state = State::kDead;
  owners.SetView(cluster.ViewOf("a"), kNow);

  EXPECT_EQ(owners.CountOf(1), 2u);
  EXPECT_THAT(owners.OthersOf(1), ElementsAre("c"));
  EXPECT_EQ(owners.next_takeover_at(), absl::InfiniteFuture());
}

TEST(OwnersTest, ZonesCount) {
  const Config config = ConfigOf(2);
  Cluster cluster(6);
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    cluster.At(name).zone = "one";
  }
  cluster.At("f").zone = "two";
  Owners owners("f", config);
  owners.SetView(cluster.ViewOf("f"), kNow);

  for (const SlotId slot : SlotsOf(config)) {
    EXPECT_TRUE(owners.IsOwnedHere(slot)) << slot;
  }
}

TEST(OwnersTest, WhoWasAnOwnerOfASlotStaysRecentForThatSlot) {
  const Config config = ConfigOf(2);
  Cluster cluster(5);
  Owners owners("a", config);
  owners.SetView(cluster.ViewOf("a"), kNow);
  std::vector<bool> had;
  for (const SlotId slot : SlotsOf(config)) {
    had.push_back(owners.IsOtherOf(slot, "b"));
  }
  cluster.At("b").claim.state = State::kDead;
  owners.SetView(cluster.ViewOf("a"), kNow);
  owners.Tick(kNow + config.takeover_delay);

  const absl::Time later = kNow + absl::Minutes(1);
  size_t i = 0;
  for (const SlotId slot : SlotsOf(config)) {
    const auto recent = owners.Recent(slot, later, absl::Minutes(2));
    const auto b = Contains(Field(&RecentOwner::node, "b"));
    if (had[i++]) {
      EXPECT_THAT(recent, b);
    } else {
      EXPECT_THAT(recent, Not(b));
    }
    EXPECT_THAT(owners.Recent(slot, later, absl::Seconds(59)), Not(b));
  }
}

}  // namespace
}  // namespace sessionmesh::replication
