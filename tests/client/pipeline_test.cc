#include "client/pipeline.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "client/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/fake_node.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::client {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kLong = absl::Seconds(30);

std::unique_ptr<Pipeline> Open(const FakeNode& node,
                               PipelineOptions options = {.timeout = kLong}) {
  return *(*Client::Open({.addresses = {node.address()}, .timeout = kLong}))
              ->OpenPipeline(options);
}

v1::PipelineRequest Create(const std::string& id) {
  v1::PipelineRequest command;
  command.mutable_create()->set_id(id);
  return command;
}

v1::PipelineRequest Get(const std::string& id) {
  v1::PipelineRequest command;
  command.mutable_get()->set_id(id);
  return command;
}

// Collects replies; its callbacks may run on any thread. Outlives the pipeline,
// whose destructor still delivers the last of them.
class Replies {
 public:
  Pipeline::ReplyCallback Take(const std::string& name) {
    return [this, name](absl::StatusOr<v1::PipelineResponse> reply) {
      const std::lock_guard<std::mutex> lock(mutex_);
      order_.push_back(name);
      statuses_.push_back(reply.status());
      ids_.push_back(reply.ok() ? reply->create().session().id() : "");
    };
  }
  std::vector<std::string> order() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return order_;
  }
  std::vector<std::string> ids() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ids_;
  }
  std::vector<absl::Status> statuses() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return statuses_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> order_;
  std::vector<std::string> ids_;
  std::vector<absl::Status> statuses_;
};

TEST(PipelineTest, RepliesOutOfOrderFindTheirCommands) {
  FakeNode node;
  node.AnswerInGroups(3);
  Replies replies;
  const auto pipeline = Open(node);
  for (const char* const id :
       {"session-number-1", "session-number-2", "session-number-3"}) {
    ASSERT_THAT(pipeline->Call(Create(id), replies.Take(id)), IsOk());
  }
  EXPECT_THAT(pipeline->Close(), IsOk());
  EXPECT_THAT(
      replies.order(),
      ElementsAre("session-number-3", "session-number-2", "session-number-1"));
  EXPECT_EQ(replies.ids(), replies.order());
}

TEST(PipelineTest, ManyCommandsStayWithinTheBound) {
  FakeNode node;
  Replies replies;
  const auto pipeline = Open(node, {.in_flight_max = 4, .timeout = kLong});
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(pipeline->Call(Create(absl::StrCat("session-number-", i)),
                               replies.Take("x")),
                IsOk());
  }
  pipeline->Flush();
  EXPECT_THAT(replies.statuses(), SizeIs(200));
  EXPECT_THAT(replies.statuses(), ::testing::Each(absl::OkStatus()));
}

TEST(PipelineTest, FullPipelineIsSaidInsteadOfBlocking) {
  FakeNode node;
  node.AnswerInGroups(2);
  Replies replies;
  const auto pipeline = Open(node, {.in_flight_max = 1, .timeout = kLong});
  ASSERT_THAT(pipeline->TryCall(Get("session-number-1"), replies.Take("1")),
              IsOk());
  EXPECT_THAT(pipeline->TryCall(Get("session-number-2"), replies.Take("2")),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("1 commands in flight, the most allowed")));
}

TEST(PipelineTest, ErrorOfACommandHasItsDetails) {
  FakeNode node;
  Replies replies;
  const auto pipeline = Open(node);
  ASSERT_THAT(pipeline->Call(Get("no-such-session-1"), replies.Take("1")),
              IsOk());
  pipeline->Flush();
  ASSERT_THAT(replies.statuses(), SizeIs(1));
  EXPECT_THAT(replies.statuses()[0],
              StatusIs(absl::StatusCode::kNotFound, "no such session"));
  EXPECT_EQ(ErrorReason(replies.statuses()[0]), v1::REASON_SESSION_NOT_FOUND);
}

TEST(PipelineTest, SilentNodeFailsTheCommandAtItsTimeout) {
  FakeNode node;
  node.AnswerInGroups(0);
  Replies replies;
  const auto pipeline = Open(node, {.timeout = absl::Milliseconds(20)});
  ASSERT_THAT(pipeline->Call(Get("session-number-1"), replies.Take("read")),
              IsOk());
  pipeline->Flush();
  ASSERT_THAT(pipeline->Call(Create("session-number-1"), replies.Take("write")),
              IsOk());
  pipeline->Flush();
  ASSERT_THAT(replies.statuses(), SizeIs(2));
  EXPECT_THAT(replies.statuses()[0],
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(MayBeApplied(replies.statuses()[0]));
  EXPECT_THAT(replies.statuses()[1],
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(MayBeApplied(replies.statuses()[1]));
}

TEST(PipelineTest, EveryCommandHearsOfABrokenStream) {
  FakeNode node;
  node.AnswerInGroups(0);
  Replies replies;
  const auto pipeline = Open(node);
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(pipeline->Call(Get("session-number-1"), replies.Take("x")),
                IsOk());
  }
  node.Stop();
  pipeline->Flush();
  ASSERT_THAT(replies.statuses(), SizeIs(5));
  for (const absl::Status& status : replies.statuses()) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  }
  EXPECT_THAT(pipeline->Call(Get("session-number-1"), replies.Take("late")),
              StatusIs(absl::StatusCode::kUnavailable,
                       "pipeline: the stream has ended; open another"));
}

TEST(PipelineTest, DestructionFailsWhatIsInFlight) {
  FakeNode node;
  node.AnswerInGroups(0);
  Replies replies;
  auto pipeline = Open(node);
  ASSERT_THAT(pipeline->Call(Get("session-number-1"), replies.Take("x")),
              IsOk());
  pipeline.reset();
  ASSERT_THAT(replies.statuses(), SizeIs(1));
  EXPECT_THAT(replies.statuses()[0], StatusIs(absl::StatusCode::kCancelled));
}

TEST(PipelineTest, WritesGetRequestIds) {
  FakeNode node;
  Replies replies;
  const auto pipeline = Open(node);
  ASSERT_THAT(pipeline->Call(Create("session-number-1"), replies.Take("x")),
              IsOk());
  pipeline->Flush();
  EXPECT_THAT(node.request_ids(), ElementsAre(SizeIs(16)));
}

TEST(PipelineTest, CommandMustBeSet) {
  FakeNode node;
  const auto pipeline = Open(node);
  EXPECT_THAT(pipeline->Call({}, [](auto) {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "a pipeline request without a command: set one"));
}

}  // namespace
}  // namespace sessionmesh::client
