#include "client/retry.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "client/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sessionmesh::client {
namespace {

using ::testing::ElementsAre;

FailedTry Refused() {
  return {absl::UnavailableError("refused"), /*sent=*/false};
}
FailedTry Broken() {
  return {absl::UnavailableError("socket closed"), /*sent=*/true};
}
FailedTry TimedOut() {
  return {absl::DeadlineExceededError("late"), /*sent=*/true};
}
FailedTry With(absl::StatusCode code) {
  return {absl::Status(code, "no"), /*sent=*/true};
}

FailedTry Said(absl::StatusCode code, v1::Reason reason, bool applied = false) {
  v1::Error error;
  error.set_code(static_cast<int>(code));
  error.mutable_info()->set_reason(reason);
  error.mutable_info()->set_applied(applied);
  return {FromError(error), /*sent=*/true};
}

FailedTry NotReady() {
  return Said(absl::StatusCode::kUnavailable, v1::REASON_NOT_READY);
}
FailedTry Stale() {
  return Said(absl::StatusCode::kUnavailable, v1::REASON_STALE);
}

struct Case {
  std::string name;
  CallKind kind;
  int addresses;
  std::vector<FailedTry> failures;
  std::vector<NextTry> expected;
  bool may_be_applied;
};

constexpr NextTry kNone = NextTry::kNone;
constexpr NextTry kSame = NextTry::kSameNode;
constexpr NextTry kNext = NextTry::kNextNode;
constexpr CallKind kRead = CallKind::kRead;
constexpr CallKind kWrite = CallKind::kWrite;

void Check(const std::vector<Case>& cases, const RetryPolicy& policy) {
  for (const Case& c : cases) {
    RetryState state(policy, c.kind, c.addresses);
    std::vector<NextTry> got;
    for (const FailedTry& failed : c.failures) {
      got.push_back(state.OnFailure(failed));
    }
    EXPECT_EQ(got, c.expected) << c.name;
    EXPECT_EQ(state.may_be_applied(), c.may_be_applied) << c.name;
  }
}

TEST(RetryTest, ReadsGoOnWithTheNextNode) {
  Check(
      {
          {"one node, refused",
           kRead,
           1,
           {Refused(), Refused()},
           {kSame, kSame},
           false},
          {"two nodes, refused",
           kRead,
           2,
           {Refused(), Refused()},
           {kNext, kNext},
           false},
          {"broken after the send", kRead, 2, {Broken()}, {kNext}, false},
          {"no answer", kRead, 2, {TimedOut()}, {kNext}, false},
          {"node stops",
           kRead,
           2,
           {With(absl::StatusCode::kCancelled)},
           {kNext},
           false},
          {"stale here", kRead, 2, {Stale()}, {kNext}, false},
          {"stale, nobody else", kRead, 1, {Stale()}, {kSame}, false},
          {"not found",
           kRead,
           2,
           {With(absl::StatusCode::kNotFound)},
           {kNone},
           false},
          {"bad token",
           kRead,
           2,
           {With(absl::StatusCode::kInvalidArgument)},
           {kNone},
           false},
          {"lost",
           kRead,
           2,
           {With(absl::StatusCode::kDataLoss)},
           {kNone},
           false},
          {"full",
           kRead,
           2,
           {With(absl::StatusCode::kResourceExhausted)},
           {kNone},
           false},
      },
      {});
}

TEST(RetryTest, WritesLeaveANodeOnlyWhenTheyAreCertainlyNotApplied) {
  const auto unmet = absl::StatusCode::kUnavailable;
  Check(
      {
          {"refused", kWrite, 2, {Refused()}, {kNext}, false},
          {"refused everywhere",
           kWrite,
           2,
           {Refused(), Refused()},
           {kNext, kNext},
           false},
          {"says not applied",
           kWrite,
           2,
           {NotReady(), Stale()},
           {kNext, kNext},
           false},
          {"broken after the send",
           kWrite,
           2,
           {Broken(), Broken()},
           {kSame, kSame},
           true},
          {"no answer", kWrite, 2, {TimedOut()}, {kSame}, true},
          {"node stops",
           kWrite,
           2,
           {With(absl::StatusCode::kCancelled)},
           {kSame},
           true},
          {"refused after it may be applied",
           kWrite,
           2,
           {Broken(), Refused()},
           {kSame, kSame},
           true},
          {"restarted after it may be applied",
           kWrite,
           2,
           {Broken(), NotReady()},
           {kSame, kSame},
           true},
          {"moved, then stuck",
           kWrite,
           2,
           {Refused(), Broken(), Refused()},
           {kNext, kSame, kSame},
           true},
          {"applied, too few replicas",
           kWrite,
           2,
           {Said(unmet, v1::REASON_DURABILITY_UNMET, true)},
           {kNone},
           true},
          {"precondition",
           kWrite,
           2,
           {Said(absl::StatusCode::kAborted, v1::REASON_PRECONDITION_FAILED)},
           {kNone},
           false},
          {"precondition after it may be applied",
           kWrite,
           2,
           {Broken(),
            Said(absl::StatusCode::kAborted, v1::REASON_PRECONDITION_FAILED)},
           {kSame, kNone},
           true},
          {"internal without a word",
           kWrite,
           2,
           {With(absl::StatusCode::kInternal)},
           {kNone},
           true},
          {"not found",
           kWrite,
           2,
           {With(absl::StatusCode::kNotFound)},
           {kNone},
           false},
      },
      {});
}

TEST(RetryTest, WritesMoveAfterTwoFailuresWhenTheCallerAllows) {
  Check({{"allowed",
          kWrite,
          2,
          {Broken(), Refused(), Broken()},
          {kSame, kNext, kSame},
          true},
         {"alone", kWrite, 1, {Broken(), Refused()}, {kSame, kSame}, true}},
        {.writes_to_other_nodes = true});
}

TEST(RetryTest, TriesAreBounded) {
  RetryState state({.tries_max = 3}, kRead, 1);
  EXPECT_EQ(state.OnFailure(Refused()), kSame);
  EXPECT_EQ(state.OnFailure(Refused()), kSame);
  EXPECT_EQ(state.OnFailure(Refused()), kNone);
  EXPECT_EQ(state.tries(), 3);
}

TEST(RetryTest, DelayComesAfterAWholeRoundAndDoubles) {
  const RetryPolicy policy = {.backoff_initial = absl::Milliseconds(20),
                              .backoff_max = absl::Milliseconds(100)};
  RetryState state(policy, kRead, 2);
  std::vector<absl::Duration> delays;
  for (int i = 0; i < 8; ++i) {
    state.OnFailure(Refused());
    delays.push_back(state.Delay(/*random=*/1.0));
  }
  const absl::Duration none = absl::ZeroDuration();
  EXPECT_THAT(
      delays,
      ElementsAre(none, absl::Milliseconds(20), none, absl::Milliseconds(40),
                  none, absl::Milliseconds(80), none, absl::Milliseconds(100)));
}

TEST(RetryTest, DelayIsBetweenHalfAndWhole) {
  RetryState state({.backoff_initial = absl::Milliseconds(20)}, kRead, 1);
  state.OnFailure(Refused());
  EXPECT_EQ(state.Delay(0.0), absl::Milliseconds(10));
  EXPECT_EQ(state.Delay(0.5), absl::Milliseconds(15));
}

TEST(RetryTest, DelayStaysBoundedForever) {
  RetryState state({.tries_max = 1000000}, kWrite, 1);
  for (int i = 0; i < 100; ++i) {
    state.OnFailure(Broken());
  }
  EXPECT_EQ(state.Delay(1.0), RetryPolicy().backoff_max);
}

}  // namespace
}  // namespace sessionmesh::client
