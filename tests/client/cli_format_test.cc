// What sessionctl prints, as golden text: tables, JSON and explanations.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "client/error.h"
#include "gtest/gtest.h"
#include "node/cli/arguments.h"
#include "node/cli/cli.h"
#include "node/cli/exit_code.h"
#include "node/cli/explain.h"
#include "node/cli/format.h"
#include "node/cli/json.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "tests/client/cli_samples.h"

namespace sessionmesh::cli {
namespace {

Style At(int seconds) {
  return {.color = false, .now = absl::FromUnixSeconds(seconds)};
}

TEST(TextTest, BytesThatCouldDriveATerminalAreEscaped) {
  EXPECT_EQ(Printable("3 apples"), "3 apples");
  EXPECT_EQ(Printable("\xc3\xa4pfel \xf0\x9f\x8d\x8e"),
            "\xc3\xa4pfel \xf0\x9f\x8d\x8e");
  EXPECT_EQ(Printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(Printable("{\"it's\": 1}"), "{\"it's\": 1}");
  EXPECT_EQ(Printable("C:\\new"), "C:\\\\new");
  EXPECT_EQ(Printable("\"\x01"), "\"\\x01");
  EXPECT_EQ(Printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b\\x33\\x31m")
      << "C1 controls count";
  EXPECT_EQ(Printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf") << "not the shortest form";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82") << "cut short";
}

TEST(TextTest, DurationsHaveTwoUnitsAtMost) {
  EXPECT_EQ(ShortDuration(absl::Milliseconds(350)), "350ms");
  EXPECT_EQ(ShortDuration(absl::Seconds(12)), "12s");
  EXPECT_EQ(ShortDuration(absl::Seconds(185)), "3m5s");
  EXPECT_EQ(ShortDuration(absl::Minutes(130)), "2h10m");
  EXPECT_EQ(ShortDuration(absl::Hours(99) + absl::Seconds(1)), "4d3h");
  EXPECT_EQ(ShortDuration(absl::Hours(24) + absl::Seconds(1)), "1d");
  EXPECT_EQ(ShortDuration(-absl::Seconds(1)), "0s");
}

TEST(TextTest, BytesHaveUnits) {
  EXPECT_EQ(ShortBytes(0), "0 B");
  EXPECT_EQ(ShortBytes(1023), "1023 B");
  EXPECT_EQ(ShortBytes(1536), "1.5 KiB");
  EXPECT_EQ(ShortBytes(std::uint64_t{3} << 40), "3.0 TiB");
}

TEST(TableTest, ColoursDoNotMoveColumns) {
  Table table({"NAME", "STATE", "N"});
  table.AddRow({{"a"}, {"alive", Color::kGreen}, {"1"}});
  table.AddRow({{"long-name"}, {"dead", Color::kRed}});
  EXPECT_EQ(table.Render(false),
            "NAME       STATE  N\n"
            "a          alive  1\n"
            "long-name  dead\n");
  EXPECT_EQ(table.Render(true),
            "NAME       STATE  N\n"
            "a          \x1b[32malive\x1b[0m  1\n"
            "long-name  \x1b[31mdead\x1b[0m\n");
}

TEST(FormatTest, Status) {
  EXPECT_EQ(StatusText(SampleStatus(), At(4000)),
            "NODE   MEMBER   READY  SLOTS  SESSIONS  PAYLOAD  MEMORY   UPTIME  "
            "STATE\n"
            "app1*  alive    yes    64/64  1200      1.5 KiB  2.0 MiB  50m     "
            "serving\n"
            "app2   suspect  -      -      -         -        -        -       "
            "no answer: deadline\n"
            "\n"
            "degraded: 1 of 2 members ready\n");
}

TEST(FormatTest, Members) {
  EXPECT_EQ(MembersText(SampleMembers(), At(4000)),
            "NAME   ADDRESS      ZONE   STATE    SINCE   INCARNATION  WHY\n"
            "app1*  10.0.0.1:71  -      alive    50m     0\n"
            "app2   10.0.0.2:71  room2  suspect  16m40s  3            accused "
            "by app1, 2 confirmations\n"
            "\n"
            "isolated: this node hears nobody although it should\n");
}

TEST(FormatTest, Lag) {
  EXPECT_EQ(
      LagText(SampleLag(), At(0)),
      "PEER  LINK  BEHIND  LAG    BACKLOG  SENT  ACKNOWLEDGED  DIRTY  PULLING\n"
      "app2  up    5       120ms  2.0 KiB  105   100           0      1\n"
      "app3  down  0       0ms    0 B      0     0             64     0\n"
      "\n"
      "1 slot syncing, 2 deltas parked\n");
}

TEST(FormatTest, WhereShowsTheHashOnly) {
  EXPECT_EQ(WhereText(SampleWhere(), At(0)),
            "session 5f3a9c01 in slot 17\n"
            "\n"
            "OWNER  SLOT         HOLDS  CURRENT  VERSION\n"
            "app1*  ready        yes    yes      app1:7 app2:3\n"
            "app2   unreachable  no     no       no link\n");
}

TEST(FormatTest, Event) {
  EXPECT_EQ(
      EventText(SampleEvent(), At(0)),
      "lost 2 events: this reader was too slow\n"
      "1970-01-01T00:16:40.500Z  member/suspect  app2  app2 does not answer\n");
}

TEST(FormatTest, SessionShowsAttributesSortedAndEscaped) {
  EXPECT_EQ(SessionText(SampleSession(), SampleInfo(), At(1060)),
            "user:       ann\n"
            "idle:       1m\n"
            "idle limit: 30m\n"
            "ends in:    23h59m\n"
            "node:       app1\n"
            "token:      abc\n"
            "2 attributes\n"
            "  cart = 3 apples\n"
            "  key = \\x00\\xff\n");
}

TEST(FormatTest, CreateShowsTheIdAndWritesDoNot) {
  EXPECT_EQ(CreatedText(SampleSession(), SampleInfo()),
            "id:         secret-session-id\n"
            "token:      abc\n"
            "node:       app1\n"
            "replicas:   2\n");
  EXPECT_EQ(WrittenText(SampleInfo()),
            "token:      abc\n"
            "node:       app1\n"
            "replicas:   2\n");
}

TEST(FormatTest, Watch) {
  v1::WatchResponse event;
  *event.mutable_session() = SampleSession();
  event.set_token("abc");
  EXPECT_EQ(WatchText(event),
            "token abc, 2 attributes\n"
            "  cart = 3 apples\n"
            "  key = \\x00\\xff\n");
  event.mutable_ended()->set_reason(v1::SessionEnded::ID_ROTATED);
  EXPECT_EQ(WatchText(event), "ended: id_rotated\n");
}

TEST(JsonTest, SessionHasAllKeysAndNoId) {
  EXPECT_EQ(SessionJson(SampleSession(), SampleInfo()), R"({
  "session": {
    "user": "ann",
    "attributes": {
      "cart": "3 apples"
    },
    "attributes_base64": {
      "key": "AP8="
    },
    "idle_timeout_seconds": 1800.0,
    "last_access": "1970-01-01T00:16:40.000Z",
    "absolute_deadline": "1970-01-02T00:16:40.000Z"
  },
  "info": {
    "token": "abc",
    "node": "app1",
    "degraded": false,
    "degraded_reason": "",
    "replicas": 2,
    "caught_up": false
  }
}
)");
  EXPECT_NE(CreatedJson(SampleSession(), SampleInfo())
                .find("\"id\": \"secret-session-id\""),
            std::string::npos);
}

TEST(JsonTest, Lag) {
  v1::ReplicationResponse reply = SampleLag();
  reply.mutable_peers()->RemoveLast();
  EXPECT_EQ(LagJson(reply), R"({
  "slots_syncing": 1,
  "parked": 2,
  "peers": [
    {
      "name": "app2",
      "connected": true,
      "sent": 105,
      "acknowledged": 100,
      "lag_operations": 5,
      "lag_ms": 120.0,
      "backlog_bytes": 2048,
      "slots_dirty": 0,
      "slots_pulling": 1
    }
  ]
}
)");
}

TEST(JsonTest, Members) {
  v1::MembersResponse reply;
  *reply.add_members() = SampleMembers().members(1);
  EXPECT_EQ(MembersJson(reply), R"({
  "isolated": false,
  "members": [
    {
      "name": "app2",
      "address": "10.0.0.2:71",
      "zone": "room2",
      "state": "suspect",
      "generation": 1,
      "incarnation": 3,
      "since": "1970-01-01T00:50:00.000Z",
      "accuser": "app1",
      "confirmations": 2,
      "self": false
    }
  ]
}
)");
}

TEST(JsonTest, StreamsHaveOneObjectALine) {
  EXPECT_EQ(EventJson(SampleEvent()),
            "{\"time\":\"1970-01-01T00:16:40.500Z\",\"area\":\"member\","
            "\"kind\":\"suspect\","
            "\"node\":\"app2\",\"message\":\"app2 does not "
            "answer\",\"fields\":{\"by\":\"app1\"},"
            "\"lost\":2}\n");
  v1::WatchResponse ended;
  ended.mutable_ended()->set_reason(v1::SessionEnded::DELETED);
  ended.set_token("abc");
  EXPECT_EQ(WatchJson(ended),
            "{\"session\":null,\"ended\":\"deleted\",\"token\":\"abc\"}\n");
}

TEST(JsonTest, BytesThatAreNotTextNeverBreakIt) {
  v1::Event event;
  event.set_kind("ok");
  event.mutable_fields()->insert({"k", "a\"b"});
  EXPECT_NE(EventJson(event).find("{\"k\":\"a\\\"b\"}"), std::string::npos);
  EXPECT_NE(AttributeJson("k", "\xff", {})
                .find("\"value\": null,\n  \"value_base64\": \"/w==\""),
            std::string::npos);
  event.set_message("\xff");
  EXPECT_NE(EventJson(event).find("\"message\":\"\xef\xbf\xbd\""),
            std::string::npos);
}

absl::Status Refused(absl::StatusCode code, const std::string& message,
                     const v1::ErrorInfo& info) {
  v1::Error error;
  error.set_code(static_cast<int>(code));
  error.set_message(message);
  *error.mutable_info() = info;
  return client::FromError(error);
}

TEST(ExplainTest, StaleNamesTheWriter) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_STALE);
  info.set_missing_writer("app2");
  info.set_behind(3);
  const absl::Status status = Refused(absl::StatusCode::kUnavailable,
                                      "the token is ahead of this node", info);
  EXPECT_EQ(Explain("get", status, "localhost:7400",
                    /*with_token=*/true),
            "sessionctl get: the token is ahead of this node\n"
            "  why: the token names 3 changes written by app2 (not alive) that "
            "no replica asked in "
            "time has\n"
            "  try: --consistency local for what this node has; `sessionctl "
            "where ID` for the "
            "others\n");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUnavailable);
}

TEST(ExplainTest, LimitSaysValueAndLimit) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_LIMIT);
  info.set_limit_name("session_bytes_max");
  info.set_limit(65536);
  info.set_value(70000);
  const absl::Status status = Refused(absl::StatusCode::kResourceExhausted,
                                      "the session is too large", info);
  EXPECT_EQ(Explain("set", status, "", false),
            "sessionctl set: the session is too large\n"
            "  why: session_bytes_max: 70000, the limit is 65536\n");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kFailed);
}

TEST(ExplainTest, AppliedWriteIsSaid) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_DURABILITY_UNMET);
  info.set_applied(true);
  info.set_replicas(1);
  const absl::Status status =
      Refused(absl::StatusCode::kUnavailable, "too few owners", info);
  EXPECT_EQ(Explain("set", status, "", false),
            "sessionctl set: too few owners\n"
            "  why: the write is on 1 node, fewer than asked for; it will "
            "reach the others\n"
            "  the write is applied on that node\n"
            "  try: `sessionctl status`; without --strict such a write "
            "succeeds and says "
            "degraded\n");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kMayBeApplied);
}

TEST(ExplainTest, AWriteThatRanOutOfTimeIsNotBlamedOnStrict) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_DURABILITY_UNMET);
  info.set_applied(true);
  info.set_replicas(1);
  const std::string text = Explain(
      "set", Refused(absl::StatusCode::kDeadlineExceeded, "only 1 of 2", info),
      "", false);
  EXPECT_EQ(text.find("--strict"), std::string::npos) << text;
  EXPECT_NE(text.find("a longer --timeout, or a lower --durability"),
            std::string::npos)
      << text;
}

TEST(ExplainTest, AStrictWriteThatWasNotBegunSaysSo) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_DURABILITY_UNMET);
  info.set_limit(3);
  info.set_value(1);
  EXPECT_EQ(
      Explain("set", Refused(absl::StatusCode::kUnavailable, "too few", info),
              "", false),
      "sessionctl set: too few\n"
      "  why: 1 live owner, 3 are needed; nothing was changed\n"
      "  try: `sessionctl status`; without --strict such a write succeeds and "
      "says degraded\n");
}

TEST(ExplainTest, TheNewIdOfARotateThatIsAppliedIsPrinted) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_DURABILITY_UNMET);
  info.set_applied(true);
  info.set_token("t7");
  info.mutable_session()->set_id("the-new-id");
  const absl::Status status =
      Refused(absl::StatusCode::kDeadlineExceeded, "only 1 of 2", info);
  EXPECT_NE(Explain("rotate", status, "", false)
                .find("  id: the-new-id\n  token: t7\n"),
            std::string::npos);
  EXPECT_NE(ErrorJson(status).find("\"id\": \"the-new-id\""),
            std::string::npos);
}

TEST(ExplainTest, TheIdOfASessionThatWasNotChangedIsNotPrinted) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_PRECONDITION_FAILED);
  info.mutable_session()->set_id("secret-id");
  const absl::Status status =
      Refused(absl::StatusCode::kAborted, "not now", info);
  EXPECT_EQ(Explain("set", status, "", false).find("secret-id"),
            std::string::npos);
  EXPECT_EQ(ErrorJson(status).find("secret-id"), std::string::npos);
}

TEST(ExplainTest, TheWordOfANodeGetsNoAdviceOfTheTransport) {
  const absl::Status status =
      absl::UnavailableError("no seed has answered in time");
  EXPECT_NE(Explain("join", status, "a:1", false).find("no node answers at"),
            std::string::npos);
  EXPECT_EQ(Explain("join", WithAnswered(status), "a:1", false),
            "sessionctl join: no seed has answered in time\n");
}

TEST(ExplainTest, EveryReasonHasAnExitCodeAndAFirstLine) {
  for (int reason = v1::Reason_MIN; reason <= v1::Reason_MAX; ++reason) {
    v1::ErrorInfo info;
    info.set_reason(static_cast<v1::Reason>(reason));
    const absl::Status status =
        Refused(absl::StatusCode::kInternal, "what", info);
    EXPECT_EQ(Explain("get", status, "", true).substr(0, 21),
              "sessionctl get: what\n");
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kFailed);
  }
}

TEST(ArgumentsTest, ValuesComeFromTheLineAFileOrStandardInput) {
  const std::string path = ::testing::TempDir() + "/sessionctl-attribute";
  { std::ofstream(path, std::ios::binary) << std::string("\0\xff", 2); }
  std::istringstream in("from stdin\n");
  const auto attributes =
      ParseAttributes({"a=1=2", "b=@" + path, "c=-", "d="}, false, in);
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(*attributes, (client::Attributes{{"a", "1=2"},
                                             {"b", std::string("\0\xff", 2)},
                                             {"c", "from stdin\n"},
                                             {"d", ""}}));
  const auto literal = ParseAttributes({"a=@x", "b=-"}, true, in);
  ASSERT_TRUE(literal.ok());
  EXPECT_EQ(*literal, (client::Attributes{{"a", "@x"}, {"b", "-"}}));
}

TEST(ArgumentsTest, MistakesAreNamed) {
  std::istringstream in;
  const auto error = [&in](const std::vector<std::string>& items) {
    return std::string(ParseAttributes(items, false, in).status().message());
  };
  EXPECT_EQ(error({"novalue"}),
            "\"novalue\" is not NAME=VALUE, NAME=@FILE or NAME=-");
  EXPECT_EQ(error({"=x"}), "\"=x\" is not NAME=VALUE, NAME=@FILE or NAME=-");
  EXPECT_EQ(error({"a=1", "a=2"}), "attribute \"a\" is given twice");
  EXPECT_EQ(error({"a=-", "b=-"}),
            "only one attribute can come from standard input");
  EXPECT_EQ(error({"a=@/no/such/file"}),
            "cannot read /no/such/file: check that it is a file that may be "
            "read, or use --literal when the value itself begins with '@'");
  EXPECT_EQ(error({"a=@/"}),
            "cannot read /: check that it is a file that may be read, or use "
            "--literal when the value itself begins with '@'");
}

TEST(ArgumentsTest, IdsThatLookLikeOptionsAreProtected) {
  const std::string id = "-" + std::string(29, 'x');
  const std::vector<std::string> args =
      ProtectIds({"get", id, "--token", "-o"});
  EXPECT_EQ(args[1].front(), kIdMark);
  EXPECT_EQ(UnprotectId(args[1]), id);
  EXPECT_EQ(args[0], "get");
  EXPECT_EQ(args[2], "--token");
  EXPECT_EQ(args[3], "-o");
}

}  // namespace
}  // namespace sessionmesh::cli
