// How many owners hold a write that is answered, and what is said when few do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

class LaneDurabilityTest : public ::testing::Test {
 protected:
  LaneNetwork net_;
};

TEST_F(LaneDurabilityTest, DurabilityThatIsNotMetInTimeSaysHowFarItCame) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");

  const Reply reply = net_.Set("a", Id("s"), "k", "v", {}, Durability::kOne);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(reply.failure.reason, Reason::kDurabilityUnmet);
  EXPECT_TRUE(reply.failure.applied);
  EXPECT_EQ(reply.failure.value, 1u);
  net_.Release("a", "b");
  net_.DeliverAll();
  EXPECT_TRUE(net_.Converged()) << "it replicates all the same";
}

TEST_F(LaneDurabilityTest, AWriteGoesOnDegradedOnceItsOnlyPartnerIsDead) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Kill("b");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  const CallHandle handle = net_.Begin("a", set);
  EXPECT_FALSE(net_.TakeReply(handle).has_value());

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}});

  const std::optional<Reply> reply = net_.TakeReply(handle);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
  EXPECT_TRUE(reply->degraded);
  EXPECT_EQ(reply->replicas, 1u);
}

TEST_F(LaneDurabilityTest, StrictDurabilityFailsBeforeAnythingIsChanged) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Kill("b");
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kDead}});
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  set.strict = true;

  const Reply reply = net_.Run("a", set);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(reply.failure.applied);
  EXPECT_EQ(net_.Get("a", Id("s")).session->attributes.count("k"), 0u);
}

TEST_F(LaneDurabilityTest, ACopyThatDiedCountsNoLonger) {
  net_.StartReady({"a", "b", "c"});
  ASSERT_THAT(net_.Create("a", Id("s")).status, IsOk());
  net_.Hold("a", "c");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"cart", "1"}};
  set.durability = Durability::kAll;
  set.deadline = net_.now("a").steady + absl::Seconds(30);
  const CallHandle call = net_.Begin("a", set);
  net_.DeliverAll();  // b holds it
  net_.Kill("b");

  net_.SetViews(
      {{"a", State::kAlive}, {"b", State::kSuspect}, {"c", State::kAlive}});
  net_.DeliverAll();
  EXPECT_FALSE(net_.TakeReply(call).has_value());
  net_.Release("a", "c");
  net_.DeliverAll();

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->replicas, 2u);
  EXPECT_TRUE(reply->degraded);
}

// The flag of the first try is not what is true now.
TEST_F(LaneDurabilityTest, ARetrySaysThatItsNodeIsIsolatedNow) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  set.request_id = std::string(16, 'q');
  ASSERT_FALSE(net_.Run("a", set).degraded);

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}},
               /*isolated=*/true);
  const Reply isolated = net_.Run("a", set);
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kAlive}});
  const Reply healed = net_.Run("a", set);

  EXPECT_THAT(isolated.status, IsOk());
  EXPECT_TRUE(isolated.degraded);
  EXPECT_EQ(isolated.degraded_reason, "this node hears nobody");
  EXPECT_EQ(isolated.replicas, 2u);
  EXPECT_FALSE(healed.degraded);
}

TEST_F(LaneDurabilityTest,
       ARetrySaysBothThatFewHoldItAndThatItsNodeIsIsolated) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Kill("b");
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}});
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  set.request_id = std::string(16, 'q');
  ASSERT_EQ(net_.Run("a", set).replicas, 1u);

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}},
               /*isolated=*/true);
  const Reply retried = net_.Run("a", set);

  EXPECT_TRUE(retried.degraded);
  EXPECT_THAT(
      retried.degraded_reason,
      AllOf(HasSubstr("only 1 owner(s) held it"), HasSubstr("hears nobody")));
}

TEST_F(LaneDurabilityTest, AWriteWhoseNodeIsIsolatedWhileItWaitsSaysSo) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("b", "a");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  const CallHandle call = net_.Begin("a", set);
  net_.DeliverAll();

  // Its streams still stand: only datagrams are lost.
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}},
               /*isolated=*/true);
  ASSERT_FALSE(net_.TakeReply(call).has_value());
  net_.Release("b", "a");
  net_.DeliverAll();

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
  EXPECT_EQ(reply->replicas, 2u);
  EXPECT_TRUE(reply->degraded);
  EXPECT_EQ(reply->degraded_reason, "this node hears nobody");
}

}  // namespace
}  // namespace sessionmesh::replication
