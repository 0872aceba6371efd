// Calls that this node gives to owners.

#include "node/forwarder.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "node/self_info.h"
#include "node/session_codec.h"
#include "proto/peer.grpc.pb.h"
#include "tests/node/waiter.h"

namespace sessionmesh::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An owner that answers as the test says.
class FakeOwner : public v1::PeerService::CallbackService {
 public:
  enum class Way : uint8_t { kAnswers, kServesNot, kBreaks, kHangs };

  FakeOwner() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeOwner() override { Stop(); }

  void Stop() {
    Release();
    server_->Shutdown();
  }
  // Answers what hangs.
  void Release() {
    std::vector<std::pair<grpc::ServerUnaryReactor*, v1::PipelineResponse*>>
        held;
    waiter_.Do([&] { held.swap(held_); });
    for (const auto& [reactor, response] : held) {
      response->mutable_get()->mutable_session()->set_id("late");
      reactor->Finish(grpc::Status::OK);
    }
  }

  grpc::ServerUnaryReactor* NodeStatus(grpc::CallbackServerContext* context,
                                       const v1::NodeStatusRequest*,
                                       v1::NodeStatusResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerUnaryReactor* Forward(grpc::CallbackServerContext* context,
                                    const v1::PipelineRequest* request,
                                    v1::PipelineResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    waiter_.Do([&] { ++calls; });
    switch (way) {
      case Way::kAnswers:
        if (request->has_get()) {
          response->mutable_get()->mutable_session()->set_id("here");
        } else {
          response->mutable_update()->mutable_info()->set_token("here");
        }
        reactor->Finish(grpc::Status::OK);
        break;
      case Way::kServesNot: {
        replication::Failure failure;
        failure.reason = replication::Reason::kNotReady;
        *response->mutable_error() = FailedCommand(
            absl::UnavailableError("not here"), EncodeFailure(failure));
        reactor->Finish(grpc::Status::OK);
        break;
      }
      case Way::kBreaks:
        reactor->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken"));
        break;
      case Way::kHangs:
        waiter_.Do([&] { held_.emplace_back(reactor, response); });
        break;
    }
    return reactor;
  }

  const std::string& address() const { return address_; }
  Way way = Way::kAnswers;
  int calls = 0;

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  testing::Waiter waiter_;
  std::vector<std::pair<grpc::ServerUnaryReactor*, v1::PipelineResponse*>>
      held_;
};

class ForwarderTest : public ::testing::Test {
 protected:
  using Way = FakeOwner::Way;

  ForwarderTest() {
    std::vector<membership::Member> members;
    for (const auto& [name, address] :
         {std::pair<std::string, std::string>{"first", first_.address()},
          {"nowhere", "127.0.0.1:1"},
          {"second", second_.address()}}) {
      members.emplace_back();
      members.back().name = name;
      members.back().address = address;
      members.back().claim.generation = 1;
    }
    members.emplace_back();
    members.back().name = "self";
    members.back().claim.generation = 1;
    forwarder_.SetView(
        std::make_shared<membership::View>("self", members, 1, false));
  }
  ~ForwarderTest() override {
    first_.Release();
    second_.Release();
    client_.Shutdown();
    forwarder_.Shutdown();
  }

  static wire::NodeInfo Info() {
    wire::NodeInfo info;
    info.cluster_id = "shop";
    info.name = "self";
    return info;
  }
  static v1::PipelineRequest Read() {
    v1::PipelineRequest request;
    request.mutable_get()->set_id("0123456789abcdef");
    return request;
  }
  static v1::PipelineRequest Write() {
    v1::PipelineRequest request;
    request.mutable_update()->set_id("0123456789abcdef");
    return request;
  }

  v1::PipelineResponse Forward(v1::PipelineRequest request,
                               const std::vector<std::string>& owners,
                               absl::Duration timeout = absl::Seconds(20)) {
    replication::Reply refusal;
    refusal.status = absl::UnavailableError("this node does not own it");
    refusal.failure.reason = replication::Reason::kNotReady;
    refusal.failure.forward_to = owners;
    std::optional<v1::PipelineResponse> result;
    forwarder_.Forward(std::move(request), std::move(refusal),
                       clock_.Now().steady + timeout,
                       [&](v1::PipelineResponse response) {
                         waiter_.Do([&] { result = std::move(response); });
                       });
    EXPECT_TRUE(waiter_.Await([&] { return result.has_value(); }));
    return *result;
  }

  const RealClock clock_;
  EventLog log_;
  FakeOwner first_;
  FakeOwner second_;
  testing::Waiter waiter_;
  SelfInfo self_{Info(), absl::Seconds(1), &clock_, &log_};
  PeerClient client_{&self_};
  Forwarder forwarder_{&client_, &clock_, &log_};
};

TEST_F(ForwarderTest, TheAnswerOfTheFirstOwnerIsPassedOn) {
  EXPECT_EQ(Forward(Read(), {"first", "second"}).get().session().id(), "here");
  EXPECT_EQ(first_.calls, 1);
  EXPECT_EQ(second_.calls, 0);
}

TEST_F(ForwarderTest, AnOwnerThatDoesNotServeItIsPassedOver) {
  first_.way = Way::kServesNot;

  EXPECT_EQ(Forward(Write(), {"first", "second"}).update().info().token(),
            "here");
}

TEST_F(ForwarderTest, AnOwnerThatCannotBeReachedIsPassedOver) {
  EXPECT_EQ(Forward(Write(), {"nowhere", "unknown", "second"})
                .update()
                .info()
                .token(),
            "here");
}

TEST_F(ForwarderTest, AReadThatBreaksIsGivenToAnother) {
  first_.way = Way::kBreaks;

  EXPECT_EQ(Forward(Read(), {"first", "second"}).get().session().id(), "here");
}

TEST_F(ForwarderTest, AChangeThatMayHaveBeenMadeIsGivenToNobodyElse) {
  first_.way = Way::kBreaks;

  const v1::PipelineResponse result = Forward(Write(), {"first", "second"});

  EXPECT_EQ(result.error().code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.error().message(), HasSubstr("may have been made"));
  EXPECT_EQ(second_.calls, 0);
}

TEST_F(ForwarderTest, AReadThatTakesLongIsGivenToAnotherAsWell) {
  first_.way = Way::kHangs;

  EXPECT_EQ(Forward(Read(), {"first", "second"}).get().session().id(), "here");

  EXPECT_EQ(first_.calls, 1);
  EXPECT_EQ(second_.calls, 1);
}

TEST_F(ForwarderTest, WhenNobodyServesItTheLastReasonIsTold) {
  first_.way = second_.way = Way::kServesNot;

  EXPECT_EQ(Forward(Read(), {"first", "second"}).error().message(), "not here");
}

TEST_F(ForwarderTest, WithoutAnOwnerTheRefusalStands) {
  EXPECT_EQ(Forward(Read(), {"unknown"}).error().message(),
            "this node does not own it");
}

TEST_F(ForwarderTest, NoCallOutlivesItsDeadline) {
  first_.way = second_.way = Way::kHangs;

  EXPECT_EQ(Forward(Read(), {"first", "second"}, absl::Milliseconds(300))
                .error()
                .code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ForwarderTest, AnAnswerToSomethingElseIsNone) {
  // Asked to touch, it answers an update.
  v1::PipelineRequest request;
  request.mutable_touch()->set_id("0123456789abcdef");

  EXPECT_THAT(Forward(request, {"first"}).error().message(),
              HasSubstr("something else"));
}

}  // namespace
}  // namespace sessionmesh::node
