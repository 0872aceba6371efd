#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SwimGossipTest, NewsGoesToGossipNodesInEachInterval) {
  LoneSwim lone;
  for (int i = 0; i < 9; ++i) lone.Meet(absl::StrCat("n", i));
  lone.Advance(absl::Milliseconds(1));
  ASSERT_THAT(lone.Sent<Gossip>(), SizeIs(3));
  std::set<Address> targets;
  for (const auto& [to, gossip] : lone.Sent<Gossip>()) targets.insert(to);
  EXPECT_THAT(targets, SizeIs(3));
  lone.Advance(absl::Milliseconds(198));
  EXPECT_THAT(lone.Sent<Gossip>(), IsEmpty());
  lone.Advance(absl::Milliseconds(1));
  EXPECT_THAT(lone.Sent<Gossip>(), SizeIs(3));
}

TEST(SwimGossipTest, NoNewsNoGossip) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Advance(absl::Seconds(2));
  const auto ack = [&] {
    for (const auto& [to, ping] : lone.Sent<Ping>()) {
      lone.Hear("a", Ack{ping.sequence, "a", 1});
    }
  };
  for (int i = 0; i < 20; ++i) {
    lone.Advance(absl::Milliseconds(100));
    ack();
  }
  lone.Advance(absl::Milliseconds(100));
  EXPECT_THAT(lone.Sent<Gossip>(), IsEmpty());
}

TEST(SwimGossipTest, EachPieceOfNewsLeavesAtMostRetransmitLimitTimes) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Meet("b");
  lone.HearOf(Left("gone", 1, 0));
  int sent = 0;
  for (int i = 0; i < 500; ++i) {
    lone.Advance(absl::Milliseconds(10));
    sent += static_cast<int>(lone.SentAbout("gone").size());
    lone.Hear("a", Ping{1, "me", 5});
    sent += static_cast<int>(lone.SentAbout("gone").size());
  }
  EXPECT_EQ(sent, 4);
}

// tarantool 3fb2b875f7: acks carry news too.
TEST(SwimGossipTest, EveryDatagramCarriesNews) {
  LoneSwim lone;
  lone.Meet("target");
  lone.Hear("a", Ping{1, "me", 5}, {Left("x", 1, 0)});
  EXPECT_THAT(lone.SentAbout("x"), SizeIs(1));
  lone.Hear("a", PingReq{1, "target", 1}, {Left("y", 1, 0)});
  EXPECT_THAT(lone.SentAbout("y"), SizeIs(1));
}

TEST(SwimGossipTest, NoDatagramIsLargerThanTheLimit) {
  LoneSwim lone;
  for (size_t i = 0; i < 200; ++i) {
    lone.HearOf(Suspected(
        absl::StrCat("member-with-a-long-name-", NodeName(i % 60, 'x'), i), 1,
        7, "accuser"));
  }
  size_t fullest = 0;
  for (int i = 0; i < 100; ++i) {
    lone.Advance(absl::Milliseconds(50));
    for (const Send& send : lone.effects.sends) {
      size_t bytes = DatagramOverheadBytesMax(send.datagram);
      for (const Update& update : send.datagram.updates) {
        bytes += UpdateBytesMax(update);
      }
      EXPECT_LE(bytes, 1400u);
      fullest = std::max(fullest, bytes);
    }
  }
  EXPECT_GT(fullest, 1200u) << "the room is used";
}

TEST(SwimGossipTest, LatelyDeadHearOfTheirDeath) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  bool told = false;
  for (int i = 0; i < 20; ++i) {
    lone.Advance(absl::Milliseconds(100));
    for (const Send& send : lone.effects.sends) {
      if (send.to != "a:7401") continue;
      told = true;
      EXPECT_THAT(send.datagram.updates, Contains(Dead("a", 1, 0, "b")));
    }
  }
  EXPECT_TRUE(told);
}

// memberlist 073be6d
TEST(SwimGossipTest, LongDeadGetNoGossip) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  lone.Advance(absl::Seconds(30));
  lone.HearOf(Alive("c", 1, 0));
  for (int i = 0; i < 100; ++i) {
    lone.Advance(absl::Milliseconds(100));
    for (const Send& send : lone.effects.sends) EXPECT_NE(send.to, "a:7401");
  }
}

TEST(SwimGossipTest, PingFromTheDeadIsAnsweredWithItsDeath) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  lone.Hear("a", Ping{1, "me", 5});
  ASSERT_THAT(lone.Sent<Ack>(), SizeIs(1));
  EXPECT_EQ(lone.effects.sends[0].datagram.updates[0], Dead("a", 1, 0, "b"));
}

TEST(SwimGossipTest, AnyWordFromTheDeadIsAnsweredWithItsDeath) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  lone.Hear("a", Gossip());
  ASSERT_THAT(lone.Sent<Gossip>(), SizeIs(1));
  EXPECT_EQ(lone.effects.sends[0].to, "a:7401");
  EXPECT_EQ(lone.effects.sends[0].datagram.updates[0], Dead("a", 1, 0, "b"));
}

// foca#25: two nodes that hold each other for dead must not tell each other so
// without end.
TEST(SwimGossipTest, TheDeadAreToldAtMostOnceInAProbeInterval) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  int told = 0;
  for (int i = 0; i < 100; ++i) {
    lone.Hear("a", Gossip());
    told += static_cast<int>(lone.effects.sends.size());
  }
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace sessionmesh::membership
