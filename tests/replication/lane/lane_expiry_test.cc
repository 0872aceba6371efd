// What ends by time, and what keeps a session from it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "replication/slot.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class LaneExpiryTest : public ::testing::Test {
 protected:
  static constexpr absl::Duration kIdle = absl::Seconds(40);

  // A session that every node holds and that ends when idle for kIdle.
  void CreateIdle(const NodeName& node, const std::string& id) {
    Command create;
    create.kind = Command::Kind::kCreate;
    create.session_id = Id(id);
    create.idle = kIdle;
    create.durability = Durability::kAll;
    ASSERT_THAT(net_.Run(node, create).status, IsOk());
  }

  LaneNetwork net_;
};

TEST_F(LaneExpiryTest, AnIdleSessionEndsOnAllNodesAndAnActiveOneDoesNot) {
  net_.StartReady({"a", "b", "c"});
  for (const char* id : {"idle", "busy"}) CreateIdle("a", id);

  for (int i = 0; i < 6; ++i) {
    net_.Advance(absl::Seconds(15));
    ASSERT_THAT(net_.Get("b", Id("busy")).status, IsOk());
  }

  for (const char* node : {"a", "b", "c"}) {
    EXPECT_EQ(net_.node(node).status().sessions, 1u) << node;
    EXPECT_THAT(net_.Get(node, Id("idle")).status,
                StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_TRUE(net_.Converged());
}

TEST_F(LaneExpiryTest, NothingOutlivesItsAbsoluteDeadline) {
  net_.StartReady({"a", "b"});
  Command create;
  create.kind = Command::Kind::kCreate;
  create.session_id = Id("s");
  create.absolute_lifetime = absl::Seconds(30);
  ASSERT_THAT(net_.Run("a", create).status, IsOk());

  net_.Advance(absl::Seconds(29));
  EXPECT_THAT(net_.Get("b", Id("s")).status, IsOk());
  net_.Advance(absl::Seconds(2));

  EXPECT_THAT(net_.Get("b", Id("s")).status,
              StatusIs(absl::StatusCode::kNotFound));
  net_.Advance(absl::Seconds(10));
  EXPECT_EQ(net_.node("a").status().sessions, 0u);
}

// Simulator, seed 4001099: two nodes gave one foreign id to two lives.
TEST_F(LaneExpiryTest, AnUpdateShowsNoLifeOfTheIdThatIsPastItsDeadline) {
  net_.StartReady({"a", "b"});
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  for (const auto& [node, lifetime] :
       {std::pair{"a", absl::Seconds(30)}, std::pair{"b", absl::Hours(1)}}) {
    Command create;
    create.kind = Command::Kind::kCreate;
    create.session_id = Id("s");
    create.set = {{node, "1"}};
    create.absolute_lifetime = lifetime;
    create.durability = Durability::kLocal;
    ASSERT_THAT(net_.Run(node, create).status, IsOk());
  }
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.Advance(absl::Seconds(29));
  ASSERT_THAT(net_.Get("a", Id("s")).session->attributes, SizeIs(2));
  net_.Advance(absl::Seconds(1));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"cart", "1"}};
  set.return_session = true;
  set.durability = Durability::kLocal;

  const Reply reply = net_.Run("a", set);

  ASSERT_THAT(reply.status, IsOk());
  EXPECT_THAT(reply.session->attributes,
              UnorderedElementsAre(Pair("b", "1"), Pair("cart", "1")));
}

// Simulator, seed 2447, schedule expiry.
TEST_F(LaneExpiryTest,
       ASessionThatBecomesIdleWhileAQuorumReadWaitsIsAskedAbout) {
  net_.StartReady({"a", "b", "c"});
  CreateIdle("a", "s");
  net_.Advance(absl::Seconds(36));
  ASSERT_THAT(net_.Get("b", Id("s")).status, IsOk());
  net_.Advance(absl::Seconds(4));  // too soon after the last for a Touch
  ASSERT_THAT(net_.Get("b", Id("s")).status, IsOk());
  net_.Advance(absl::Seconds(35));
  net_.Hold("b", "a");
  net_.Hold("c", "a");
  Command get;
  get.kind = Command::Kind::kGet;
  get.session_id = Id("s");
  get.consistency = Consistency::kQuorum;

  const CallHandle call = net_.Begin("a", get);
  net_.Advance(absl::Seconds(3));  // idle for 42 seconds, as far as a knows

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, StatusIs(absl::StatusCode::kUnavailable));
  net_.Release("b", "a");
  net_.Release("c", "a");
  EXPECT_THAT(net_.Get("a", Id("s")).status, IsOk());
}

// Simulator, seed 9015112: whoever comes into reach while others are asked is
// asked as well.
TEST_F(LaneExpiryTest, ANodeThatIsLinkedDuringAnInquiryIsAskedToo) {
  net_.StartReady({"a", "b", "c"});
  CreateIdle("a", "s");
  for (const auto& [from, to] : {std::pair("a", "c"), std::pair("c", "a")}) {
    net_.LinkDown(from, to);
  }
  net_.Advance(absl::Seconds(39));
  ASSERT_THAT(net_.Get("c", Id("s")).status, IsOk());
  net_.LoseIf([](const NodeName& from, const NodeName& to, const Message&) {
    return from == "c" && to == "b";  // b hears nothing of it
  });
  net_.Advance(absl::Seconds(2));
  Command get;
  get.kind = Command::Kind::kGet;
  get.session_id = Id("s");

  net_.Hold("b", "a");
  const CallHandle call = net_.Begin("a", get);
  net_.DeliverAll();
  EXPECT_FALSE(net_.TakeReply(call).has_value());
  net_.LinkUp("a", "c");
  net_.LinkUp("c", "a");
  net_.DeliverAll();

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
}

// Who was an owner not long ago for a session that may be idle for days need
// not answer for one that is idle after 40 seconds.
TEST_F(LaneExpiryTest, ALongIdleTimeKeepsNoOtherSessionAlive) {
  Config config = LaneNetwork::SmallConfig();
  config.slot_count = 1;
  LaneNetwork net(config);
  net.StartReady({"a", "b", "c"});
  for (const auto& [id, idle] :
       {std::pair{"short", kIdle}, std::pair{"long", absl::Hours(20)}}) {
    Command create;
    create.kind = Command::Kind::kCreate;
    create.session_id = Id(id);
    create.idle = idle;
    create.durability = Durability::kAll;
    ASSERT_THAT(net.Run("a", create).status, IsOk());
  }
  net.Kill("c");  // and never comes back
  net.SetViews(
      {{"a", State::kAlive}, {"b", State::kAlive}, {"c", State::kDead}});

  net.Advance(absl::Minutes(3));

  EXPECT_THAT(net.Get("b", Id("short")).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(net.node("a").status().sessions, 1u);
}

TEST_F(LaneExpiryTest, ReadsAreToldOnceInAnEighthOfTheIdleTime) {
  net_.StartReady({"a", "b"});
  CreateIdle("a", "s");
  int told = 0;
  net_.LoseIf(
      [&told](const NodeName&, const NodeName&, const Message& message) {
        told += std::holds_alternative<Touches>(message) ? 1 : 0;
        return false;
      });

  for (int second = 1; second <= 40; ++second) {
    net_.Advance(absl::Seconds(1));
    ASSERT_THAT(net_.Get("b", Id("s")).status, IsOk());
  }
  net_.Advance(absl::Seconds(1));

  EXPECT_EQ(told, 8);
}

TEST_F(LaneExpiryTest, ReadsOfManySessionsAreToldTogether) {
  net_.StartReady({"a", "b"});
  for (int i = 0; i < 20; ++i) CreateIdle("a", absl::StrCat("s", i));
  int told = 0;
  net_.LoseIf(
      [&told](const NodeName&, const NodeName&, const Message& message) {
        told += std::holds_alternative<Touches>(message) ? 1 : 0;
        return false;
      });
  net_.Advance(absl::Seconds(10));

  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(net_.Get("b", Id(absl::StrCat("s", i))).status, IsOk());
  }
  net_.Advance(absl::Seconds(1));

  EXPECT_EQ(told, 1);
}

// Contexts do not grow for ever: an actor mints for a while, and when all that
// it can have touched is over it is forgotten.
TEST_F(LaneExpiryTest, ActorsRotateAndAreForgotten) {
  Config config = LaneNetwork::SmallConfig();
  config.slot_count = 1;
  config.absolute_lifetime_max = absl::Minutes(40);
  config.absolute_lifetime_default = absl::Minutes(40);
  config.idle_default = absl::Minutes(40);
  LaneNetwork net(config);
  net.StartReady({"a", "b"});
  const Reply created = net.Create("a", Id("s"));
  const Dot old = net.node("a").Holds(Id("s")).version.front();

  net.Advance(config.actor_rotation() + absl::Minutes(1));
  const Reply set = net.Set("a", Id("s"), "cart", "1", {created.token});

  ASSERT_THAT(set.status, IsOk());
  EXPECT_EQ(net.CountEvents("a", Event::Kind::kActorRotated), 1u);
  const Dot fresh = net.node("a").Holds(Id("s")).version.front();
  EXPECT_NE(fresh.actor, old.actor);
  EXPECT_THAT(net.Get("b", Id("s"), {created.token, set.token}).status, IsOk());
  const auto stores = [&net](const Dot& dot) {
    const auto& entries = net.node("b").slot(0).context().entries();
    return std::any_of(
        entries.begin(), entries.end(),
        [&dot](const Context::Entry& e) { return e.actor == dot.actor; });
  };
  EXPECT_TRUE(stores(old));

  net.Advance(config.context_horizon() - config.actor_rotation());

  EXPECT_FALSE(stores(old));
  EXPECT_TRUE(stores(fresh));
  EXPECT_TRUE(net.node("b").slot(0).context().Contains(old)) << "as covered";
  EXPECT_THAT(net.Get("b", Id("s"), {created.token}).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneExpiryTest, AnAccessThatNobodyHeardOfIsToldWhenItsNodeLeaves) {
  net_.StartReady({"a", "b"});
  CreateIdle("a", "s");
  net_.LinkDown("a", "b");
  net_.LinkDown("b", "a");
  net_.Advance(absl::Seconds(10));
  ASSERT_THAT(net_.Get("a", Id("s")).status, IsOk());
  net_.Advance(absl::Seconds(1));
  net_.LinkAll();
  net_.Advance(absl::Seconds(1));

  net_.Leave("a");
  net_.DeliverAll();
  net_.SetViews({{"a", State::kLeft}, {"b", State::kAlive}});
  net_.Advance(absl::Seconds(33));  // 45 since it was created

  EXPECT_THAT(net_.Get("b", Id("s")).status, IsOk());
}

}  // namespace
}  // namespace sessionmesh::replication
