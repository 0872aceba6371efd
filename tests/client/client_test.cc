#include "client/client.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/fake_node.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::client {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Generous: a deadline of a test must not run out on a busy machine.
constexpr absl::Duration kLong = absl::Seconds(30);

std::unique_ptr<Client> Connect(std::vector<std::string> addresses,
                                absl::Duration timeout = kLong,
                                RetryPolicy retry = {}) {
  return *Client::Open(
      {.addresses = std::move(addresses), .timeout = timeout, .retry = retry});
}

grpc::Status Broken() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "socket closed");
}

grpc::Status Refusal(v1::Reason reason, bool applied = false) {
  v1::ErrorInfo info;
  info.set_reason(reason);
  info.set_applied(applied);
  return NodeError(grpc::StatusCode::UNAVAILABLE, "the node says no", info);
}

// An address that refuses connections: one that was ours a moment ago.
std::string DeadAddress() { return FakeNode().address(); }

TEST(ClientTest, SessionLivesThroughAllCalls) {
  FakeNode node;
  const auto client = Connect({node.address()});
  const auto created =
      client->Create({.attributes = {{"cart", "1"}}, .user = "ann"});
  ASSERT_THAT(created, IsOk());
  EXPECT_EQ(created->info().token(), "t1");
  const std::string id = created->session().id();

  const auto updated = client->Update(
      id, {"t1"}, {.set = {{"cart", "2"}, {"x", "y"}}, .return_session = true});
  ASSERT_THAT(updated, IsOk());
  EXPECT_EQ(updated->session().attributes().at("cart"), "2");
  EXPECT_THAT(client->Touch(id, {"t2"}), IsOk());
  const auto rotated = client->Rotate(id, {"t2"}, {.unset = {"x"}});
  ASSERT_THAT(rotated, IsOk());
  EXPECT_NE(rotated->session().id(), id);
  const auto got = client->Get(rotated->session().id(), {"t3"});
  ASSERT_THAT(got, IsOk());
  EXPECT_THAT(got->session().attributes(), SizeIs(1));
  EXPECT_THAT(client->Delete(rotated->session().id(), {"t3"}), IsOk());
  EXPECT_THAT(client->Get(rotated->session().id(), {"t4"}),
              StatusIs(absl::StatusCode::kNotFound, "no such session"));
}

TEST(ClientTest, OptionsReachTheNode) {
  FakeNode node;
  const auto client = Connect({node.address()});
  ASSERT_THAT(client->Create({.id = "an-id-of-my-own-1",
                              .attributes = {{"a", "b"}},
                              .user = "ann",
                              .idle_timeout = absl::Milliseconds(1500),
                              .absolute_lifetime = absl::Hours(1),
                              .durability = v1::DURABILITY_ALL,
                              .strict = true,
                              .request_id = "0123456789abcdef"}),
              IsOk());
  ASSERT_THAT(client->Get("an-id-of-my-own-1", {"t1", "t0"},
                          {.consistency = v1::CONSISTENCY_QUORUM,
                           .strict = true,
                           .peek = true}),
              IsOk());
  ASSERT_THAT(client->Update("an-id-of-my-own-1", {"t1"},
                             {.set = {{"c", "d"}},
                              .unset = {"e"},
                              .upsert = true,
                              .if_version = "t1",
                              .if_absent = {"c"},
                              .durability = v1::DURABILITY_LOCAL,
                              .strict = true,
                              .user = "bob",
                              .return_session = true,
                              .request_id = "0123456789abcdef"}),
              IsOk());
  EXPECT_THAT(
      node.calls(),
      ElementsAre("id: \"an-id-of-my-own-1\" attributes { key: \"a\" value: "
                  "\"b\" } user: \"ann\" "
                  "idle_timeout { seconds: 1 nanos: 500000000 } "
                  "absolute_lifetime { seconds: 3600 } "
                  "durability: DURABILITY_ALL strict: true request_id: "
                  "\"0123456789abcdef\"",
                  "id: \"an-id-of-my-own-1\" tokens: \"t1\" tokens: \"t0\" "
                  "consistency: CONSISTENCY_QUORUM strict: true peek: true",
                  "id: \"an-id-of-my-own-1\" tokens: \"t1\" set { key: \"c\" "
                  "value: \"d\" } unset: \"e\" "
                  "upsert: true if_version: \"t1\" if_absent: \"c\" "
                  "durability: DURABILITY_LOCAL "
                  "strict: true request_id: \"0123456789abcdef\" user: \"bob\" "
                  "return_session: true"));
}

TEST(ClientTest, ReadAsksForSessionConsistencyByName) {
  FakeNode node;
  EXPECT_THAT(Connect({node.address()})->Get("some-session-id-0", {}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(node.calls(),
              ElementsAre(HasSubstr("consistency: CONSISTENCY_SESSION")));
}

TEST(ClientTest, UnixSocketsWork) {
  const std::string address = absl::StrCat(
      "unix:", ::testing::TempDir(), "sessionmesh-client-", getpid(), ".sock");
  FakeNode node(address);
  EXPECT_THAT(Connect({address})->Create(), IsOk());
}

TEST(ClientTest, RetriedWriteKeepsItsRequestId) {
  FakeNode node;
  node.FailNext(Broken());
  node.FailNext(Broken());
  const auto client = Connect({node.address()});
  ASSERT_THAT(client->Create(), IsOk());
  ASSERT_THAT(client->Create(), IsOk());
  const std::vector<std::string> ids = node.request_ids();
  ASSERT_THAT(ids, SizeIs(4));
  EXPECT_THAT(ids[0], SizeIs(16));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[3]) << "another call has another id";
}

// The node that would be asked again may be a new process, which does not know
// the request id, and somebody may have set the attribute meanwhile.
TEST(ClientTest, UpdateWhoseAnswerIsLostIsNotAppliedTwice) {
  FakeNode first;
  FakeNode second;
  const auto client = Connect({first.address(), second.address()});
  const std::string id = client->Create().value().session().id();
  first.ApplyAndFailNext(Broken());
  const auto updated = client->Update(id, {}, {.set = {{"x", "1"}}});
  EXPECT_THAT(updated, StatusIs(absl::StatusCode::kUnavailable,
                                absl::StrCat("node at ", first.address(),
                                             ": socket closed")));
  EXPECT_TRUE(MayBeApplied(updated.status()));
  EXPECT_THAT(first.calls(), SizeIs(2)) << "the Create and one Update";
  EXPECT_THAT(second.calls(), SizeIs(0));
}

TEST(ClientTest, CreateUnderAnOwnIdWhoseAnswerIsLostIsNotRepeated) {
  FakeNode node;
  node.ApplyAndFailNext(Broken());
  const auto created =
      Connect({node.address()})->Create({.id = "an-id-of-my-own-1"});
  EXPECT_TRUE(MayBeApplied(created.status()));
  EXPECT_THAT(node.calls(), SizeIs(1));
}

TEST(ClientTest, CreateRotateAndDeleteGoOnElsewhereWithTheirRequestId) {
  FakeNode first;
  FakeNode second;
  const auto client = Connect({first.address(), second.address()});
  const auto on_second =
      Connect({second.address()})->Create({.id = "an-id-of-my-own-1"});
  ASSERT_THAT(on_second, IsOk());
  first.ApplyAndFailNext(Broken());
  EXPECT_THAT(client->Create(), IsOk());
  first.FailNext(Broken());
  const auto rotated = client->Rotate("an-id-of-my-own-1", {});
  ASSERT_THAT(rotated, IsOk());
  first.FailNext(Broken());
  EXPECT_THAT(client->Delete(rotated->session().id(), {}), IsOk());
  std::vector<std::string> ids = second.request_ids();
  ids.erase(ids.begin());  // of the Create that prepared it
  EXPECT_EQ(first.request_ids(), ids);
}

TEST(ClientTest, UpdateIsRepeatedElsewhereWhenTheCallerAllows) {
  FakeNode first;
  FakeNode second;
  const auto client = Connect({first.address(), second.address()}, kLong,
                              {.repeat_updates = true});
  first.FailNext(Broken());
  EXPECT_THAT(client->Update("an-id-of-my-own-1", {}, {.upsert = true}),
              IsOk());
  EXPECT_THAT(first.calls(), SizeIs(1));
  EXPECT_THAT(second.calls(), SizeIs(1));
}

TEST(ClientTest, WriteThatWasRefusedGoesToTheNextNode) {
  FakeNode second;
  const auto client = Connect({DeadAddress(), second.address()});
  EXPECT_THAT(client->Create(), IsOk());
  EXPECT_THAT(second.calls(), SizeIs(1));

  FakeNode leaving;
  leaving.FailNext(Refusal(v1::REASON_SHUTTING_DOWN));
  EXPECT_THAT(Connect({leaving.address(), second.address()})->Create(), IsOk());
  EXPECT_THAT(second.calls(), SizeIs(2));
}

TEST(ClientTest, StaleReadIsTriedOnTheNextNode) {
  FakeNode first;
  FakeNode second;
  first.FailNext(Refusal(v1::REASON_STALE));
  const auto client = Connect({first.address(), second.address()});
  EXPECT_THAT(client->Get("some-session-id-0", {"t9"}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(second.calls(), SizeIs(1));
}

TEST(ClientTest, SilentNodeDoesNotUseUpTheWholeCall) {
  FakeNode silent;
  FakeNode second;
  silent.HangNext();
  const auto client =
      Connect({silent.address(), second.address()}, absl::Seconds(2));
  EXPECT_THAT(client->Get("some-session-id-0", {}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(silent.calls(), SizeIs(1));
}

TEST(ClientTest, WriteAppliedWithTooFewReplicasIsNotRepeated) {
  FakeNode node;
  node.ApplyAndFailNext(Refusal(v1::REASON_DURABILITY_UNMET, /*applied=*/true));
  const auto created = Connect({node.address()})->Create({.strict = true});
  EXPECT_THAT(created,
              StatusIs(absl::StatusCode::kUnavailable, "the node says no"));
  EXPECT_TRUE(MayBeApplied(created.status()));
  EXPECT_EQ(ErrorReason(created.status()), v1::REASON_DURABILITY_UNMET);
  EXPECT_THAT(node.calls(), SizeIs(1));
}

TEST(ClientTest, FailedPreconditionBringsTheSession) {
  FakeNode node;
  const auto client = Connect({node.address()});
  const std::string id =
      client->Create({.attributes = {{"lock", "ann"}}}).value().session().id();
  const auto updated =
      client->Update(id, {}, {.set = {{"lock", "bob"}}, .if_absent = {"lock"}});
  EXPECT_THAT(updated, StatusIs(absl::StatusCode::kAborted,
                                "attribute \"lock\" exists"));
  EXPECT_EQ(ErrorDetail(updated.status())->session().attributes().at("lock"),
            "ann");
  EXPECT_FALSE(MayBeApplied(updated.status()));
}

TEST(ClientTest, DeadlineEndsACallThatIsNotAnswered) {
  FakeNode node;
  node.HangNext();
  const auto client = Connect({node.address()});
  const absl::Time start = absl::Now();
  const auto created = client->Create({.timeout = absl::Milliseconds(100)});
  EXPECT_THAT(created, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(MayBeApplied(created.status()));
  EXPECT_LT(absl::Now() - start, kLong / 2);
}

TEST(ClientTest, NobodyThereIsSaidWithTheAddress) {
  const std::string dead = DeadAddress();
  const auto got =
      Connect({dead}, absl::Milliseconds(200))->Get("some-session-id-0", {});
  EXPECT_THAT(
      got, StatusIs(absl::StatusCode::kUnavailable,
                    AllOf(HasSubstr(dead), HasSubstr("connection refused"))));
  EXPECT_FALSE(MayBeApplied(got.status()));
}

TEST(ClientTest, ReasonOfANodeIsKeptWhenTheOthersAreNotThere) {
  FakeNode node;
  for (int i = 0; i < 3; ++i) {
    node.FailNext(Refusal(v1::REASON_STALE));
  }
  const auto client =
      Connect({node.address(), DeadAddress()}, kLong, {.tries_max = 2});
  const auto got = client->Get("some-session-id-0", {"t9"});
  EXPECT_EQ(ErrorReason(got.status()), v1::REASON_STALE);
}

TEST(ClientTest, ReturnsToTheFirstNodeWhenItIsBack) {
  auto first = std::make_unique<FakeNode>();
  const std::string address = first->address();
  FakeNode second;
  const auto client = Connect({address, second.address()});
  ASSERT_THAT(client->Create(), IsOk());
  first->Stop();
  ASSERT_THAT(client->Create(), IsOk());
  EXPECT_THAT(second.calls(), SizeIs(1));
  first = std::make_unique<FakeNode>(address);
  const absl::Time end = absl::Now() + kLong;
  while (first->calls().empty() && absl::Now() < end) {
    ASSERT_THAT(client->Create(), IsOk());
  }
  EXPECT_FALSE(first->calls().empty());
}

TEST(ClientTest, AddressesAreChecked) {
  const auto error = [](std::vector<std::string> addresses) {
    return Client::Open({.addresses = std::move(addresses)}).status();
  };
  EXPECT_THAT(
      error({}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "no address: give at least one, for example localhost:7400"));
  const std::string advice =
      ": use HOST:PORT with a port of 1 to 65535, for example localhost:7400 "
      "or [::1]:7400, or "
      "unix:/absolute/path";
  for (const std::string bad :
       {"localhost", ":7400", "host:0", "host:65536", "host:x", "::1:7400",
        "unix:relative", "http://host:7400", "a b:1", ""}) {
    EXPECT_THAT(error({bad}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("address \"", bad, "\"", advice)));
  }
  for (const std::string good :
       {"localhost:7400", "10.0.0.1:1", "[::1]:65535", "unix:/run/x"}) {
    EXPECT_THAT(CheckAddress(good), IsOk()) << good;
  }
}

TEST(WatchTest, StatesComeInOrderAndTheEndIsSaid) {
  FakeNode node;
  const auto client = Connect({node.address()});
  const std::string id =
      client->Create({.attributes = {{"n", "0"}}}).value().session().id();
  std::vector<std::string> seen;
  auto watch =
      client->OpenWatch(id, {"t1"}, [&](const v1::WatchResponse& event) {
        seen.push_back(
            event.has_ended() ? "ended" : event.session().attributes().at("n"));
        if (!event.has_ended()) {
          // From the callback: what follows happens after the node has shown
          // this state.
          if (seen.size() == 1) {
            EXPECT_THAT(client->Update(id, {}, {.set = {{"n", "1"}}}), IsOk());
          } else {
            EXPECT_THAT(client->Delete(id, {}), IsOk());
          }
        }
      });
  ASSERT_THAT(watch, IsOk());
  EXPECT_THAT((*watch)->Wait(), IsOk());
  EXPECT_THAT(seen, ElementsAre("0", "1", "ended"));
}

TEST(WatchTest, CancelEndsIt) {
  FakeNode node;
  const auto client = Connect({node.address()});
  const std::string id = client->Create().value().session().id();
  absl::Notification shown;
  auto watch = client->OpenWatch(
      id, {}, [&](const v1::WatchResponse&) { shown.Notify(); });
  ASSERT_THAT(watch, IsOk());
  shown.WaitForNotification();
  (*watch)->Cancel();
  EXPECT_THAT((*watch)->Wait(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(WatchTest, MissingSessionIsNotFound) {
  FakeNode node;
  auto watch = Connect({node.address()})
                   ->OpenWatch("no-such-session-1", {}, [](const auto&) {});
  ASSERT_THAT(watch, IsOk());
  const absl::Status status = (*watch)->Wait();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "no such session"));
  EXPECT_EQ(ErrorReason(status), v1::REASON_SESSION_NOT_FOUND);
}

}  // namespace
}  // namespace sessionmesh::client
