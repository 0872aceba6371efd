// What cannot work is said before anything else: which option, which value,
// what to do. And nodes that do not belong together say on both sides why.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BadStartTest : public ::testing::Test {
 protected:
  // Runs to its end; returns the exit code.
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(),
                     {"--state-dir", cluster_.directory() + "/bad"});
    Daemon daemon(cluster_.directory(), "bad", std::move(arguments));
    const int code = daemon.Wait(absl::Seconds(20));
    log_ = daemon.Log();
    return code;
  }
  // Whether the log of a node comes to contain `text`.
  bool Says(const std::string& name, const std::string& text) {
    return Eventually([&] {
      return cluster_.daemon(name).Log().find(text) != std::string::npos;
    });
  }

  Cluster cluster_;
  std::string log_;
};

TEST_F(BadStartTest, WrongFlagsAreAllReportedAndExitWithTwo) {
  EXPECT_EQ(
      Run({"--nmae", "a", "--slots", "7", "--client-address", "0.0.0.0:7400"}),
      2);
  EXPECT_THAT(log_, AllOf(HasSubstr("--nmae is not an option; did you mean "
                                    "--name?"),
                          HasSubstr("--slots = 7: must be a power of two")));
}

TEST_F(BadStartTest, AMalformedFileIsReportedWithItsLines) {
  const std::string path = cluster_.directory() + "/sessiond.toml";
  std::ofstream(path) << "name = \"a\"\nslots = [\nidle-timeout = 5\n";

  EXPECT_EQ(Run({"--config", path}), 2);
  EXPECT_THAT(log_, HasSubstr("sessiond.toml line 3: expected , or ]"));
}

TEST_F(BadStartTest, APortInUseNamesTheFlagThatChoosesAnother) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  const std::string client = cluster_.daemon("a").Field("client");
  const std::string peer = cluster_.daemon("a").Field("peer");

  EXPECT_EQ(Run({"--client-address", client, "--peer-address", "127.0.0.1:0"}),
            1);
  EXPECT_THAT(log_, AllOf(HasSubstr(client), HasSubstr("--client-address"),
                          HasSubstr("Address already in use")));

  EXPECT_EQ(Run({"--client-address", "127.0.0.1:0", "--peer-address", peer}),
            1);
  EXPECT_THAT(log_, AllOf(HasSubstr(peer), HasSubstr("--peer-address"),
                          HasSubstr("Address already in use")));
}

TEST_F(BadStartTest, ADirectoryInUseIsNotShared) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  Daemon second(
      cluster_.directory(), "second",
      {"--name", "a", "--client-address", "127.0.0.1:0", "--peer-address",
       "127.0.0.1:0", "--state-dir", cluster_.directory() + "/a"});

  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(second.Log(), AllOf(HasSubstr("another sessiond uses"),
                                  HasSubstr("--state-dir")));
}

TEST_F(BadStartTest, ASeedThatDoesNotResolveIsTriedAgainAndSaidSo) {
  Daemon& a = cluster_.Start("a", {}, "name.invalid:7401");

  EXPECT_TRUE(Says("a", "seed name.invalid:7401 does not resolve"));
  EXPECT_TRUE(a.running());
  EXPECT_GT(cluster_.client("a").Status().counters().at("member_join_failed"),
            0u);
}

TEST_F(BadStartTest, AJoinThatFailsSaysWhatBecameOfItsSeeds) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  const auto join = [&](const std::vector<std::string>& seeds) {
    grpc::ClientContext context;
    v1::JoinRequest request;
    request.mutable_seeds()->Assign(seeds.begin(), seeds.end());
    request.mutable_timeout()->set_seconds(1);
    v1::JoinResponse response;
    return cluster_.client("a")
        .cluster()
        ->Join(&context, request, &response)
        .error_message();
  };
  // A second is enough for all but a slow resolver; then it is asked again.
  const auto says = [&](const std::vector<std::string>& seeds,
                        const std::vector<std::string>& texts) {
    std::string last;
    EXPECT_TRUE(Eventually([&] {
      last = join(seeds);
      return std::all_of(texts.begin(), texts.end(), [&](const auto& text) {
        return absl::StrContains(last, text);
      });
    })) << last;
  };
  const std::string self = cluster_.daemon("a").Field("peer");

  says({"name.invalid:1"}, {"(name.invalid:1 does not resolve: "});
  says({"127.0.0.1:1"},
       {"(127.0.0.1:1: Failed to connect to remote host: Connection refused)"});
  says({self}, {absl::StrCat("(", self, " is this node itself)")});
  says({self, "x.invalid:1", "y.invalid:1", "z.invalid:1"},
       {" is this node itself; x.invalid:1 does not resolve: ",
        "; y.invalid:1 does not resolve: ", "; and 1 more)"});
}

TEST_F(BadStartTest, AnotherClusterIdIsRefusedOnBothSides) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  cluster_.Start("b", {"--cluster-id", "other"});

  EXPECT_TRUE(Says("a", "refused b at"));
  EXPECT_TRUE(Says("a", "the cluster id"));
  EXPECT_TRUE(Says("b", "refuses this one: "));
  EXPECT_TRUE(Says("b", "the cluster id"));
  EXPECT_EQ(cluster_.client("a").StateOf("b"), v1::MEMBER_STATE_UNSPECIFIED);
}

TEST_F(BadStartTest, AnotherSlotCountIsRefusedOnBothSides) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  cluster_.Start("b", {"--slots", "64"});

  EXPECT_TRUE(Says("a", "the slot count"));
  EXPECT_TRUE(Says("b", "the slot count"));
  EXPECT_EQ(cluster_.client("a").StateOf("b"), v1::MEMBER_STATE_UNSPECIFIED);
}

TEST_F(BadStartTest, AnotherKeyFileIsRefusedOnBothSides) {
  const auto key_file = [&](const std::string& name) {
    const std::string path = cluster_.directory() + "/" + name;
    std::ofstream(path) << std::string(32, name[0]);
    chmod(path.c_str(), 0600);
    return path;
  };
  ASSERT_TRUE(
      cluster_.Start("a", {"--key-file", key_file("x")}).AwaitLine("ready"));
  cluster_.Start("b", {"--key-file", key_file("y")});

  EXPECT_TRUE(Says("a", "b has another --key-file"));
  EXPECT_TRUE(Says("b", "has another --key-file"));
  EXPECT_EQ(cluster_.client("a").StateOf("b"), v1::MEMBER_STATE_UNSPECIFIED);
}

// The others look for its former process at the same address, and its answers
// must not bring it back.
TEST_F(BadStartTest, ARestartWithOtherConstantsStaysOutThoughItWasAMember) {
  ASSERT_TRUE(cluster_.StartAll({"a", "b"}));
  const std::string peer = cluster_.daemon("b").Field("peer");
  cluster_.Kill("b");

  cluster_.Start("b", {"--slots", "64", "--peer-address", peer});

  EXPECT_TRUE(Says("b", "the slot count"));
  EXPECT_TRUE(Eventually([&] {
    return cluster_.client("a").StateOf("b") == v1::MEMBER_STATE_DEAD;
  }));
  EXPECT_TRUE(Says("a", "the slot count"));
  EXPECT_EQ(cluster_.client("a").StateOf("b"), v1::MEMBER_STATE_DEAD);
}

// A second process of a name is taken for a restart of the first.
TEST_F(BadStartTest, OfTwoProcessesWithOneNameTheOlderEndsAndSaysWhy) {
  ASSERT_TRUE(cluster_.StartAll({"a", "b"}));
  Daemon newcomer(cluster_.directory(), "newcomer",
                  {"--name", "b", "--client-address", "127.0.0.1:0",
                   "--peer-address", "127.0.0.1:0", "--profile", "fast",
                   "--state-dir", cluster_.directory() + "/newcomer", "--join",
                   cluster_.daemon("a").Field("peer")});

  EXPECT_EQ(cluster_.daemon("b").Wait(), 1);
  EXPECT_THAT(
      cluster_.daemon("b").Log(),
      AllOf(HasSubstr("another process runs as node \"b\" with a higher "
                      "generation"),
            HasSubstr("--name")));
  EXPECT_TRUE(newcomer.AwaitLine("ready")) << newcomer.Log();
}

}  // namespace
}  // namespace sessionmesh::e2e
