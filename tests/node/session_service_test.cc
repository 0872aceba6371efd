#include "node/session_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "node/clock.h"
#include "node/keys.h"
#include "node/session_pipeline.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::node {
namespace {

class DropEverything : public PeerSender {
 public:
  void Enqueue(const membership::NodeName&, uint32_t,
               replication::Message) override {}
  void Flush(const membership::NodeName&) override {}
};

// The service in front of the lanes of a node that believes to have `peers`
// others, none of which ever answers.
class SessionServiceTest : public ::testing::Test, public Lanes::Listener {
 protected:
  SessionServiceTest()
      : ids_(64, &key_),
        lanes_(Config(), {"a", 7},
               {&clock_, &ids_, &key_, &sender_, &log_, this}),
        codec_({replication::Consistency::kSession,
                replication::Durability::kLocal},
               &ids_, &key_, "a",
               [this](uint64_t number) { return lanes_.ChooseSlot(number); }),
        service_({&codec_, &lanes_, &clock_, &log_, nullptr, nullptr,
                  absl::Seconds(5), absl::Seconds(30)}) {
    SetMembers({"a"});
    lanes_.Start();
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::SessionService::NewStub(
        server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~SessionServiceTest() override {
    server_->Shutdown();
    lanes_.Stop();
  }
  void OnLaneProgress() override {}

  static replication::Config Config() {
    replication::Config config;
    config.slot_count = 64;
    config.lane_count = 4;
    config.bootstrap = true;
    return config;
  }
  void SetMembers(const std::vector<std::string>& names) {
    std::vector<membership::Member> members;
    for (const std::string& name : names) {
      members.emplace_back();
      members.back().name = name;
      members.back().claim.generation = 1;
    }
    lanes_.SetView(
        std::make_shared<membership::View>("a", members, names.size(), false));
  }

  v1::CreateResponse Create() {
    grpc::ClientContext context;
    v1::CreateRequest request;
    (*request.mutable_attributes())["cart"] = "apples";
    v1::CreateResponse response;
    const grpc::Status status = stub_->Create(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Update(const std::string& id, v1::Durability durability,
                      absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(clock_.Now().wall + timeout));
    v1::UpdateRequest request;
    request.set_id(id);
    (*request.mutable_set())["cart"] = "pears";
    request.set_durability(durability);
    v1::UpdateResponse response;
    return stub_->Update(&context, request, &response);
  }
  // The test's own time limit is the deadline.
  void AwaitWaitingCalls(uint64_t count) {
    while (lanes_.status().waiting_calls != count) std::this_thread::yield();
  }
  static v1::ErrorInfo InfoOf(const grpc::Status& status) {
    v1::StatusDetails details;
    v1::ErrorInfo info;
    if (details.ParseFromString(status.error_details()) &&
        details.details_size() == 1) {
      details.details(0).UnpackTo(&info);
    }
    return info;
  }

  const RealClock clock_;
  const HmacKeyedHash key_{"a key for tests"};
  const replication::SessionIds ids_;
  EventLog log_;
  DropEverything sender_;
  Lanes lanes_;
  const SessionCodec codec_;
  SessionService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::SessionService::Stub> stub_;
};

TEST_F(SessionServiceTest, WhatWasCreatedIsRead) {
  const v1::CreateResponse created = Create();
  grpc::ClientContext context;
  v1::GetRequest request;
  request.set_id(created.session().id());
  request.add_tokens(created.info().token());
  v1::GetResponse response;

  ASSERT_TRUE(stub_->Get(&context, request, &response).ok());

  EXPECT_EQ(response.session().attributes().at("cart"), "apples");
  EXPECT_EQ(response.info().node(), "a");
}

TEST_F(SessionServiceTest, AnErrorSaysWhyToMachines) {
  grpc::ClientContext context;
  v1::GetRequest request;
  request.set_id("0123456789abcdef-nobody");
  v1::GetResponse response;

  const grpc::Status status = stub_->Get(&context, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(InfoOf(status).reason(), v1::REASON_SESSION_NOT_FOUND);
}

TEST_F(SessionServiceTest, AWriteThatNobodyElseTakesSaysThatItIsAppliedHere) {
  const v1::CreateResponse created = Create();
  SetMembers({"a", "b"});

  const grpc::Status status = Update(created.session().id(), v1::DURABILITY_ALL,
                                     absl::Milliseconds(300));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(InfoOf(status).reason(), v1::REASON_DURABILITY_UNMET);
  EXPECT_TRUE(InfoOf(status).applied());
}

TEST_F(SessionServiceTest, ACancelledCallFreesWhatItHolds) {
  const v1::CreateResponse created = Create();
  SetMembers({"a", "b"});
  grpc::ClientContext context;
  v1::UpdateRequest request;
  request.set_id(created.session().id());
  (*request.mutable_set())["cart"] = "pears";
  request.set_durability(v1::DURABILITY_ALL);
  v1::UpdateResponse response;
  grpc::Status status;
  std::thread caller(
      [&] { status = stub_->Update(&context, request, &response); });
  AwaitWaitingCalls(1);

  context.TryCancel();
  caller.join();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  AwaitWaitingCalls(0);
}

TEST_F(SessionServiceTest, AWatcherSeesTheStateAndTheEnd) {
  const v1::CreateResponse created = Create();
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_id(created.session().id());
  const auto reader = stub_->Watch(&context, request);
  v1::WatchResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.session().attributes().at("cart"), "apples");

  ASSERT_TRUE(
      Update(created.session().id(), v1::DURABILITY_LOCAL, absl::Seconds(5))
          .ok());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.session().attributes().at("cart"), "pears");

  grpc::ClientContext delete_context;
  v1::DeleteRequest delete_request;
  delete_request.set_id(created.session().id());
  v1::DeleteResponse delete_response;
  ASSERT_TRUE(
      stub_->Delete(&delete_context, delete_request, &delete_response).ok());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.ended().reason(), v1::SessionEnded::DELETED);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(SessionServiceTest, AWatchOfNothingEndsWithTheReason) {
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_id("0123456789abcdef-nobody");
  const auto reader = stub_->Watch(&context, request);
  v1::WatchResponse response;

  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(SessionServiceTest, APipelineAnswersEveryCommandByItsCorrelation) {
  const v1::CreateResponse created = Create();
  grpc::ClientContext context;
  const auto pipeline = stub_->Pipeline(&context);
  constexpr uint64_t kCommands = 1000;
  // More than may be in flight, so reading must go on meanwhile.
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kCommands; ++i) {
      v1::PipelineRequest request;
      request.set_correlation(i);
      if (i % 10 != 0) {
        request.mutable_get()->set_id(created.session().id());
      }
      ASSERT_TRUE(pipeline->Write(request));
    }
    pipeline->WritesDone();
  });
  std::vector<bool> seen(kCommands + 1);
  v1::PipelineResponse response;
  uint64_t errors = 0;
  while (pipeline->Read(&response)) {
    ASSERT_LE(response.correlation(), kCommands);
    EXPECT_FALSE(seen[response.correlation()]);
    seen[response.correlation()] = true;
    if (response.has_error()) {
      ++errors;
      EXPECT_EQ(response.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_EQ(response.correlation() % 10, 0u);
    }
  }
  writer.join();

  EXPECT_TRUE(pipeline->Finish().ok());
  EXPECT_EQ(errors, kCommands / 10);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), kCommands);
}

TEST_F(SessionServiceTest, APipelineThatIsNotReadIsNotServedFurther) {
  grpc::ClientContext create_context;
  v1::CreateRequest create;
  (*create.mutable_attributes())["a"] = std::string(60'000, 'a');
  (*create.mutable_attributes())["b"] = std::string(60'000, 'b');
  (*create.mutable_attributes())["c"] = std::string(60'000, 'c');
  v1::CreateResponse created;
  ASSERT_TRUE(stub_->Create(&create_context, create, &created).ok());
  grpc::ClientContext context;
  const auto pipeline = stub_->Pipeline(&context);
  // Within one process a write is over when the other side has read.
  constexpr int kCommands = 64;
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 1; i <= kCommands; ++i) {
      v1::PipelineRequest request;
      request.set_correlation(static_cast<uint64_t>(i));
      request.mutable_get()->set_id(created.session().id());
      ASSERT_TRUE(pipeline->Write(request));
      ++written;
    }
    pipeline->WritesDone();
  });

  const absl::Time deadline = clock_.Now().steady + absl::Milliseconds(500);
  while (written < kCommands && clock_.Now().steady < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GT(written, 2);
  EXPECT_LT(written, kCommands / 4);

  v1::PipelineResponse response;
  int replies = 0;
  while (pipeline->Read(&response)) replies += response.has_get() ? 1 : 0;
  writer.join();
  EXPECT_EQ(replies, kCommands);
  EXPECT_TRUE(pipeline->Finish().ok());
}

TEST_F(SessionServiceTest, CommandsOfPipelinesCountAsCalls) {
  const v1::CreateResponse created = Create();
  SetMembers({"a", "b"});
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<
      grpc::ClientReaderWriter<v1::PipelineRequest, v1::PipelineResponse>>>
      pipelines;
  v1::PipelineRequest request;
  request.mutable_update()->set_id(created.session().id());
  (*request.mutable_update()->mutable_set())["cart"] = "pears";
  request.mutable_update()->set_durability(v1::DURABILITY_ALL);
  const auto per_pipeline = static_cast<int64_t>(kPipelineInFlightMax);
  for (int64_t i = 0; i < kClientCallsMax; ++i) {
    if (i % per_pipeline == 0) {
      contexts.push_back(std::make_unique<grpc::ClientContext>());
      pipelines.push_back(stub_->Pipeline(contexts.back().get()));
    }
    ASSERT_TRUE(pipelines.back()->Write(request));
  }
  while (service_.calls().inside() < kClientCallsMax) std::this_thread::yield();

  grpc::ClientContext context;
  const auto pipeline = stub_->Pipeline(&context);
  request.set_correlation(7);
  ASSERT_TRUE(pipeline->Write(request));
  v1::PipelineResponse response;
  ASSERT_TRUE(pipeline->Read(&response));

  EXPECT_EQ(response.correlation(), 7u);
  EXPECT_EQ(response.error().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(response.error().info().limit(),
            static_cast<uint64_t>(kClientCallsMax));
  for (const auto& one : contexts) one->TryCancel();
  for (const auto& one : pipelines) {
    EXPECT_EQ(one->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  while (service_.calls().inside() > 0) std::this_thread::yield();
  pipeline->WritesDone();
  EXPECT_TRUE(pipeline->Finish().ok());
}

TEST_F(SessionServiceTest, ACancelledPipelineFreesItsCalls) {
  const v1::CreateResponse created = Create();
  SetMembers({"a", "b"});
  grpc::ClientContext context;
  const auto pipeline = stub_->Pipeline(&context);
  v1::PipelineRequest request;
  request.mutable_update()->set_id(created.session().id());
  (*request.mutable_update()->mutable_set())["cart"] = "pears";
  request.mutable_update()->set_durability(v1::DURABILITY_ALL);
  ASSERT_TRUE(pipeline->Write(request));
  AwaitWaitingCalls(1);

  context.TryCancel();

  EXPECT_EQ(pipeline->Finish().error_code(), grpc::StatusCode::CANCELLED);
  AwaitWaitingCalls(0);
}

}  // namespace
}  // namespace sessionmesh::node
