// What peers that lie, peers that cannot be reached, and clients that want too
// much cannot do to a node.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "replication/life.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A CREATE that `actor` has never made.
DeltaPtr Invented(SlotId slot, ActorId actor, uint64_t counter, Instant now) {
  Delta delta{.slot = slot, .kind = Delta::Kind::kCreate};
  delta.actor = actor;
  delta.first = counter;
  delta.hlc = MakeHlc(absl::ToUnixMillis(now.wall), 0);
  delta.ops.push_back({.kind = Op::Kind::kPut,
                       .name = std::string(kIdAttribute),
                       .value = Id("invented"),
                       .hlc = delta.hlc});
  delta.births = {delta.dot(0)};
  delta.idle = absl::Minutes(30);
  delta.deadline =
      absl::FromUnixMillis(absl::ToUnixMillis(now.wall)) + absl::Hours(1);
  return std::make_shared<const Delta>(std::move(delta));
}

TEST(LaneBoundsTest, ANodeWhoseOwnDotsAreForgedTakesANewActor) {
  LaneNetwork net;
  net.StartReady({"a", "b"});
  ASSERT_THAT(net.Create("a", Id("s")).status, IsOk());
  const Dot mine = net.node("a").Holds(Id("s")).version.front();

  Frame frame{.epoch = 4711, .seq = 1};
  frame.deltas.push_back(Invented(net.SlotOf(Id("s")), mine.actor,
                                  mine.counter + 1, net.now("a")));
  net.Forge("b", "a", frame);
  const Reply reply = net.Set("a", Id("s"), "cart", "1");

  EXPECT_THAT(reply.status, IsOk());
  EXPECT_NE(net.node("a").Holds(Id("s")).version.front().actor, mine.actor);
  EXPECT_EQ(net.CountEvents("a", Event::Kind::kRefused), 1u);
  EXPECT_THAT(net.Get("b", Id("s"), {reply.token}).status, IsOk());
}

// A KILL covers its births, too.
TEST(LaneBoundsTest, ANodeWhoseNextDotIsKilledTakesANewActor) {
  LaneNetwork net;
  net.StartReady({"a", "b"});
  ASSERT_THAT(net.Create("a", Id("s")).status, IsOk());
  const Dot mine = net.node("a").Holds(Id("s")).version.front();
  Delta kill{.slot = net.SlotOf(Id("s")), .kind = Delta::Kind::kKill};
  kill.actor = MakeActorId(net.now("b").wall, 7);
  kill.first = 1;
  kill.hlc = MakeHlc(absl::ToUnixMillis(net.now("b").wall), 0);
  kill.births = {{mine.actor, mine.counter + 1}};
  kill.reason = EndReason::kDeleted;

  Frame frame{.epoch = 4711, .seq = 1};
  frame.deltas.push_back(std::make_shared<const Delta>(kill));
  net.Forge("b", "a", frame);

  EXPECT_THAT(net.Set("a", Id("s"), "cart", "1").status, IsOk());
  EXPECT_NE(net.node("a").Holds(Id("s")).version.front().actor, mine.actor);
}

TEST(LaneBoundsTest, StrangersThatSayHelloAreForgotten) {
  LaneNetwork net;
  net.StartReady({"a", "b"});

  for (uint64_t i = 0; i < 1000; ++i) {
    net.Forge(absl::StrCat("stranger", i), "a", Hello{.process = i + 100});
  }

  EXPECT_LE(net.node("a").peers(net.now("a")).size(), 300u);
  net.SetViews({{"a", membership::State::kAlive},
                {"b", membership::State::kAlive},
                {"c", membership::State::kDead}});
  EXPECT_THAT(net.node("a").peers(net.now("a")), SizeIs(1));
}

TEST(LaneBoundsTest, AnOwnerThatCannotBeLinkedHoldsUpNoWriteForEver) {
  LaneNetwork net;
  net.StartReady({"a", "b"});
  ASSERT_THAT(net.Create("a", Id("s")).status, IsOk());
  net.LinkDown("a", "b");
  net.LinkDown("b", "a");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"cart", "1"}};
  set.deadline = net.now("a").steady + absl::Seconds(20);

  const CallHandle call = net.Begin("a", set);
  net.Advance(absl::Seconds(4));
  EXPECT_FALSE(net.TakeReply(call).has_value());
  net.Advance(absl::Seconds(2));

  const std::optional<Reply> reply = net.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
  EXPECT_TRUE(reply->degraded);
  EXPECT_EQ(reply->replicas, 1u);
  net.LinkAll();
  net.Advance(absl::Seconds(1));
  EXPECT_FALSE(
      net.Set("a", Id("s"), "cart", "2", {}, Durability::kOne).degraded);
}

TEST(LaneBoundsTest, ANodeWhoseClockWasSetBackTakesNoChangesAndSaysSo) {
  LaneNetwork net;
  net.StartReady({"a", "b"});
  ASSERT_THAT(net.Create("a", Id("s")).status, IsOk());
  net.Skew("a", -absl::Seconds(2));

  const Reply refused = net.Set("a", Id("s"), "cart", "1");
  net.Advance(absl::Seconds(1));

  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable,
                                       HasSubstr("set back by")));
  EXPECT_FALSE(refused.failure.applied);
  EXPECT_THAT(net.Get("a", Id("s")).status, IsOk());
  EXPECT_THAT(net.Set("b", Id("s"), "cart", "2").status, IsOk());
  EXPECT_EQ(net.CountEvents("a", Event::Kind::kClockBehind), 1u);
  EXPECT_EQ(net.CountEvents("b", Event::Kind::kClockBehind), 0u);

  net.Advance(absl::Seconds(2));

  EXPECT_THAT(net.Set("a", Id("s"), "cart", "3").status, IsOk());
}

TEST(LaneBoundsTest, RepliesThatWaitAreBoundedInBytes) {
  Config config = LaneNetwork::SmallConfig();
  config.waiting_bytes_max = 1000;
  LaneNetwork net(config);
  net.StartReady({"a", "b"});
  ASSERT_THAT(
      net.Create("a", Id("s"), {{"big", std::string(1000, 'x')}}).status,
      IsOk());
  net.Hold("a", "b");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"cart", "1"}};
  set.return_session = true;

  const CallHandle first = net.Begin("a", set);
  const Reply second = net.Set("a", Id("s"), "cart", "2");

  EXPECT_THAT(second.status, StatusIs(absl::StatusCode::kResourceExhausted,
                                      HasSubstr("at most 1000")));
  EXPECT_FALSE(second.failure.applied);
  net.Release("a", "b");
  net.DeliverAll();
  EXPECT_THAT(net.TakeReply(first)->status, IsOk());
  EXPECT_THAT(net.Set("a", Id("s"), "cart", "2").status, IsOk());
}

TEST(LaneBoundsTest, CallsThatWaitForTheirTokenAreBoundedInBytes) {
  Config config = LaneNetwork::SmallConfig();
  config.waiting_bytes_max = 1000;
  LaneNetwork net(config);
  net.StartReady({"a", "b"});
  ASSERT_THAT(net.Create("a", Id("s")).status, IsOk());
  net.Hold("a", "b");
  const Reply ahead =
      net.Set("a", Id("s"), "cart", "1", {}, Durability::kLocal);

  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"big", std::string(800, 'x')}};
  set.tokens = {ahead.token};
  const CallHandle first = net.Begin("b", set);
  const Reply second = net.Run("b", set);

  EXPECT_THAT(second.status, StatusIs(absl::StatusCode::kResourceExhausted));
  net.Release("a", "b");
  net.DeliverAll();
  EXPECT_THAT(net.TakeReply(first)->status, IsOk());
  EXPECT_THAT(net.Run("b", set).status, IsOk());
}

TEST(LaneBoundsTest, ASlotTakesNoMoreSessionsThanAPullCanList) {
  Config config = LaneNetwork::SmallConfig();
  config.slot_count = 1;
  config.slot_sessions_max = 2;
  LaneNetwork net(config);
  net.Start("a", /*bootstrap=*/true);
  ASSERT_THAT(net.Create("a", Id("one")).status, IsOk());
  ASSERT_THAT(net.Create("a", Id("two")).status, IsOk());

  EXPECT_THAT(
      net.Create("a", Id("three")).status,
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("at most 2")));
  EXPECT_THAT(net.Set("a", Id("two"), "cart", "1").status, IsOk());
}

// An update of a session whose CREATE never comes.
DeltaPtr Orphan(SlotId slot, uint64_t counter, size_t bytes, Instant now) {
  Delta delta{.slot = slot, .kind = Delta::Kind::kUpdate};
  delta.actor = MakeActorId(now.wall, 7);
  delta.first = counter;
  delta.hlc = MakeHlc(absl::ToUnixMillis(now.wall), 0);
  delta.ops.push_back({.kind = Op::Kind::kPut,
                       .name = "k",
                       .value = std::string(bytes, 'x'),
                       .hlc = delta.hlc});
  delta.births = {{MakeActorId(now.wall, 9), 1}};
  delta.deps = delta.births;
  return std::make_shared<const Delta>(std::move(delta));
}

TEST(LaneBoundsTest, WhatAllSlotsOfALaneParkIsBounded) {
  Config config = LaneNetwork::SmallConfig();
  config.parked_node_bytes_max = 512 << 10;
  LaneNetwork net(config);
  net.StartReady({"a", "b"});
  std::vector<FrameAck> acknowledged;
  net.LoseIf([&](const NodeName& from, const NodeName&, const Message& m) {
    const FrameAck* ack = std::get_if<FrameAck>(&m);
    if (from == "a" && ack != nullptr) acknowledged.push_back(*ack);
    return std::holds_alternative<PullReply>(m);
  });

  // 200 KiB in each of four slots: the third finds no room, although its slot
  // is empty.
  for (uint64_t n = 1; n <= 4; ++n) {
    Frame frame{.epoch = 4711, .seq = n};
    frame.deltas.push_back(
        Orphan(static_cast<SlotId>(n - 1), n, 200 << 10, net.now("a")));
    net.Forge("b", "a", frame);
  }
  net.DeliverAll();

  EXPECT_EQ(net.node("a").status().parked, 2u);
  ASSERT_FALSE(acknowledged.empty());
  EXPECT_THAT(acknowledged.back().parked, SizeIs(4))
      << "none of them counts as held";

  // What is dropped makes room again.
  net.LoseIf(nullptr);
  net.Advance(config.parked_max + config.expiry_pass_interval);
  EXPECT_EQ(net.node("a").status().parked, 0u);
  Frame frame{.epoch = 4711, .seq = 5};
  frame.deltas.push_back(Orphan(2, 5, 200 << 10, net.now("a")));
  net.Forge("b", "a", frame);
  EXPECT_EQ(net.node("a").status().parked, 1u);
}

TEST(LaneBoundsTest, ALanesShareOfParkedBytesHoldsTheLargestSession) {
  Config config = LaneNetwork::SmallConfig();
  ASSERT_THAT(config.Validate(), IsOk());
  config.parked_node_bytes_max = config.session_bytes_max;

  EXPECT_THAT(config.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("share of the parked bytes is 262144")));
}

}  // namespace
}  // namespace sessionmesh::replication
