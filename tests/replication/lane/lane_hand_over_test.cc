// Fewer owners than nodes: who serves a slot, and how it changes hands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/placement.h"
#include "replication/slot.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr uint32_t kSlots = 32;
constexpr SlotId kNoSlot = 65535;

Config ConfigOf(uint32_t replicas) {
  Config config = LaneNetwork::SmallConfig();
  config.slot_count = kSlots;
  config.replicas = replicas;
  return config;
}

// "abc" for the nodes a, b and c.
std::vector<NodeName> Names(const std::string& letters) {
  std::vector<NodeName> names;
  for (const char letter : letters) names.emplace_back(1, letter);
  return names;
}

std::map<NodeName, State> Alive(const std::string& letters) {
  std::map<NodeName, State> members;
  for (const NodeName& name : Names(letters)) members[name] = State::kAlive;
  return members;
}

// Members in this state, and others that are alive.
std::map<NodeName, State> With(State state, const std::string& letters,
                               const std::string& alive) {
  std::map<NodeName, State> members = Alive(alive);
  for (const NodeName& name : Names(letters)) members[name] = state;
  return members;
}

// The owners of the slot in a cluster of these nodes, as letters.
std::string OwnersAmong(const std::string& nodes, SlotId slot,
                        uint32_t replicas) {
  std::vector<Placement::Node> placed;
  for (NodeName& name : Names(nodes)) placed.push_back({std::move(name), ""});
  const Placement placement(std::move(placed), replicas);
  std::string owners;
  for (const size_t i : placement.OwnersOf(slot)) owners += nodes[i];
  std::sort(owners.begin(), owners.end());
  return owners;
}

class LaneHandOverTest : public ::testing::Test {
 protected:
  using Owners = std::vector<std::pair<std::string, std::string>>;

  // An id whose slot has these owners in clusters of these nodes:
  // IdOf({{"abc", "bc"}}).
  std::string IdOf(const Owners& wanted, uint32_t replicas = 2) const {
    for (int i = 0; i < 1000; ++i) {
      const std::string id = Id(absl::StrCat("s", i));
      const SlotId slot = net_.SlotOf(id);
      if (std::all_of(wanted.begin(), wanted.end(), [&](const auto& owners) {
            return OwnersAmong(owners.first, slot, replicas) == owners.second;
          })) {
        return id;
      }
    }
    LOG(FATAL) << "no slot is placed so";
  }

  // One session in every slot, held by all its owners.
  void CreateInEverySlot() {
    for (int i = 0; sessions_.size() < kSlots; ++i) {
      const std::string id = Id(absl::StrCat("s", i));
      const SlotId slot = net_.SlotOf(id);
      if (!sessions_.emplace(slot, id).second) continue;
      const NodeName owner = net_.NodesWhere(slot, Phase::kReady).front();
      ASSERT_THAT(net_.Create(owner, id).status, IsOk());
    }
  }

  // Every slot is where it belongs in a cluster of these nodes, and nowhere
  // else, and its session can be read there.
  void ExpectPlaced(const std::string& nodes) {
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      const std::vector<NodeName> owners = Names(OwnersAmong(nodes, slot, 2));
      EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), owners) << slot;
      EXPECT_THAT(net_.NodesWhere(slot, Phase::kSyncing), IsEmpty()) << slot;
      EXPECT_THAT(net_.NodesWhere(slot, Phase::kLeaving), IsEmpty()) << slot;
      for (const NodeName& owner : owners) {
        if (sessions_.count(slot) == 0) continue;
        EXPECT_THAT(net_.Get(owner, sessions_.at(slot)).status, IsOk()) << slot;
      }
    }
  }

  void Link(const NodeName& one, const NodeName& other) {
    net_.LinkUp(one, other);
    net_.LinkUp(other, one);
  }
  void Cut(const NodeName& one, const NodeName& other) {
    net_.LinkDown(one, other);
    net_.LinkDown(other, one);
  }

  // c joins a and b.
  void JoinC() {
    net_.Start("c");
    net_.SetViews(Alive("abc"));
    net_.LinkAll();
  }

  // Keeps consents from arriving; Forge delivers them.
  void InterceptConsents() {
    net_.LoseIf(
        [this](const NodeName& from, const NodeName&, const Message& message) {
          const DropConsent* consent = std::get_if<DropConsent>(&message);
          if (consent != nullptr) consents_[from] = *consent;
          return consent != nullptr;
        });
  }

  Phase PhaseAt(const NodeName& node, SlotId slot) {
    return net_.node(node).phase(slot).phase;
  }

  size_t CountEvents(const NodeName& node, Event::Kind kind, SlotId slot) {
    return static_cast<size_t>(std::count_if(
        net_.events(node).begin(), net_.events(node).end(),
        [&](const Event& e) { return e.kind == kind && e.slot == slot; }));
  }

  LaneNetwork net_{ConfigOf(2)};
  std::map<SlotId, std::string> sessions_;
  std::map<NodeName, DropConsent> consents_;  // by sender: the last
};

class LaneHandOverLeaverTest : public LaneHandOverTest {
 protected:
  // a and b have a session whose slot b and c own once c joins.
  LaneHandOverLeaverTest() {
    net_.StartReady(Names("ab"));
    CHECK(net_.Create("a", id_).status.ok());
  }

  const std::string id_ = IdOf({{"abc", "bc"}});
  const SlotId slot_ = net_.SlotOf(id_);
};

// --- who serves

TEST_F(LaneHandOverTest, EverySlotIsReadyAtItsOwnersAndNothingElsewhere) {
  net_.StartReady(Names("abcd"));

  ExpectPlaced("abcd");
  uint32_t owned = 0;
  for (const NodeName& node : Names("abcd")) {
    EXPECT_TRUE(net_.node(node).status().ready);
    owned += net_.node(node).status().slots_owned;
  }
  EXPECT_EQ(owned, 2 * kSlots);
}

// Fails: nobody is a source of a slot that has one owner (the others are
// Phase::kNone), so nobody is ready before the orphan grace is over.
TEST_F(LaneHandOverTest, AClusterWithOneOwnerForEachSlotStarts) {
  LaneNetwork net(ConfigOf(1));
  for (const char* node : {"a", "b"}) net.Start(node);
  net.SetViews(Alive("ab"));
  net.LinkAll();

  net.Advance(absl::Seconds(5));

  for (const char* node : {"a", "b"}) {
    EXPECT_TRUE(net.node(node).status().ready) << node;
  }
}

TEST_F(LaneHandOverTest, ACallThatReachesNoOwnerNamesTheOwners) {
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

// Fails: Lane::Admit refuses by call->command, which is filled in later.
TEST_F(LaneHandOverTest, AForwardedCallGoesNoFurther) {
  net_.StartReady(Names("abcd"));
  Command get;
  get.session_id = IdOf({{"abcd", "bd"}});
  get.forwarded = true;

  const Reply reply = net_.Run("a", get);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(reply.failure.forward_to, IsEmpty());
}

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
TEST_F(LaneHandOverTest,
       WhoLeavesASlotCountsAsNoOwnerThatHoldsAWrite) {
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

// --- when an owner may serve

// a leaves the slot, and c does not hear what it had.
TEST_F(LaneHandOverLeaverTest,
       AJoinerFetchesFromAllFormerOwnersBeforeItServes) {
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
TEST_F(LaneHandOverTest, AJoinerWaitsForTheOwnersThatItHasYetToMeet) {
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

class LaneHandOverOneOwnerTest : public LaneHandOverTest {
 protected:
  LaneHandOverOneOwnerTest() {
    one_.Start("b", /*bootstrap=*/true);
    one_.Start("c");
  }

  LaneNetwork one_{ConfigOf(1)};
  // c takes it over from b.
  const std::string id_ = IdOf({{"ab", "b"}, {"abc", "c"}}, /*replicas=*/1);
  const SlotId slot_ = one_.SlotOf(id_);
};

TEST_F(LaneHandOverOneOwnerTest, AJoinerThatMeetsNobodyWhoHasTheSlotWaits) {
  one_.Start("a");
  one_.SetView("a", Alive("ab"));
  one_.SetView("b", Alive("ab"));
  one_.SetView("c", Alive("ac"));
  one_.LinkAll();

  one_.Advance(absl::Seconds(15));

  EXPECT_EQ(one_.node("c").phase(slot_).phase, Phase::kSyncing);
}

// Fails: c alone owns the slot before it knows of b and after. So FollowOwners
// sees no change, b is never a source, and nobody serves the slot before the
// orphan grace is over.
TEST_F(LaneHandOverOneOwnerTest, AJoinerTakesOverFromTheOnlyOwner) {
  ASSERT_THAT(one_.Create("b", id_, {}, Durability::kLocal).status, IsOk());
  one_.SetViews(Alive("bc"));
  one_.LinkAll();

  one_.Advance(absl::Seconds(2));

  EXPECT_EQ(one_.node("c").phase(slot_), (SlotPhase{Phase::kReady, false}));
  EXPECT_EQ(one_.node("b").phase(slot_).phase, Phase::kNone);
  EXPECT_THAT(one_.Get("c", id_).status, IsOk());
}

// Fails likewise: e and f are the owners before they know of b and after.
TEST_F(LaneHandOverTest, JoinersAskFormerOwnersThatTheyMeetLate) {
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
TEST_F(LaneHandOverTest, JoinersThatMeetAnOldNodeAreNoNewCluster) {
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

// Fails: a, which is Phase::kNone to the slot in their view too, counts as
// nothing, so e and f are ready after a second, not degraded, with nothing.
TEST_F(LaneHandOverTest,
       JoinersThatMeetAnOldNodeThatOwnsNothingAreNoNewCluster) {
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

// Fails: c never owned the slot (SlotState::first), so it asks who would own it
// without c, b and d, and not a.
TEST_F(LaneHandOverTest, ANewOwnerWaitsForTheOneThatLeaves) {
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
TEST_F(LaneHandOverTest, NewOwnersWaitForOwnersThatLeaveTogether) {
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

class LaneHandOverOrphanTest : public LaneHandOverTest {
 protected:
  // The owners of a slot, a and b, are dead; c and d take over.
  LaneHandOverOrphanTest() {
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

TEST_F(LaneHandOverOrphanTest, NewOwnersServeAfterTheGraceAndSaySo) {
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

// Fails: no event where the process never owned the slot before
// (SlotState::first), however long it has run.
TEST_F(LaneHandOverOrphanTest, NewOwnersReportWhatMayBeLost) {
  net_.Advance(absl::Seconds(2));

  for (const char* node : {"c", "d"}) {
    EXPECT_EQ(CountEvents(node, Event::Kind::kSlotOrphaned, slot_), 1u);
  }
}

TEST_F(LaneHandOverTest, FormerOwnersComeBackWithWhatTheyHad) {
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
