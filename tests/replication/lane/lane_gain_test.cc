// Fewer owners than nodes: who serves a slot, and when a new owner may.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "glog/logging.h"
#include "replication/slot.h"
#include "tests/replication/lane/few_owners.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class LaneGainTest : public FewOwnersTest {};

class LaneGainLeaverTest : public LeaverTest {};

// --- who serves

TEST_F(LaneGainTest, EverySlotIsReadyAtItsOwnersAndNothingElsewhere) {
  net_.StartReady(Names("abcd"));

  ExpectPlaced("abcd");
  uint32_t owned = 0;
  for (const NodeName& node : Names("abcd")) {
    EXPECT_TRUE(net_.node(node).status().ready);
    owned += net_.node(node).status().slots_owned;
  }
  EXPECT_EQ(owned, 2 * kSlots);
}

TEST_F(LaneGainTest, AClusterWithOneOwnerForEachSlotStarts) {
  LaneNetwork net(ConfigOf(1));
  for (const char* node : {"a", "b"}) net.Start(node);
  net.SetViews(Alive("ab"));
  net.LinkAll();

  net.Advance(absl::Seconds(5));

  for (const char* node : {"a", "b"}) {
    EXPECT_TRUE(net.node(node).status().ready) << node;
  }
}

TEST_F(LaneGainTest, AClusterThatGrowsWhileItStartsIsReadyOnceItStandsStill) {
  for (const char* node : {"a", "b", "c"}) net_.Start(node);
  net_.SetViews(Alive("abc"));
  net_.LinkAll();
  net_.DeliverAll();
  net_.Start("d");
  net_.SetViews(Alive("abcd"));
  net_.LinkAll();
  net_.DeliverAll();

  net_.Advance(ConfigOf(2).bootstrap_settle + absl::Milliseconds(10));

  ExpectPlaced("abcd");
}

TEST_F(LaneGainTest, ACallThatReachesNoOwnerNamesTheOwners) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "bd"}});
  ASSERT_THAT(net_.Create("b", id).status, IsOk());

  for (const char* node : {"a", "c"}) {
    const Reply reply = net_.Get(node, id);

    EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(reply.failure.reason, Reason::kNotReady);
    EXPECT_THAT(reply.failure.forward_to, UnorderedElementsAre("b", "d"));
  }
  EXPECT_THAT(net_.Get("d", id).status, IsOk());
}

TEST_F(LaneGainTest, AForwardedCallGoesNoFurther) {
  net_.StartReady(Names("abcd"));
  Command get;
  get.session_id = IdOf({{"abcd", "bd"}});
  get.forwarded = true;

  const Reply reply = net_.Run("a", get);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(reply.failure.forward_to, IsEmpty());
}

// --- when an owner may serve

// a leaves the slot, and c does not hear what it had.
TEST_F(LaneGainLeaverTest, AJoinerFetchesFromAllFormerOwnersBeforeItServes) {
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return from == "a" && std::holds_alternative<PullReply>(m);
  });
  JoinC();
  net_.Advance(absl::Seconds(5));
  EXPECT_EQ(PhaseAt("c", slot_), Phase::kSyncing);

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(5));
  ExpectPlaced("abc");
}

// c knows only a, which owns nothing of the slot.
TEST_F(LaneGainTest, AJoinerWaitsForTheOwnersThatItHasYetToMeet) {
  net_.StartReady(Names("abd"));
  const std::string id = IdOf({{"abd", "bd"}, {"abcd", "bc"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("b", id).status, IsOk());
  net_.Start("c");
  net_.SetView("c", Alive("ac"));
  Link("a", "c");
  net_.Advance(absl::Seconds(15));
  EXPECT_EQ(PhaseAt("c", slot), Phase::kSyncing);

  net_.SetViews(Alive("abcd"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(2));

  ExpectPlaced("abcd");
  EXPECT_THAT(net_.Get("c", id).status, IsOk());
}

class LaneGainOneOwnerTest : public LaneGainTest {
 protected:
  LaneGainOneOwnerTest() {
    one_.Start("b", /*bootstrap=*/true);
    one_.Start("c");
  }

  LaneNetwork one_{ConfigOf(1)};
  // c takes it over from b.
  const std::string id_ = IdOf({{"ab", "b"}, {"abc", "c"}}, /*replicas=*/1);
  const SlotId slot_ = one_.SlotOf(id_);
};

TEST_F(LaneGainOneOwnerTest, AJoinerThatMeetsNobodyWhoHasTheSlotWaits) {
  one_.Start("a");
  one_.SetView("a", Alive("ab"));
  one_.SetView("b", Alive("ab"));
  one_.SetView("c", Alive("ac"));
  one_.LinkAll();

  one_.Advance(absl::Seconds(15));

  EXPECT_EQ(one_.node("c").phase(slot_).phase, Phase::kSyncing);
}

TEST_F(LaneGainOneOwnerTest, AJoinerTakesOverFromTheOnlyOwner) {
  ASSERT_THAT(one_.Create("b", id_, {}, Durability::kLocal).status, IsOk());
  one_.SetViews(Alive("bc"));
  one_.LinkAll();

  one_.Advance(absl::Seconds(2));

  EXPECT_EQ(one_.node("c").phase(slot_), (SlotPhase{Phase::kReady, false}));
  EXPECT_EQ(one_.node("b").phase(slot_).phase, Phase::kNone);
  EXPECT_THAT(one_.Get("c", id_).status, IsOk());
}

// Fails likewise: e and f are the owners before they know of b and after.
TEST_F(LaneGainTest, JoinersAskFormerOwnersThatTheyMeetLate) {
  const std::string id = IdOf({{"abd", "bd"}, {"aef", "ef"}, {"abdef", "ef"}});
  const SlotId slot = net_.SlotOf(id);
  net_.StartReady(Names("abd"));
  ASSERT_THAT(net_.Create("b", id).status, IsOk());
  for (const char* node : {"e", "f"}) net_.Start(node);
  for (const char* node : {"e", "f"}) net_.SetView(node, Alive("aef"));
  net_.LinkAll();
  net_.DeliverAll();
  net_.SetViews(Alive("abdef"));

  net_.DeliverAll();

  EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("ef"));
  EXPECT_THAT(net_.Get("e", id).status, IsOk());
}

// e and f know only a, which sees other owners than they do.
TEST_F(LaneGainTest, JoinersThatMeetAnOldNodeAreNoNewCluster) {
  LaneNetwork net(ConfigOf(3));
  const std::string id = IdOf({{"abcd", "bcd"}}, /*replicas=*/3);
  const SlotId slot = net.SlotOf(id);
  net.StartReady(Names("abcd"));
  ASSERT_THAT(net.Create("b", id).status, IsOk());
  for (const char* node : {"e", "f"}) net.Start(node);
  for (const char* node : {"e", "f"}) net.SetView(node, Alive("aef"));
  net.LinkAll();

  net.Advance(absl::Seconds(15));

  EXPECT_EQ(net.NodesWhere(slot, Phase::kSyncing), Names("ef"));
}

TEST_F(LaneGainTest, JoinersThatMeetAnOldNodeThatOwnsNothingAreNoNewCluster) {
  const std::string id = IdOf({{"abd", "bd"}, {"aef", "ef"}});
  const SlotId slot = net_.SlotOf(id);
  net_.StartReady(Names("abd"));
  ASSERT_THAT(net_.Create("b", id).status, IsOk());
  for (const char* node : {"e", "f"}) net_.Start(node);
  for (const char* node : {"e", "f"}) net_.SetView(node, Alive("aef"));
  net_.LinkAll();

  net_.Advance(absl::Seconds(15));

  EXPECT_EQ(net_.NodesWhere(slot, Phase::kSyncing), Names("ef"));
}

TEST_F(LaneGainTest, ANewOwnerWaitsForTheOneThatLeaves) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "ab"}, {"bcd", "bc"}});
  const SlotId slot = net_.SlotOf(id);
  net_.Hold("a", "b");
  ASSERT_THAT(net_.Create("a", id, {}, Durability::kLocal).status, IsOk());
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return from == "a" && std::holds_alternative<PullReply>(m);
  });

  net_.Leave("a");
  net_.Advance(absl::Seconds(1));

  EXPECT_EQ(PhaseAt("c", slot), Phase::kSyncing);
}

// Fails likewise: d takes itself and c for a new cluster, and is ready, not
// degraded, with nothing.
TEST_F(LaneGainTest, NewOwnersWaitForOwnersThatLeaveTogether) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "ab"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return (from == "a" || from == "b") && std::holds_alternative<PullReply>(m);
  });

  net_.Leave("a");
  net_.Leave("b");
  net_.Advance(absl::Seconds(1));

  EXPECT_EQ(net_.NodesWhere(slot, Phase::kSyncing), Names("cd"));
}

class LaneGainOrphanTest : public LaneGainTest {
 protected:
  // The owners of a slot, a and b, are dead; c and d take over.
  LaneGainOrphanTest() {
    net_.StartReady(Names("abcd"));
    CHECK(net_.Create("a", id_).status.ok());
    net_.Kill("a");
    net_.Kill("b");
    net_.SetViews(With(State::kDead, "ab", "cd"));
    net_.Advance(absl::Seconds(29));  // takeover delay, most of the grace
  }

  const std::string id_ = IdOf({{"abcd", "ab"}});
  const SlotId slot_ = net_.SlotOf(id_);
};

TEST_F(LaneGainOrphanTest, NewOwnersServeAfterTheGraceAndSaySo) {
  EXPECT_EQ(net_.NodesWhere(slot_, Phase::kSyncing), Names("cd"));
  EXPECT_EQ(net_.Get("c", id_).failure.reason, Reason::kNotReady);

  net_.Hold("c", "d");
  net_.Hold("d", "c");
  net_.Advance(absl::Seconds(1));
  for (const char* node : {"c", "d"}) {
    EXPECT_EQ(net_.node(node).phase(slot_), (SlotPhase{Phase::kReady, true}));
  }

  // Nobody who lives has more.
  net_.Release("c", "d");
  net_.Release("d", "c");
  net_.Advance(absl::Seconds(1));
  EXPECT_EQ(net_.node("c").phase(slot_), (SlotPhase{Phase::kReady, false}));
}

TEST_F(LaneGainOrphanTest, NewOwnersReportWhatMayBeLost) {
  net_.Advance(absl::Seconds(2));

  for (const char* node : {"c", "d"}) {
    EXPECT_EQ(CountEvents(node, Event::Kind::kSlotOrphaned, slot_), 1u);
  }
}

TEST_F(LaneGainTest, FormerOwnersComeBackWithWhatTheyHad) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "ab"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  for (const char* node : {"a", "b"}) {
    Cut(node, "c");
    Cut(node, "d");
  }
  for (const char* node : {"c", "d"}) {
    net_.SetView(node, With(State::kDead, "ab", "cd"));
  }
  for (const char* node : {"a", "b"}) {
    net_.SetView(node, With(State::kDead, "cd", "ab"));
  }
  net_.Advance(absl::Seconds(31));
  ASSERT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("abcd"));
  ASSERT_THAT(net_.Create("c", id, {{"cart", "1"}}).status, IsOk());

  net_.SetViews(Alive("abcd"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(3));

  ExpectPlaced("abcd");
  for (const char* node : {"a", "b"}) {
    EXPECT_FALSE(net_.node(node).status().degraded);
    EXPECT_THAT(net_.node(node).slot(slot).lives(), SizeIs(2));
  }
}

}  // namespace
}  // namespace sessionmesh::replication
