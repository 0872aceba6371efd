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
constexpr CallKind kRepeatable = CallKind::kRepeatable;
constexpr CallKind kOnce = CallKind::kOnce;

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

TEST(RetryTest, WritesThatAreCertainlyNotAppliedGoOnWithTheNextNode) {
  for (const CallKind kind : {kRepeatable, kOnce}) {
    Check(
        {
            {"refused", kind, 2, {Refused()}, {kNext}, false},
            {"refused everywhere",
             kind,
             2,
             {Refused(), Refused()},
             {kNext, kNext},
             false},
            {"refused, nobody else", kind, 1, {Refused()}, {kSame}, false},
            {"says not applied",
             kind,
             2,
             {NotReady(), Stale()},
             {kNext, kNext},
             false},
        },
        {});
  }
}

TEST(RetryTest, WritesThatTheNodeHasDecidedAreNotRepeated) {
  const auto unmet = absl::StatusCode::kUnavailable;
  for (const CallKind kind : {kRepeatable, kOnce}) {
    Check(
        {
            {"applied, too few replicas",
             kind,
             2,
             {Said(unmet, v1::REASON_DURABILITY_UNMET, true)},
             {kNone},
             true},
            {"precondition",
             kind,
             2,
             {Said(absl::StatusCode::kAborted, v1::REASON_PRECONDITION_FAILED)},
             {kNone},
             false},
            {"internal without a word",
             kind,
             2,
             {With(absl::StatusCode::kInternal)},
             {kNone},
             true},
            {"not found",
             kind,
             2,
             {With(absl::StatusCode::kNotFound)},
             {kNone},
             false},
        },
        {});
  }
}

// The node may be back as a new process that does not know the request id.
TEST(RetryTest, AnUpdateThatMayBeAppliedIsNotRepeatedAnywhere) {
  Check(
      {
          {"broken after the send", kOnce, 2, {Broken()}, {kNone}, true},
          {"broken, nobody else", kOnce, 1, {Broken()}, {kNone}, true},
          {"no answer", kOnce, 2, {TimedOut()}, {kNone}, true},
          {"node stops",
           kOnce,
           2,
           {With(absl::StatusCode::kCancelled)},
           {kNone},
           true},
          {"moved, then broken",
           kOnce,
           2,
           {Refused(), Broken()},
           {kNext, kNone},
           true},
      },
      {});
}

TEST(RetryTest, CreateRotateAndDeleteMoveOnAlsoWhenTheyMayBeApplied) {
  Check(
      {
          {"broken after the send",
           kRepeatable,
           2,
           {Broken(), Broken()},
           {kNext, kNext},
           true},
          {"broken, nobody else",
           kRepeatable,
           1,
           {Broken(), NotReady()},
           {kSame, kSame},
           true},
          {"node stops",
           kRepeatable,
           2,
           {With(absl::StatusCode::kCancelled)},
           {kNext},
           true},
          {"not found after it may be applied",
           kRepeatable,
           2,
           {Broken(), With(absl::StatusCode::kNotFound)},
           {kNext, kNone},
           true},
      },
      {});
}

TEST(RetryTest, UpdatesAreRepeatedWhenTheCallerAllows) {
  Check({{"allowed",
          kOnce,
          2,
          {Broken(), Refused(), Broken()},
          {kNext, kNext, kNext},
          true},
         {"alone", kOnce, 1, {Broken(), Refused()}, {kSame, kSame}, true}},
        {.repeat_updates = true});
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
  RetryState state({.tries_max = 1000000}, kRepeatable, 1);
  for (int i = 0; i < 100; ++i) {
    state.OnFailure(Broken());
  }
  EXPECT_EQ(state.Delay(1.0), RetryPolicy().backoff_max);
}

}  // namespace
}  // namespace sessionmesh::client
