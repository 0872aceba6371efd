// Fewer owners than nodes: when a node may drop its copy of a slot.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "glog/logging.h"
#include "replication/slot.h"
#include "tests/replication/lane/few_owners.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr SlotId kNoSlot = 65535;

class LaneHandOverTest : public FewOwnersTest {};

class LaneHandOverLeaverTest : public LeaverTest {};

// --- who comes, leaves and dies

TEST_F(LaneHandOverTest, AJoinerTakesOverWhatItOwns) {
  net_.StartReady(Names("abc"));
  CreateInEverySlot();
  net_.Start("d");
  net_.SetViews(Alive("abcd"));
  net_.LinkAll();

  net_.Advance(absl::Seconds(3));

  ExpectPlaced("abcd");
  EXPECT_FALSE(net_.node("d").status().degraded);
  EXPECT_GT(net_.node("d").status().sessions, 0u);
}

TEST_F(LaneHandOverTest, WhoHandedASlotOverKeepsNothingOfIt) {
  net_.StartReady(Names("ab"));
  CreateInEverySlot();
  JoinC();

  net_.Advance(absl::Seconds(3));

  for (SlotId slot = 0; slot < kSlots; ++slot) {
    for (const NodeName& node : Names("ab")) {
      const bool owns = absl::StrContains(OwnersAmong("abc", slot, 2), node);
      EXPECT_THAT(net_.node(node).slot(slot).lives(), SizeIs(owns ? 1 : 0));
      EXPECT_EQ(CountEvents(node, Event::Kind::kSlotDropped, slot),
                owns ? 0u : 1u);
    }
  }
}

TEST_F(LaneHandOverTest, ANodeThatLeavesIsDoneWhenAllItsSlotsAreElsewhere) {
  net_.StartReady(Names("abc"));
  CreateInEverySlot();
  net_.Hold("a", "c");
  net_.Leave("a");
  net_.Advance(absl::Seconds(3));
  EXPECT_FALSE(net_.node("a").handed_over());
  // Before each message that is delivered.
  net_.LoseIf([this](const NodeName&, const NodeName&, const Message&) {
    if (!net_.node("a").handed_over()) return false;
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("bc")) << slot;
    }
    return false;
  });

  net_.Release("a", "c");
  net_.Advance(absl::Seconds(3));

  EXPECT_TRUE(net_.node("a").handed_over());
  ExpectPlaced("bc");
  EXPECT_EQ(net_.node("a").status().sessions, 0u);
}

TEST_F(LaneHandOverTest, TheDeadKeepTheirPlaceForTheTakeoverDelay) {
  net_.StartReady(Names("abcd"));
  CreateInEverySlot();
  net_.Kill("d");
  net_.SetViews(With(State::kDead, "d", "abc"));

  net_.Advance(absl::Seconds(9));
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    std::string owners = OwnersAmong("abcd", slot, 2);
    owners.erase(std::remove(owners.begin(), owners.end(), 'd'), owners.end());
    EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), Names(owners));
    EXPECT_EQ(net_.NodesWhere(slot, Phase::kNone).size(), 3 - owners.size());
  }

  net_.Advance(absl::Seconds(3));
  ExpectPlaced("abc");
}

TEST_F(LaneHandOverTest, AQuickRestartMovesNothing) {
  net_.StartReady(Names("abcd"));
  CreateInEverySlot();
  net_.Kill("d");
  net_.SetViews(With(State::kDead, "d", "abc"));
  net_.Advance(absl::Seconds(5));
  net_.Start("d");
  net_.SetViews(Alive("abcd"));
  net_.LinkAll();

  net_.Advance(absl::Seconds(15));

  ExpectPlaced("abcd");
  for (const NodeName& node : Names("abcd")) {
    EXPECT_EQ(net_.CountEvents(node, Event::Kind::kSlotDropped), 0u);
  }
}

// The new owners have the write from pulls; no frame with it arrives.
TEST_F(LaneHandOverTest, AWriteThatWaitsIsAnsweredWhenItIsHandedOver) {
  net_.StartReady(Names("ab"));
  Command create;
  create.kind = Command::Kind::kCreate;
  create.session_id = IdOf({{"abc", "bc"}});
  create.durability = Durability::kAll;
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return from == "a" && std::holds_alternative<Frame>(m);
  });
  const CallHandle call = net_.Begin("a", create);
  net_.Advance(absl::Milliseconds(10));
  ASSERT_FALSE(net_.TakeReply(call).has_value());

  JoinC();
  net_.Advance(absl::Seconds(1));

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
  EXPECT_EQ(reply->replicas, 2u);
  EXPECT_EQ(PhaseAt("a", net_.SlotOf(create.session_id)), Phase::kNone);
}

// Nothing gets through to b, one of the two owners. Fails: Lane::Held counts
// this node although it is no owner any more; Lane::Live does not.
TEST_F(LaneHandOverTest, WhoLeavesASlotCountsAsNoOwnerThatHoldsAWrite) {
  net_.StartReady(Names("ab"));
  Command create;
  create.kind = Command::Kind::kCreate;
  create.session_id = IdOf({{"abc", "bc"}});
  create.durability = Durability::kAll;
  const SlotId slot = net_.SlotOf(create.session_id);
  net_.Hold("a", "b");
  net_.Hold("c", "b");
  const CallHandle call = net_.Begin("a", create);

  JoinC();
  net_.Advance(absl::Milliseconds(100));

  ASSERT_EQ(PhaseAt("a", slot), Phase::kLeaving);
  ASSERT_THAT(net_.node("b").slot(slot).lives(), IsEmpty());
  EXPECT_FALSE(net_.TakeReply(call).has_value());
}

TEST_F(LaneHandOverLeaverTest, AWatchIsToldWhereItsSlotHasGone) {
  Effects effects;
  net_.node("a").Watch(77, id_, {}, false, net_.now("a"), &effects);
  ASSERT_THAT(effects.watch_updates, SizeIs(1));

  JoinC();

  const std::vector<WatchUpdate> updates = net_.TakeWatchUpdates("a");
  ASSERT_THAT(updates, SizeIs(1));
  EXPECT_THAT(updates[0].status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(updates[0].forward_to, UnorderedElementsAre("b", "c"));
}

// --- when a copy may go

// Each of the two believes that only the other is an owner, and asks it.
TEST_F(LaneHandOverTest, TwoThatLeaveUnawareOfEachOtherKeepTheLastCopies) {
  net_.StartReady(Names("ab"));
  const SlotId slot = net_.SlotOf(Id("s"));
  ASSERT_THAT(net_.Create("a", Id("s")).status, IsOk());
  net_.LoseIf([](const NodeName&, const NodeName&, const Message& message) {
    return std::holds_alternative<Digest>(message);
  });

  net_.Leave("a");
  net_.Leave("b");
  net_.Advance(absl::Seconds(3));

  for (const char* node : {"a", "b"}) {
    EXPECT_EQ(PhaseAt(node, slot), Phase::kLeaving) << node;
    EXPECT_THAT(net_.node(node).slot(slot).lives(), SizeIs(1)) << node;
    EXPECT_FALSE(net_.node(node).handed_over()) << node;
  }
}

// To a, which knows nothing of d, b and c are the owners; to b, which knows
// nothing of c, a and d are.
TEST_F(LaneHandOverTest, TwoThatTakeEachOtherForTheOwnerKeepTheirCopies) {
  for (const char* node : {"a", "c"}) net_.SetZone(node, "east");
  for (const char* node : {"b", "d"}) net_.SetZone(node, "west");
  const std::string id = IdOf({{"ac", "c"}, {"bd", "d"}}, /*replicas=*/1);
  const SlotId slot = net_.SlotOf(id);
  net_.StartReady(Names("ab"));
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  net_.Start("c");
  net_.Start("d");
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  for (const char* node : {"a", "c"}) net_.SetView(node, Alive("abc"));
  for (const char* node : {"b", "d"}) net_.SetView(node, Alive("abd"));
  net_.LinkAll();
  net_.DeliverAll();
  ASSERT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("cd"));

  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(net_.NodesWhere(slot, Phase::kLeaving), Names("ab"));

  net_.SetViews(Alive("abcd"));
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("cd"));
  EXPECT_EQ(net_.NodesWhere(slot, Phase::kNone), Names("ab"));
  EXPECT_THAT(net_.Get("d", id).status, IsOk());
}

// b does not know of c yet and still sends to a what it writes.
TEST_F(LaneHandOverLeaverTest, ConsentsToWhatWasThereBeforeAWriteDoNotCount) {
  net_.Start("c");
  net_.SetView("a", Alive("abc"));
  net_.SetView("c", Alive("abc"));
  net_.LinkAll();
  InterceptConsents();
  net_.DeliverAll();
  ASSERT_THAT(consents_, SizeIs(2));

  net_.Set("b", id_, "cart", "1", {}, Durability::kLocal);
  net_.DeliverAll();
  for (const auto& [node, consent] : consents_) {
    net_.Forge(node, "a", consent);
  }
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kLeaving);

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(2));
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kNone);
  EXPECT_THAT(net_.Get("c", id_).session->attributes,
              ElementsAre(Pair("cart", "1")));
}

TEST_F(LaneHandOverLeaverTest, ConsentsToWhatWasThereBeforeAnAccessDoNotCount) {
  InterceptConsents();
  JoinC();
  net_.Advance(absl::Seconds(1));
  ASSERT_THAT(consents_, SizeIs(2));
  const Slot& at_a = net_.node("a").slot(slot_);
  const LastAccess access{at_a.lives().begin()->first,
                          absl::ToUnixMillis(net_.now("a").wall)};

  net_.Forge("b", "a", Touches{{{slot_, access}}});
  for (const auto& [node, consent] : consents_) {
    net_.Forge(node, "a", consent);
  }
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kLeaving);

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(2));
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kNone);
  EXPECT_THAT(net_.node("c").slot(slot_).LastAccesses(), ElementsAre(access));
}

TEST_F(LaneHandOverTest, ConsentsGivenBeforeTheOwnersChangedDoNotCount) {
  net_.StartReady(Names("ab"));
  const std::string id = IdOf({{"abc", "bc"}, {"abcd", "cd"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  InterceptConsents();
  JoinC();
  net_.DeliverAll();
  const DropConsent consent = consents_.at("c");
  net_.Start("d");
  net_.LinkAll();
  net_.DeliverAll();
  net_.SetViews(Alive("abcd"));
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return from == "c" && std::holds_alternative<DropConsent>(m);
  });
  net_.Advance(absl::Seconds(2));  // d consents

  net_.Forge("c", "a", consent);
  EXPECT_EQ(PhaseAt("a", slot), Phase::kLeaving);

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(2));
  ExpectPlaced("abcd");
}

// a gets its slot back when c leaves, and loses it again to another c.
TEST_F(LaneHandOverLeaverTest, ConsentsDoNotCountWhenTheSlotIsLostAgain) {
  InterceptConsents();
  JoinC();
  net_.DeliverAll();
  ASSERT_THAT(consents_, SizeIs(2));
  net_.LoseIf(nullptr);
  net_.Leave("c");
  net_.Advance(absl::Seconds(2));
  ASSERT_TRUE(net_.node("c").handed_over());
  ASSERT_EQ(PhaseAt("a", slot_), Phase::kReady);
  net_.Kill("c");
  net_.Hold("a", "c");
  JoinC();
  net_.DeliverAll();

  for (const auto& [node, consent] : consents_) {
    net_.Forge(node, "a", consent);
  }
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kLeaving);

  net_.Release("a", "c");
  net_.Advance(absl::Seconds(2));
  ExpectPlaced("abc");
}

TEST_F(LaneHandOverLeaverTest, AConsentOfAProcessThatIsOverDoesNotCount) {
  net_.LoseIf([](const NodeName& from, const NodeName&, const Message& m) {
    return from == "c" && std::holds_alternative<DropConsent>(m);
  });
  JoinC();
  net_.DeliverAll();
  ASSERT_EQ(PhaseAt("a", slot_), Phase::kLeaving);
  net_.Kill("b");
  net_.Start("b");
  net_.SetView("b", Alive("abc"));
  // It says who it is and fetches nothing.
  net_.Hold("a", "b");
  net_.Hold("c", "b");
  net_.LinkAll();
  net_.DeliverAll();

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(3));  // c consents
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kLeaving);

  net_.Release("a", "b");
  net_.Release("c", "b");
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kNone);
  EXPECT_THAT(net_.Get("b", id_).status, IsOk());
}

TEST_F(LaneHandOverLeaverTest, AnOwnerThatDiedWithoutConsentIsWaitedFor) {
  JoinC();
  net_.Kill("c");
  net_.SetViews(With(State::kDead, "c", "ab"));

  net_.Advance(absl::Seconds(9));
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kLeaving);

  net_.Advance(absl::Seconds(3));  // it has lost its place
  EXPECT_EQ(net_.NodesWhere(slot_, Phase::kReady), Names("ab"));
}

TEST_F(LaneHandOverTest, WhatOnlyTheLeaverHasIsFetchedBeforeItGoes) {
  net_.StartReady(Names("ab"));
  const std::string id = IdOf({{"abc", "bc"}});
  net_.Hold("a", "b");
  ASSERT_THAT(net_.Create("a", id, {}, Durability::kLocal).status, IsOk());
  net_.LinkDown("a", "b");  // with what is under way
  net_.Release("a", "b");
  JoinC();

  net_.Advance(absl::Seconds(3));

  EXPECT_EQ(net_.NodesWhere(net_.SlotOf(id), Phase::kNone), Names("a"));
  EXPECT_THAT(net_.Get("b", id).status, IsOk());
  EXPECT_THAT(net_.Get("c", id).status, IsOk());
}

// The access at a is too soon after the last for a Touch, and later than what b
// and c have fetched.
TEST_F(LaneHandOverTest, AnAccessThatOnlyTheLeaverKnowsIsHandedOver) {
  net_.StartReady(Names("ab"));
  Command create;
  create.kind = Command::Kind::kCreate;
  create.session_id = IdOf({{"abc", "bc"}});
  create.idle = absl::Seconds(40);
  create.durability = Durability::kAll;
  const SlotId slot = net_.SlotOf(create.session_id);
  ASSERT_THAT(net_.Run("a", create).status, IsOk());
  net_.Start("c");
  net_.SetView("b", Alive("abc"));
  net_.SetView("c", Alive("abc"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(4));
  ASSERT_EQ(net_.NodesWhere(slot, Phase::kReady), Names("abc"));
  ASSERT_THAT(net_.Get("a", create.session_id).status, IsOk());

  net_.SetView("a", Alive("abc"));
  net_.Advance(absl::Seconds(2));
  ASSERT_EQ(PhaseAt("a", slot), Phase::kNone);
  net_.Kill("a");
  net_.SetViews(With(State::kLeft, "a", "bc"));
  net_.Advance(absl::Seconds(36));  // 42 since it was created

  EXPECT_THAT(net_.Get("b", create.session_id).status, IsOk());
  EXPECT_THAT(net_.Get("c", create.session_id).status, IsOk());
}

// To b, which does not know of d, c is an owner.
TEST_F(LaneHandOverTest, AWriteThatReachesNoOwnerIsHandedOver) {
  const std::string id = IdOf({{"abc", "bc"}, {"abcd", "bd"}});
  const SlotId slot = net_.SlotOf(id);
  net_.StartReady(Names("abc"));
  ASSERT_THAT(net_.Create("b", id).status, IsOk());
  net_.Start("d");
  for (const char* node : {"a", "c", "d"}) net_.SetView(node, Alive("abcd"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(3));
  ASSERT_EQ(PhaseAt("c", slot), Phase::kNone);
  ASSERT_EQ(PhaseAt("d", slot), Phase::kReady);
  net_.Hold("c", "d");

  net_.Set("b", id, "cart", "1", {}, Durability::kLocal);
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(PhaseAt("c", slot), Phase::kLeaving);

  net_.Release("c", "d");
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(PhaseAt("c", slot), Phase::kNone);
  EXPECT_THAT(net_.node("c").slot(slot).lives(), IsEmpty());
  EXPECT_THAT(net_.Get("d", id).session->attributes,
              ElementsAre(Pair("cart", "1")));
}

// The write follows another that c has dropped, and waits at c for that.
TEST_F(LaneHandOverTest, AWriteThatWaitsForAnotherIsNotDropped) {
  const std::string id = IdOf({{"abc", "bc"}, {"abcd", "bd"}});
  const SlotId slot = net_.SlotOf(id);
  net_.StartReady(Names("abc"));
  ASSERT_THAT(net_.Create("b", id).status, IsOk());
  net_.Start("d");
  for (const char* node : {"a", "c", "d"}) net_.SetView(node, Alive("abcd"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(3));
  net_.LoseIf([](const NodeName&, const NodeName& to, const Message& message) {
    return to == "c" && std::holds_alternative<PullReply>(message);
  });

  net_.Set("b", id, "cart", "1", {}, Durability::kLocal);
  net_.Advance(absl::Seconds(3));
  EXPECT_EQ(PhaseAt("c", slot), Phase::kLeaving);
  EXPECT_EQ(net_.node("c").slot(slot).parked_count(), 1u);

  net_.LoseIf(nullptr);
  net_.Advance(absl::Seconds(5));
  EXPECT_EQ(PhaseAt("c", slot), Phase::kNone);
  EXPECT_THAT(net_.Get("d", id).session->attributes,
              ElementsAre(Pair("cart", "1")));
}

// --- what nobody said

TEST_F(LaneHandOverTest, OnlyOwnersConsentAndEachOnce) {
  net_.StartReady(Names("abd"));
  const std::string id = IdOf({{"abd", "ab"}, {"abcd", "bc"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  InterceptConsents();
  net_.Start("c");
  net_.SetViews(Alive("abcd"));
  net_.LinkAll();
  net_.Advance(absl::Seconds(1));
  ASSERT_THAT(consents_, SizeIs(2));
  const DropConsent consent = consents_.at("c");

  for (const char* node : {"b", "c"}) {
    net_.Forge(node, "a", DropConsent{slot, consent.attempt + 1});
    net_.Forge(node, "a", DropConsent{kNoSlot, consent.attempt});
  }
  for (const char* node : {"d", "e", "c", "c"}) net_.Forge(node, "a", consent);
  EXPECT_EQ(PhaseAt("a", slot), Phase::kLeaving);

  net_.Forge("b", "a", consent);
  EXPECT_EQ(PhaseAt("a", slot), Phase::kNone);

  for (const char* node : {"b", "c"}) net_.Forge(node, "a", consent);
  EXPECT_EQ(CountEvents("a", Event::Kind::kSlotDropped, slot), 1u);
}

TEST_F(LaneHandOverTest, ForgedAsksAndConsentsChangeNothing) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "ab"}});
  const SlotId slot = net_.SlotOf(id);
  ASSERT_THAT(net_.Create("a", id).status, IsOk());
  InterceptConsents();
  Context unheard_of;
  unheard_of.AddRange({12345, 1, 7});

  for (const NodeName& to : Names("abcd")) {
    for (const NodeName& from : Names("abcde")) {
      for (const SlotId named : {slot, kNoSlot}) {
        net_.Forge(from, to, DropConsent{named, 0});
        net_.Forge(from, to, DropConsent{named, 1});
        net_.Forge(from, to, DropAsk{named, 1, unheard_of, 0});
      }
    }
    net_.DeliverAll();
  }
  net_.Advance(absl::Seconds(3));

  EXPECT_THAT(consents_, IsEmpty());
  for (const NodeName& node : Names("abcd")) {
    EXPECT_EQ(net_.CountEvents(node, Event::Kind::kSlotDropped), 0u);
  }
  ExpectPlaced("abcd");
  EXPECT_THAT(net_.Get("b", id).status, IsOk());
}

TEST_F(LaneHandOverTest, WhoIsNoOwnerConsentsToNothing) {
  net_.StartReady(Names("abcd"));
  const std::string id = IdOf({{"abcd", "ab"}});
  const SlotId slot = net_.SlotOf(id);
  InterceptConsents();

  net_.Forge("d", "c", DropAsk{slot, 1, Context(), 0});
  net_.DeliverAll();
  EXPECT_THAT(consents_, IsEmpty());

  net_.Forge("d", "a", DropAsk{slot, 1, Context(), 0});
  net_.DeliverAll();
  EXPECT_THAT(consents_, ElementsAre(Pair("a", DropConsent{slot, 1})));
}

class LaneHandOverRegainTest : public LaneHandOverTest {
 protected:
  // a has called the session dead and handed its slot over to c and d, while b,
  // cut off, still has it.
  LaneHandOverRegainTest() {
    net_.StartReady(Names("ab"));
    net_.Create("a", id_);
    Cut("a", "b");
    net_.SetView("a", Alive("a"));
    net_.SetView("b", Alive("b"));
    CHECK(net_.Delete("a", id_, Durability::kLocal).status.ok());
    net_.Start("c");
    net_.Start("d");
    for (const char* node : {"a", "c", "d"}) net_.SetView(node, Alive("acd"));
    Link("a", "c");
    Link("a", "d");
    Link("c", "d");
    net_.Advance(absl::Seconds(3));
    CHECK(net_.NodesWhere(slot_, Phase::kNone) == Names("a"));
    net_.Kill("d");
  }

  const std::string id_ = IdOf({{"acd", "cd"}});
  const SlotId slot_ = net_.SlotOf(id_);
};

TEST_F(LaneHandOverRegainTest, WhatWasCalledDeadIsNotShownAgain) {
  net_.Kill("c");
  net_.SetViews(Alive("ab"));
  Link("a", "b");

  net_.Advance(absl::Seconds(19));
  EXPECT_EQ(PhaseAt("a", slot_), Phase::kSyncing);
  EXPECT_EQ(net_.Get("a", id_).failure.reason, Reason::kNotReady);

  net_.Advance(absl::Seconds(2));  // the orphan grace is over
  EXPECT_EQ(net_.node("a").phase(slot_), (SlotPhase{Phase::kReady, true}));
  EXPECT_TRUE(net_.Get("a", id_).degraded);
  EXPECT_EQ(CountEvents("a", Event::Kind::kSlotOrphaned, slot_), 1u);
}

TEST_F(LaneHandOverRegainTest, WhoHasSeenTheEndMakesItReadyAtOnce) {
  net_.SetView("a", Alive("ac"));
  net_.SetView("c", Alive("ac"));

  net_.DeliverAll();

  EXPECT_EQ(net_.node("a").phase(slot_), (SlotPhase{Phase::kReady, false}));
  EXPECT_THAT(net_.Get("a", id_).status, StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sessionmesh::replication
