// sessionctl from the command line to a node in this process and back.

#include "node/cli/cli.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cli_samples.h"
#include "tests/client/fake_node.h"

namespace sessionmesh::cli {
namespace {

using ::sessionmesh::client::FakeNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

struct Outcome {
  int code = 0;
  std::string out = {};
  std::string err = {};
};

// Runs with no node in the arguments.
Outcome RunPlain(const std::vector<std::string>& args,
                 const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(args, {.in = &in, .out = &out, .err = &err});
  return {code, out.str(), err.str()};
}

class CliTest : public ::testing::Test {
 protected:
  Outcome Ctl(std::vector<std::string> args, const std::string& input = "") {
    args.insert(args.begin(),
                {"--timeout", "20s", "--address", node_.address()});
    return RunPlain(args, input);
  }
  nlohmann::json Json(std::vector<std::string> args, int code = 0) {
    args.insert(args.begin(), {"-o", "json"});
    const Outcome outcome = Ctl(std::move(args));
    EXPECT_EQ(outcome.code, code) << outcome.err;
    return nlohmann::json::parse(outcome.out, nullptr,
                                 /*allow_exceptions=*/false);
  }
  std::string NewSession(const std::vector<std::string>& items = {}) {
    std::vector<std::string> args = {"create"};
    args.insert(args.end(), items.begin(), items.end());
    return Json(args).value("id", "");
  }

  FakeNode node_;
};

TEST_F(CliTest, CreatePrintsTheIdAndTheToken) {
  const Outcome outcome = Ctl({"create", "cart=3 apples", "--user", "ann"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out,
            "id:         fake-session-id-1\n"
            "token:      t1\n"
            "node:       fake\n"
            "replicas:   2\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CliTest, CreateOptionsReachTheNode) {
  EXPECT_EQ(Ctl({"create", "--id", "an-id-of-my-own-1", "--idle", "10m",
                 "--lifetime", "2h", "--durability", "quorum", "--strict"})
                .code,
            0);
  EXPECT_THAT(node_.calls(),
              ElementsAre(StartsWith(
                  "id: \"an-id-of-my-own-1\" idle_timeout { seconds: 600 } "
                  "absolute_lifetime { seconds: 7200 } "
                  "durability: DURABILITY_QUORUM strict: true request_id: ")));
}

TEST_F(CliTest, GetLooksWithoutAnAccessUnlessAsked) {
  const std::string id = NewSession({"cart=1", "note=two\nlines"});
  const Outcome outcome = Ctl({"get", id, "--token", "t1", "--token", "t0"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out,
            "idle limit: 30m\n"
            "node:       fake\n"
            "token:      t1\n"
            "2 attributes\n"
            "  cart = 1\n"
            "  note = two\\nlines\n");
  EXPECT_THAT(node_.calls().back(),
              AllOf(HasSubstr("tokens: \"t1\" tokens: \"t0\""),
                    HasSubstr("peek: true")));
  EXPECT_EQ(Ctl({"get", id, "--access"}).code, 0);
  EXPECT_THAT(node_.calls().back(), Not(HasSubstr("peek")));
}

TEST_F(CliTest, GetShowsOneAttributeEscapedOrRaw) {
  const std::string id = NewSession();
  const std::string bytes("\0\x1b[31m", 6);
  EXPECT_EQ(Ctl({"set", id, "key=-"}, bytes).code, 0);
  EXPECT_EQ(Ctl({"get", id, "key"}).out, "\\x00\\x1b[31m\n");
  EXPECT_EQ(Ctl({"get", id, "--raw", "key"}).out, bytes);
  EXPECT_EQ(Json({"get", id, "key"})["value_base64"], "ABtbMzFt");
  const Outcome missing = Ctl({"get", id, "other"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_EQ(missing.err,
            "sessionctl get: the session has no attribute \"other\"\n");
  EXPECT_EQ(Ctl({"get", id, "--raw"}).code, 2);
}

TEST_F(CliTest, SetUnsetTouchAndRotateChangeTheSession) {
  const std::string id = NewSession({"a=1", "b=2"});
  EXPECT_EQ(Ctl({"set", id, "c=3", "--token", "t1"}).out,
            "token:      t2\nnode:       fake\nreplicas:   2\n");
  EXPECT_EQ(Ctl({"unset", id, "a", "b"}).code, 0);
  EXPECT_EQ(Ctl({"touch", id}).out, "token:      t3\nnode:       fake\n");
  const nlohmann::json rotated = Json({"rotate", id, "role=admin"});
  EXPECT_NE(rotated["id"], id);
  EXPECT_EQ(rotated["session"]["attributes"],
            nlohmann::json({{"c", "3"}, {"role", "admin"}}));
  EXPECT_EQ(Ctl({"get", id}).code, 3);
  EXPECT_EQ(Ctl({"rm", rotated["id"]}).code, 0);
}

TEST_F(CliTest, NotFoundSpeaksOfATokenOnlyWhenOneWasGiven) {
  const Outcome outcome = Ctl({"get", "no-such-session-1"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err,
            "sessionctl get: no such session\n"
            "  why: the session has ended, never was, or has not come to this "
            "node yet\n"
            "  try: --token of the last reply, which makes it certain; "
            "`sessionctl where ID`; after a rotate only the new id opens the "
            "session\n");
}

TEST_F(CliTest, NotFoundSaysWhyAndWhatToTry) {
  const Outcome outcome = Ctl({"get", "no-such-session-1", "--token", "t0"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "sessionctl get: no such session\n"
            "  why: the node has seen everything that the token names, and the "
            "session has ended "
            "or never was\n"
            "  try: `sessionctl where ID`; after a rotate only the new id "
            "opens the session\n");
}

TEST_F(CliTest, ErrorsAreJsonToo) {
  const Outcome outcome = Ctl({"-o", "json", "get", "no-such-session-1"});
  EXPECT_EQ(outcome.code, 3);
  const auto error =
      nlohmann::json::parse(outcome.err, nullptr, false)["error"];
  EXPECT_EQ(error["code"], "NOT_FOUND");
  EXPECT_EQ(error["reason"], "session_not_found");
  EXPECT_EQ(error["may_be_applied"], false);
}

TEST_F(CliTest, MistakesAndMissingAttributesAreJsonToo) {
  const std::string id = NewSession({"a=1"});
  const auto error = [](const Outcome& outcome) {
    return nlohmann::json::parse(outcome.err, nullptr, false)["error"];
  };
  EXPECT_EQ(error(Ctl({"-o", "json", "get", id, "b"}))["code"], "NOT_FOUND");
  const std::vector<std::vector<std::string>> mistakes = {
      {"-o", "json", "nonsense"},
      {"get", "--output=json"},
      {"set", id, "no-equals-sign", "-ojson"},
      {"status", "--wait", "fine", "--output", "json"},
  };
  for (const std::vector<std::string>& args : mistakes) {
    const Outcome outcome = Ctl(args);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(error(outcome)["code"], "INVALID_ARGUMENT")
        << ::testing::PrintToString(args) << outcome.err;
  }
}

TEST_F(CliTest, OutputThatCannotBeWrittenIsAFailure) {
  const std::string id = NewSession({"a=1"});
  std::istringstream in;
  std::ostringstream err;
  std::ofstream full("/dev/full");
  const std::vector<std::vector<std::string>> commands = {
      {"get", id}, {"get", id, "a", "--raw"}, {"events"}, {"--help"}};
  node_.events = {SampleEvent()};
  for (std::vector<std::string> args : commands) {
    args.insert(args.begin(), {"--address", node_.address()});
    full.clear();
    EXPECT_EQ(cli::Run(args, {.in = &in, .out = &full, .err = &err}), 1)
        << ::testing::PrintToString(args);
  }
  EXPECT_THAT(err.str(),
              AllOf(HasSubstr("sessionctl get: the output could not be"),
                    HasSubstr("sessionctl: the output could not be")));
}

TEST_F(CliTest, ConditionsThatDoNotHoldHaveTheirExitCode) {
  const std::string id = NewSession({"lock=ann"});
  EXPECT_EQ(Ctl({"set", id, "lock=bob", "--if-absent", "lock"}).code, 5);
  EXPECT_EQ(Ctl({"create", "--id", id}).code, 5);
}

TEST_F(CliTest, WriteThatIsAppliedButFailedHasItsExitCode) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_DURABILITY_UNMET);
  info.set_applied(true);
  node_.ApplyAndFailNext(
      client::NodeError(grpc::StatusCode::UNAVAILABLE, "too few", info));
  EXPECT_EQ(Ctl({"create", "--strict"}).code, 6);
}

TEST_F(CliTest, WatchEndsWithTheSession) {
  const std::string id = NewSession({"a=1"});
  Outcome watched;
  std::thread watcher([&] { watched = Ctl({"watch", id}); });
  while (node_.calls().size() < 2) {
    std::this_thread::yield();  // until the watch has begun
  }
  EXPECT_EQ(Ctl({"rm", id}).code, 0);
  watcher.join();
  EXPECT_EQ(watched.code, 0);
  EXPECT_EQ(watched.out, "token t1, 1 attribute\n  a = 1\nended: deleted\n");
  EXPECT_EQ(Ctl({"watch", id}).code, 3);
}

TEST_F(CliTest, StatusIsATableAndAVerdict) {
  node_.cluster_status = SampleStatus();
  const Outcome outcome = Ctl({"status"});
  EXPECT_EQ(outcome.code, 0) << "degraded still serves";
  EXPECT_THAT(outcome.out, HasSubstr("degraded: 1 of 2 members ready\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << "no colour into a pipe";
  const nlohmann::json json = Json({"status"});
  EXPECT_EQ(json["verdict"], "degraded");
  EXPECT_EQ(json["nodes"][0]["status"]["sessions"], 1200);
  EXPECT_EQ(json["nodes"][1]["status"], nullptr);
  node_.cluster_status.set_verdict("unavailable");
  EXPECT_EQ(Ctl({"status"}).code, 4);
}

TEST_F(CliTest, StatusWaitsForTheVerdict) {
  node_.cluster_status = SampleStatus();
  node_.cluster_status.set_verdict("healthy");
  node_.verdicts = {"unavailable", "degraded"};
  EXPECT_EQ(Ctl({"status", "--wait", "healthy", "--for", "20s"}).code, 0);
  EXPECT_THAT(node_.verdicts, SizeIs(0));
}

TEST_F(CliTest, StatusSaysWhenPatienceIsOver) {
  node_.cluster_status = SampleStatus();
  const Outcome outcome = Ctl({"status", "--wait", "healthy", "--for", "10ms"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_EQ(outcome.err,
            "sessionctl status: still degraded after 10ms, not healthy\n");
  EXPECT_EQ(Ctl({"status", "--wait", "degraded", "--for", "10ms"}).code, 0);
}

TEST_F(CliTest, MembersLagWhereAndEventsShowReplies) {
  node_.members = SampleMembers();
  node_.replication = SampleLag();
  node_.where_is = SampleWhere();
  node_.events = {SampleEvent(), SampleEvent()};
  EXPECT_THAT(Ctl({"members"}).out,
              HasSubstr("accused by app1, 2 confirmations"));
  EXPECT_EQ(Json({"members"})["members"][1]["state"], "suspect");
  EXPECT_THAT(Ctl({"lag"}).out, HasSubstr("1 slot syncing, 2 deltas parked"));
  EXPECT_EQ(Json({"lag"})["peers"][0]["lag_ms"], 120.0);
  const Outcome where = Ctl({"where", "a-secret-session-id"});
  EXPECT_EQ(where.code, 0);
  EXPECT_THAT(where.out, AllOf(HasSubstr("5f3a9c01"),
                               Not(HasSubstr("a-secret-session-id"))));
  const Outcome events = Ctl({"events", "--history", "-o", "json"});
  EXPECT_EQ(events.code, 0);
  EXPECT_EQ(std::count(events.out.begin(), events.out.end(), '\n'), 2);
}

TEST_F(CliTest, WhereOfASessionThatNobodyHoldsIsNotFound) {
  node_.where_is = SampleWhere();
  node_.where_is.mutable_owners(0)->set_holds(false);
  EXPECT_EQ(Ctl({"where", "a-secret-session-id"}).code, 3);
}

TEST_F(CliTest, JoinAndLeaveSayWhatHappened) {
  node_.join.set_members(3);
  EXPECT_EQ(Ctl({"join", "app2:7401"}).out, "joined: 3 members known\n");
  node_.leave.set_message("2 slots without another owner");
  const Outcome left = Ctl({"leave"});
  EXPECT_EQ(left.code, 1);
  EXPECT_EQ(left.out,
            "left; NOT every change is known to be on another owner: 2 slots "
            "without another "
            "owner\n");
  node_.leave.set_handed_over(true);
  node_.leave.set_message("");
  EXPECT_EQ(Ctl({"leave"}).out,
            "left; every acknowledged change is on another owner\n");
}

TEST_F(CliTest, AddressComesFromTheEnvironmentAndMayBeAList) {
  const std::string dead = FakeNode().address();
  setenv("SESSIONCTL_ADDRESS", absl::StrCat(dead, ",", node_.address()).c_str(),
         1);
  EXPECT_EQ(RunPlain({"members"}).code, 0);
  EXPECT_EQ(RunPlain({"create"}).code, 0);
  unsetenv("SESSIONCTL_ADDRESS");
}

// A socket that nobody accepts from: connected, and silent.
TEST_F(CliTest, ASilentFirstAddressLeavesTimeForTheSecond) {
  const int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(silent, generic, size), 0);
  ASSERT_EQ(listen(silent, 8), 0);
  ASSERT_EQ(getsockname(silent, generic, &size), 0);
  const std::string first = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  node_.members = SampleMembers();
  EXPECT_EQ(RunPlain({"--timeout", "2s", "--address",
                      absl::StrCat(first, ",", node_.address()), "members"})
                .code,
            0);
  const std::string dead = FakeNode().address();
  const Outcome nobody = RunPlain({"--timeout", "200ms", "--address",
                                   absl::StrCat(first, ",", dead), "members"});
  EXPECT_EQ(nobody.code, 4);
  EXPECT_THAT(nobody.err,
              HasSubstr(absl::StrCat("node at ", first,
                                     ": no connection in time; node at ", dead,
                                     ": connection refused")));
  close(silent);
}

TEST_F(CliTest, AJoinThatFailsIsTheWordOfTheNode) {
  node_.cluster_failure =
      grpc::Status(grpc::StatusCode::UNAVAILABLE,
                   "no seed has answered in time; the node goes on trying");
  const Outcome outcome = Ctl({"join", "app2:7401"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_EQ(outcome.err,
            "sessionctl join: no seed has answered in time; the node goes on "
            "trying\n");
}

TEST_F(CliTest, AJoinLongerThanANodeWaitsIsRefused) {
  const Outcome outcome = Ctl({"join", "app2:7401", "--for", "5m"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--for 5m: a node waits 1m at most"));
  EXPECT_EQ(Ctl({"join", "app2:7401", "--for", "1m"}).code, 0);
}

TEST_F(CliTest, OptionsMayStandAfterTheCommand) {
  const std::string id = NewSession();
  EXPECT_EQ(
      RunPlain({"get", "--address", node_.address(), id, "-o", "json"}).code,
      0);
  EXPECT_EQ(
      RunPlain({"get", "--token", "t1", id, "--address", node_.address()}).code,
      0);
}

TEST_F(CliTest, IdThatBeginsWithADashIsNoOption) {
  const std::string id = "-" + std::string(29, 'o');
  EXPECT_EQ(Ctl({"create", "--id", id, "a=1"}).code, 0);
  EXPECT_EQ(Ctl({"get", id, "a"}).out, "1\n");
  EXPECT_THAT(node_.calls().front(),
              StartsWith(absl::StrCat("id: \"", id, "\"")));
}

TEST(CliUsageTest, NobodyThereSaysTheAddressAndHowToStartOne) {
  const std::string dead = FakeNode().address();
  for (const char* const command : {"status", "create"}) {
    const Outcome outcome =
        RunPlain({"--address", dead, "--timeout", "100ms", command});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_THAT(outcome.err,
                HasSubstr(absl::StrCat(
                    "  why: no node answers at ", dead,
                    "\n  try: start one with `sessiond`, or name another with "
                    "--address or SESSIONCTL_ADDRESS\n")));
  }
}

TEST(CliUsageTest, MistakesSendNothing) {
  const std::vector<std::vector<std::string>> mistakes = {
      {},
      {"nonsense"},
      {"get"},
      {"--address", "127.0.0.1:1", "set", "ID"},
      {"--address", "127.0.0.1:1", "set", "ID", "no-equals-sign"},
      {"unset", "ID"},
      {"join"},
      {"--address", "nowhere", "status"},
      {"--timeout", "soon", "status"},
      {"--timeout", "-1s", "status"},
      {"-o", "xml", "status"},
      {"status", "--wait", "fine"},
      {"get", "ID", "--consistency", "strong"},
      {"create", "--durability", "session"},
  };
  for (const std::vector<std::string>& args : mistakes) {
    const Outcome outcome = RunPlain(args);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(args) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("--help"))
        << ::testing::PrintToString(args);
  }
}

TEST(CliUsageTest, AnUnknownCommandIsNamed) {
  const Outcome outcome =
      RunPlain({"--address", "127.0.0.1:1", "statsu", "-o", "text"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("there is no command \"statsu\""));
}

TEST(CliUsageTest, HelpHasExamplesForEveryCommand) {
  for (const char* const command :
       {"status", "members", "lag", "get", "create", "set", "unset", "touch",
        "rm", "rotate", "where", "watch", "events", "join", "leave"}) {
    const Outcome outcome = RunPlain({command, "--help"});
    EXPECT_EQ(outcome.code, 0) << command;
    EXPECT_THAT(outcome.out,
                HasSubstr(absl::StrCat("Examples:\n  sessionctl ")))
        << command;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("Exit codes:\n  0  done\n"),
                      HasSubstr("\n  --address "), HasSubstr("\n  --timeout "),
                      HasSubstr("\n  -o,--output ")))
        << command;
  }
  EXPECT_THAT(RunPlain({"--help"}).out, HasSubstr("Exit codes:\n  0  done\n"));
  EXPECT_THAT(RunPlain({"--version"}).out, StartsWith("sessionctl "));
}

}  // namespace
}  // namespace sessionmesh::cli
