#ifndef TESTS_REPLICATION_LANE_FEW_OWNERS_H_
#define TESTS_REPLICATION_LANE_FEW_OWNERS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/placement.h"
#include "replication/slot.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

// Clusters with fewer owners than nodes, for tests of how slots change hands.

namespace sessionmesh::replication {

using membership::State;

inline constexpr uint32_t kSlots = 32;

inline Config ConfigOf(uint32_t replicas) {
  Config config = LaneNetwork::SmallConfig();
  config.slot_count = kSlots;
  config.replicas = replicas;
  return config;
}

// "abc" for the nodes a, b and c.
inline std::vector<NodeName> Names(const std::string& letters) {
  std::vector<NodeName> names;
  for (const char letter : letters) names.emplace_back(1, letter);
  return names;
}

inline std::map<NodeName, State> Alive(const std::string& letters) {
  std::map<NodeName, State> members;
  for (const NodeName& name : Names(letters)) members[name] = State::kAlive;
  return members;
}

// Members in this state, and others that are alive.
inline std::map<NodeName, State> With(State state, const std::string& letters,
                                      const std::string& alive) {
  std::map<NodeName, State> members = Alive(alive);
  for (const NodeName& name : Names(letters)) members[name] = state;
  return members;
}

// The owners of the slot in a cluster of these nodes, as letters.
inline std::string OwnersAmong(const std::string& nodes, SlotId slot,
                               uint32_t replicas) {
  std::vector<Placement::Node> placed;
  for (NodeName& name : Names(nodes)) placed.push_back({std::move(name), ""});
  const Placement placement(std::move(placed), replicas);
  std::string owners;
  for (const size_t i : placement.OwnersOf(slot)) owners += nodes[i];
  std::sort(owners.begin(), owners.end());
  return owners;
}

class FewOwnersTest : public ::testing::Test {
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
      ASSERT_THAT(net_.Create(owner, id).status,
                  ::sessionmesh::testing::IsOk());
    }
  }

  // Every slot is where it belongs in a cluster of these nodes, and nowhere
  // else, and its session can be read there.
  void ExpectPlaced(const std::string& nodes) {
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      const std::vector<NodeName> owners = Names(OwnersAmong(nodes, slot, 2));
      EXPECT_EQ(net_.NodesWhere(slot, Phase::kReady), owners) << slot;
      EXPECT_THAT(net_.NodesWhere(slot, Phase::kSyncing), ::testing::IsEmpty())
          << slot;
      EXPECT_THAT(net_.NodesWhere(slot, Phase::kLeaving), ::testing::IsEmpty())
          << slot;
      for (const NodeName& owner : owners) {
        if (sessions_.count(slot) == 0) continue;
        EXPECT_THAT(net_.Get(owner, sessions_.at(slot)).status,
                    ::sessionmesh::testing::IsOk())
            << slot;
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

class LeaverTest : public FewOwnersTest {
 protected:
  // a and b have a session whose slot b and c own once c joins.
  LeaverTest() {
    net_.StartReady(Names("ab"));
    CHECK(net_.Create("a", id_).status.ok());
  }

  const std::string id_ = IdOf({{"abc", "bc"}});
  const SlotId slot_ = net_.SlotOf(id_);
};

}  // namespace sessionmesh::replication

#endif  // TESTS_REPLICATION_LANE_FEW_OWNERS_H_
