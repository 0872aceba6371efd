#include "membership/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace sessionmesh::membership {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ConfigTest, EveryProfileIsValid) {
  for (const char* name : {"lan", "wan", "local", "fast"}) {
    const absl::StatusOr<Config> config = Config::FromProfile(name);
    ASSERT_THAT(config, IsOk()) << name;
    EXPECT_THAT(config->Validate(), IsOk()) << name;
  }
}

TEST(ConfigTest, UnknownProfileIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(
      Config::FromProfile("LAN"),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          "membership profile \"LAN\" is not one of lan, wan, local, fast"));
}

TEST(ConfigTest, ProfilesHaveMemberlistsNumbers) {
  EXPECT_EQ(Config::Lan().probe_interval, absl::Seconds(1));
  EXPECT_EQ(Config::Lan().probe_timeout, absl::Milliseconds(500));
  EXPECT_EQ(Config::Lan().suspicion_mult, 4);
  EXPECT_EQ(Config::Wan().probe_interval, absl::Seconds(5));
  EXPECT_EQ(Config::Wan().suspicion_mult, 6);
  EXPECT_EQ(Config::Wan().gossip_nodes, 4);
  EXPECT_EQ(Config::Local().indirect_probes, 1);
  EXPECT_EQ(Config::Local().retransmit_mult, 2);
  EXPECT_EQ(Config::Fast().probe_interval, absl::Milliseconds(200));
}

// memberlist#149: with a timeout above the interval every probe overlaps the
// next.
TEST(ConfigTest, ProbeTimeoutNotBelowIntervalIsRefused) {
  Config config;
  config.probe_timeout = config.probe_interval;
  EXPECT_THAT(config.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "probe_timeout = 1s must be below probe_interval = 1s, "
                       "or no time is left "
                       "for indirect probes"));
}

TEST(ConfigTest, EveryProblemIsReportedAtOnce) {
  Config config;
  config.gossip_interval = absl::ZeroDuration();
  config.sync_interval = absl::InfiniteDuration();
  config.indirect_probes = -1;
  config.datagram_bytes_max = 512;
  config.redial_backoff_max = absl::Seconds(1);
  config.members_max = 1;
  EXPECT_THAT(
      config.Validate(),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          AllOf(HasSubstr("gossip_interval = 0 must be positive"),
                HasSubstr("sync_interval = inf must be finite"),
                HasSubstr("indirect_probes = -1 must be between 0 and 16"),
                HasSubstr(
                    "datagram_bytes_max = 512 must be between 1280 and 65507"),
                HasSubstr("redial_backoff_max = 1s must be at least "
                          "redial_interval = 5s"),
                HasSubstr("members_max = 1 must be between 2 and 16384"))));
}

}  // namespace
}  // namespace sessionmesh::membership
