#include "node/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "node/version.h"
#include "tests/node/temp_dir.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::sessionmesh::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

class OptionsTest : public ::testing::Test {
 protected:
  absl::StatusOr<Invocation> Parse(const std::vector<std::string>& arguments) {
    return ParseOptions(arguments, environment_);
  }

  // A file with `text`; returns its path.
  std::string WriteFile(const std::string& text) {
    const std::string path = directory_.File("sessiond.toml");
    std::ofstream(path) << text;
    return path;
  }

  TempDir directory_;
  Environment environment_ = {{"HOME", directory_.path()},
                              {"XDG_STATE_HOME", directory_.File("state")}};
};

TEST_F(OptionsTest, NothingGivenIsAWorkingNode) {
  const auto invocation = Parse({});

  ASSERT_THAT(invocation, IsOk());
  EXPECT_EQ(invocation->action, Invocation::Action::kRun);
  const Options& options = invocation->options;
  EXPECT_FALSE(options.name.empty());
  EXPECT_EQ(options.client_address, "127.0.0.1:7400");
  EXPECT_EQ(options.peer_address, "127.0.0.1:7401");
  EXPECT_EQ(options.cluster_id, "sessionmesh");
  EXPECT_EQ(options.state_dir, directory_.File("state/sessiond"));
  EXPECT_EQ(options.replication.slot_count, 1024u);
  EXPECT_EQ(options.default_durability, replication::Durability::kOne);
}

TEST_F(OptionsTest, SystemdChoosesTheStateDirectory) {
  environment_["STATE_DIRECTORY"] = "/var/lib/private/sessiond:/other";

  EXPECT_EQ(Parse({})->options.state_dir, "/var/lib/private/sessiond");
}

TEST_F(OptionsTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string file =
      WriteFile("name = \"file\"\ncluster-id = \"file\"\nslots = 16\n");
  environment_["SESSIOND_NAME"] = "environment";
  environment_["SESSIOND_CLUSTER_ID"] = "environment";

  const auto invocation = Parse({"--config", file, "--name=flag"});

  ASSERT_THAT(invocation, IsOk());
  EXPECT_EQ(invocation->options.name, "flag");
  EXPECT_EQ(invocation->options.cluster_id, "environment");
  EXPECT_EQ(invocation->options.replication.slot_count, 16u);
  EXPECT_EQ(invocation->options.default_consistency,
            replication::Consistency::kSession);
}

TEST_F(OptionsTest, TheEnvironmentMayNameTheFile) {
  environment_["SESSIOND_CONFIG"] = WriteFile("name = \"file\"\n");

  EXPECT_EQ(Parse({})->options.name, "file");
}

TEST_F(OptionsTest, SeedsComeRepeatedAndWithCommas) {
  const auto invocation = Parse({"--join", "a:1,b:2", "--join", "[fd00::1]:3",
                                 "--peer-address", "[::]:7401"});

  ASSERT_THAT(invocation, IsOk());
  EXPECT_THAT(invocation->options.join,
              ElementsAre("a:1", "b:2", "[fd00::1]:3"));
}

TEST_F(OptionsTest, EveryProblemIsReportedAtOnce) {
  const std::string file = WriteFile("slots = 7\nnam = \"x\"\nrubbish\n");
  environment_["SESSIOND_IDLE_TIMEOUT"] = "soon";
  environment_["SESSIOND_NONSENSE"] = "1";

  const auto invocation = Parse({"--config", file, "--nmae", "x", "--profile",
                                 "moon", "--client-address", "here"});

  EXPECT_THAT(
      invocation,
      StatusIs(
          kInvalid,
          AllOf(HasSubstr("--nmae is not an option; did you mean --name?"),
                HasSubstr("environment variable SESSIOND_NONSENSE is not an "
                          "option"),
                HasSubstr("SESSIOND_IDLE_TIMEOUT = soon: must be a duration "
                          "from 1s to 8760h, written like 90s"),
                HasSubstr(file + " line 1 = 7: must be a power of two from 1 "
                                 "to 65536"),
                HasSubstr(file + " line 2: \"nam\" is not an option; did you "
                                 "mean \"name\"?"),
                HasSubstr(file + " line 3: expected: key = value"),
                HasSubstr("--profile = moon: membership profile \"moon\" is "
                          "not one of lan, wan, local, fast"),
                HasSubstr("--client-address = here: must be a numeric address "
                          "and a port"))));
}

TEST_F(OptionsTest, AValueThatIsMissingIsAnError) {
  EXPECT_THAT(Parse({"--name"}), StatusIs(kInvalid, HasSubstr("--name")));
}

TEST_F(OptionsTest, AnAddressForOthersNeedsTheFlagThatSaysSo) {
  EXPECT_THAT(Parse({"--client-address", "0.0.0.0:7400"}),
              StatusIs(kInvalid, HasSubstr("--allow-insecure-client-address")));
  EXPECT_THAT(Parse({"--client-address", "0.0.0.0:7400",
                     "--allow-insecure-client-address"}),
              IsOk());
}

TEST_F(OptionsTest, OfAnOptionThatIsGivenTwiceTheLastCounts) {
  EXPECT_EQ(Parse({"--name", "a", "--name=b"})->options.name, "b");
}

TEST_F(OptionsTest, AZoneIsANameOrNothing) {
  EXPECT_EQ(Parse({})->options.zone, "");
  EXPECT_EQ(Parse({"--zone", "eu-1"})->options.zone, "eu-1");
  EXPECT_THAT(
      Parse({"--zone", "room 2"}),
      StatusIs(kInvalid, HasSubstr("--zone = room 2: must be 1 to 64 letters, "
                                   "digits, dots, underscores or hyphens")));
}

TEST_F(OptionsTest, ASwitchMayBeSwitchedOff) {
  EXPECT_THAT(Parse({"--client-address", "0.0.0.0:7400",
                     "--allow-insecure-client-address=false"}),
              StatusIs(kInvalid, HasSubstr("--allow-insecure-client-address")));
  EXPECT_THAT(Parse({"--client-address", "0.0.0.0:7400",
                     "--allow-insecure-client-address=false",
                     "--allow-insecure-client-address=true"}),
              IsOk());
  EXPECT_THAT(Parse({"--allow-insecure-client-address=maybe"}),
              StatusIs(kInvalid,
                       HasSubstr("--allow-insecure-client-address = maybe: ")));
}

TEST_F(OptionsTest, ANodeOnLoopbackCannotJoinOthersElsewhere) {
  EXPECT_THAT(Parse({"--join", "10.0.0.7:7401"}),
              StatusIs(kInvalid, HasSubstr("peer-address = 127.0.0.1:7401: the "
                                           "seed 10.0.0.7:7401 and other nodes "
                                           "could not call back")));
  EXPECT_THAT(Parse({"--join", "10.0.0.7:7401", "--peer-address",
                     "0.0.0.0:7401", "--advertise-address", "127.0.0.1:7401"}),
              StatusIs(kInvalid, HasSubstr("advertise-address = ")));
  EXPECT_THAT(
      Parse({"--join", "10.0.0.7:7401", "--peer-address", "10.0.0.8:7401"}),
      IsOk());
  EXPECT_THAT(Parse({"--join", "127.0.0.1:7411,seed.example:7401"}), IsOk());
}

TEST_F(OptionsTest, ClientsAndPeersNeedTwoPorts) {
  EXPECT_THAT(Parse({"--client-address", "127.0.0.1:7401"}),
              StatusIs(kInvalid, HasSubstr("give them different ports")));
}

TEST_F(OptionsTest, NoSessionMayOutliveTheClustersLimit) {
  EXPECT_THAT(
      Parse({"--absolute-lifetime", "48h", "--absolute-lifetime-max", "24h"}),
      StatusIs(kInvalid, HasSubstr("absolute-lifetime = 48h must not exceed "
                                   "absolute-lifetime-max = 24h")));
}

TEST_F(OptionsTest, MemoryIsDividedAmongTheLanes) {
  const auto invocation = Parse({"--max-memory", "64MiB"});

  ASSERT_THAT(invocation, IsOk());
  EXPECT_EQ(invocation->options.replication.lane_bytes_max *
                invocation->options.replication.lane_count,
            size_t{64} << 20);
}

TEST_F(OptionsTest, AddressesThatKubernetesAddsAreNotOptions) {
  environment_["SESSIOND_SERVICE_HOST"] = "10.0.0.1";
  environment_["SESSIOND_PORT_7400_TCP"] = "tcp://10.0.0.1:7400";

  EXPECT_THAT(Parse({}), IsOk());
}

TEST_F(OptionsTest, AFileThatIsNotThereIsAnError) {
  EXPECT_THAT(
      Parse({"--config", "/nowhere"}),
      StatusIs(kInvalid, HasSubstr("cannot open configuration file /nowhere: "
                                   "No such file or directory")));
}

TEST_F(OptionsTest, CheckConfigOnlyChecks) {
  EXPECT_EQ(Parse({"--check-config"})->action, Invocation::Action::kCheck);
  EXPECT_THAT(Parse({"--check-config", "--slots", "3"}), StatusIs(kInvalid));
}

TEST_F(OptionsTest, ReplicasAreANumberOrAll) {
  EXPECT_EQ(Parse({})->options.replication.replicas, 3u);
  EXPECT_EQ(Parse({"--replicas", "5"})->options.replication.replicas, 5u);
  EXPECT_EQ(Parse({"--replicas", "all"})->options.replication.replicas,
            replication::kReplicasAll);
  for (const char* bad : {"0", "17", "-1", "most", ""}) {
    EXPECT_THAT(Parse({"--replicas", bad}),
                StatusIs(kInvalid, HasSubstr("must be a number from 1 to 16")))
        << bad;
  }
}

TEST_F(OptionsTest, HelpNamesEveryOptionWithDefaultAndExample) {
  const auto invocation = Parse({"--help"});

  ASSERT_THAT(invocation, IsOk());
  EXPECT_EQ(invocation->action, Invocation::Action::kPrint);
  EXPECT_THAT(invocation->text,
              AllOf(HasSubstr("--orphan-grace"), HasSubstr("127.0.0.1:7400"),
                    HasSubstr("DURATION"), HasSubstr("Examples:"),
                    HasSubstr("Exit codes:")));
}

TEST_F(OptionsTest, VersionIsThatOfTheBuild) {
  EXPECT_EQ(Parse({"--version"})->text,
            std::string("sessiond ") + kVersion + "\n");
}

}  // namespace
}  // namespace sessionmesh::node
