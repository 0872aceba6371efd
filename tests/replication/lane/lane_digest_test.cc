// Damage: nodes that saw the same and hold something else for good.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;

// b tells a nothing of what it holds but what the test lets it tell.
class LaneDigestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    net_.StartReady({"a", "b", "c"});
    for (const auto& [id, lifetime] :
         {std::pair{"s", absl::Hours(1)}, std::pair{"short", kShort}}) {
      Command create;
      create.kind = Command::Kind::kCreate;
      create.session_id = Id(id);
      create.absolute_lifetime = lifetime;
      create.durability = Durability::kAll;
      ASSERT_THAT(net_.Run("a", create).status, IsOk());
    }
    net_.LoseIf([this](const NodeName& from, const NodeName& to,
                       const Message& message) {
      const Digest* digest = std::get_if<Digest>(&message);
      if (from != "b" || to != "a" || digest == nullptr) return false;
      if (told_.slots.empty()) told_ = *digest;
      return true;
    });
    net_.Advance(absl::Seconds(20));
    ASSERT_EQ(told_.slots.size(), 1u);
  }

  // b saw what a saw and holds, in the slot, something else.
  void TellOther(uint64_t what) {
    Digest digest = told_;
    digest.slots[0].live_hash ^= what;
    net_.Forge("b", "a", digest);
  }
  size_t Mismatches() const {
    return net_.CountEvents("a", Event::Kind::kStateMismatch);
  }

  static constexpr absl::Duration kShort = absl::Minutes(2);

  LaneNetwork net_{[] {
    Config config = LaneNetwork::SmallConfig();
    config.slot_count = 1;
    return config;
  }()};

 private:
  Digest told_;
};

TEST_F(LaneDigestTest, ADifferenceThatLastsIsTold) {
  TellOther(1);
  net_.Advance(absl::Seconds(30));  // c says all the while that it agrees
  EXPECT_EQ(Mismatches(), 0u);

  TellOther(1);

  EXPECT_EQ(Mismatches(), 1u);
}

TEST_F(LaneDigestTest, DifferencesThatChangeAreTheOthersOwnPace) {
  TellOther(1);
  net_.Advance(absl::Seconds(30));
  TellOther(2);
  net_.Advance(absl::Seconds(30));
  TellOther(1);

  EXPECT_EQ(Mismatches(), 0u);
}

TEST_F(LaneDigestTest, DroppingWhatIsOverBeginsTheComparisonAnew) {
  TellOther(1);
  net_.Advance(kShort);  // c and a have dropped the one session

  TellOther(1);

  EXPECT_EQ(Mismatches(), 0u);
}

// Simulator, seed 1795703395.
TEST_F(LaneDigestTest, ANodeThatRestartedIsComparedAnew) {
  TellOther(1);
  net_.Advance(absl::Seconds(30));
  net_.Kill("b");
  net_.Start("b");
  net_.SetViews({{"a", membership::State::kAlive},
                 {"b", membership::State::kAlive},
                 {"c", membership::State::kAlive}});
  net_.LinkAll();
  net_.Advance(absl::Seconds(1));

  TellOther(1);

  EXPECT_EQ(Mismatches(), 0u);
}

}  // namespace
}  // namespace sessionmesh::replication
