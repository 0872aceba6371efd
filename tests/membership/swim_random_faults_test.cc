// Random faults under many seeds: the invariants hold at every step, and after
// the faults all agree.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/membership/swim_network.h"

namespace sessionmesh::membership {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kSeeds = 200;

// A cluster of 2 to 9 nodes that lives through a minute of loss, doubled
// datagrams, cuts, crashes, goodbyes and restarts.
class FaultyRun {
 public:
  explicit FaultyRun(uint64_t seed)
      : random_(seed), network_(MakeOptions(), seed) {
    network_.StartCluster(2 + random_.Below(8));
    network_.set_loss_percent(static_cast<int>(random_.Below(31)));
    for (int step = 0; step < 12; ++step) {
      Fault();
      network_.RunFor(absl::Milliseconds(random_.Between(10, 10000)));
    }
  }

  SwimNetwork& network() { return network_; }

  // Ends all faults and brings everybody back.
  void Heal() {
    network_.HealAll();
    for (size_t node = 0; node < network_.size(); ++node) {
      if (!network_.running(node) || leaving_.count(node) > 0) {
        network_.Restart(node, {0, 1});
      }
    }
  }

 private:
  static SwimNetwork::Options MakeOptions() {
    SwimNetwork::Options options;
    options.latency_max = absl::Milliseconds(40);
    options.duplicate_percent = 5;
    return options;
  }

  void Fault() {
    const size_t node = random_.Below(network_.size());
    const size_t other = random_.Below(network_.size());
    const bool running = network_.running(node) && leaving_.count(node) == 0;
    switch (random_.Below(8)) {
      case 0:
        if (running) network_.Crash(node);
        break;
      case 1:
        if (!network_.running(node)) network_.Restart(node, {0, 1});
        break;
      case 2:
        network_.Restart(node, {0, 1}, NewAddress());
        leaving_.erase(node);
        break;
      case 3:
        if (running) {
          network_.Leave(node);
          leaving_.insert(node);
        }
        break;
      case 4:
        network_.CutDatagrams(node, other);
        break;
      case 5:
        network_.CutReliable(node, other);
        break;
      case 6:
        network_.Partition({node}, {other});
        break;
      case 7:
        network_.HealAll();
        network_.set_loss_percent(static_cast<int>(random_.Below(31)));
        break;
    }
  }

  Address NewAddress() {
    return "10.1.0." + std::to_string(++last_address_) + ":7401";
  }

  Random random_;
  SwimNetwork network_;
  std::set<size_t> leaving_;
  int last_address_ = 0;
};

TEST(SwimRandomFaultsTest, InvariantsHoldAndAllAgreeInTheEnd) {
  int64_t claims_checked = 0;
  int deaths = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    FaultyRun run(seed);
    run.Heal();
    // The slowest way back: a node that died just now is called again after the
    // longest back-off with jitter, and a suspicion that grew out of the faults
    // runs out.
    EXPECT_TRUE(run.network().RunUntil([&] { return run.network().AllAgree(); },
                                       absl::Seconds(60)))
        << "seed " << seed;
    ASSERT_THAT(run.network().invariants().violations(), IsEmpty())
        << "seed " << seed;
    claims_checked += run.network().invariants().claims_checked();
    deaths += run.network().CountEvents(EventKind::kDied);
  }
  EXPECT_GT(claims_checked, 50000);
  EXPECT_GT(deaths, 100);
}

TEST(SwimRandomFaultsTest, SameSeedGivesTheSameRun) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    FaultyRun once(seed);
    FaultyRun again(seed);
    EXPECT_EQ(once.network().trace_hash(), again.network().trace_hash())
        << "seed " << seed;
    EXPECT_NE(once.network().trace_hash(),
              FaultyRun(seed + 1000).network().trace_hash());
  }
}

}  // namespace
}  // namespace sessionmesh::membership
