#include "node/peer_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "node/clock.h"
#include "node/keys.h"
#include "node/udp_socket.h"

namespace sessionmesh::node {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kSlots = 64;
constexpr uint32_t kLanes = 4;

class DropEverything : public PeerSender {
 public:
  void Enqueue(const membership::NodeName&, uint32_t,
               replication::Message) override {}
  void Flush(const membership::NodeName&) override {}
};

class CallNobody : public ReliablePlane {
 public:
  void Call(
      const membership::Address&, const membership::Request&, absl::Duration,
      std::function<void(absl::StatusOr<membership::Reply>)> done) override {
    done(absl::UnavailableError("nobody is there"));
  }
};

replication::Config LaneConfig() {
  replication::Config config;
  config.slot_count = kSlots;
  config.lane_count = kLanes;
  config.bootstrap = true;
  return config;
}

// What `name` says of itself.
wire::NodeInfo InfoOf(const std::string& name) {
  wire::NodeInfo info;
  info.cluster_id = "shop";
  info.slot_count = kSlots;
  info.lane_count = kLanes;
  info.absolute_lifetime_max = absl::Hours(24);
  info.name = name;
  info.generation = 1;
  info.process = 7;
  info.peer_address = "127.0.0.1:1";
  return info;
}

// The service of a node "a" in this process.
class PeerServiceTest : public ::testing::Test,
                        public Lanes::Listener,
                        public MembershipLoop::Listener {
 protected:
  explicit PeerServiceTest(
      absl::Duration first_batch_max = absl::Milliseconds(200))
      : self_(InfoOf("a"), absl::Seconds(1), &clock_, &log_),
        ids_(kSlots, &key_),
        lanes_(LaneConfig(), {"a", 7},
               {&clock_, &ids_, &key_, &sender_, &log_, this}),
        socket_(*UdpSocket::Bind(*ParseSocketAddress("127.0.0.1:0"))),
        membership_({membership::Config::Fast(),
                     {"a", socket_->address().ToString(), 1},
                     42,
                     17,
                     {}},
                    {socket_.get(), &clock_, &plane_, &log_, this}),
        report_({"a", "shop", "127.0.0.1:1", 1, clock_.Now().wall},
                {&lanes_, &membership_, &log_, &leaving_}),
        service_({&self_, &membership_, &lanes_, &report_, nullptr, &clock_,
                  &log_, first_batch_max},
                 {kSlots, kLanes}) {
    membership_.Start();
    lanes_.Start();
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::PeerService::NewStub(
        server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~PeerServiceTest() override {
    server_->Shutdown();
    membership_.Stop();
    lanes_.Stop();
  }
  void OnLaneProgress() override {}
  void OnView(const membership::ViewPtr& view) override {
    lanes_.SetView(view);
  }
  void OnMemberEvent(const membership::Event&) override {}

  // One Replicate call.
  class Caller {
   public:
    explicit Caller(v1::PeerService::Stub* stub)
        : stream_(stub->Replicate(&context_)) {}

    bool Write(const v1::PeerBatch& batch) { return stream_->Write(batch); }
    // Says who calls; whether that was accepted.
    bool Open(const wire::NodeInfo& info, const Clock& clock) {
      wire::NodeInfo now = info;
      now.wall = clock.Now().wall;
      v1::PeerBatch batch;
      *batch.mutable_info() = wire::EncodeNodeInfo(now);
      v1::ReplicateAccepted accepted;
      return Write(batch) && stream_->Read(&accepted);
    }
    grpc::Status End() {
      v1::ReplicateAccepted accepted;
      while (stream_->Read(&accepted)) {
      }
      return stream_->Finish();
    }
    grpc::Status Hangup() {
      stream_->WritesDone();
      return End();
    }

   private:
    grpc::ClientContext context_;
    const std::unique_ptr<
        grpc::ClientReaderWriter<v1::PeerBatch, v1::ReplicateAccepted>>
        stream_;
  };

  const RealClock clock_;
  const HmacKeyedHash key_{"a key for tests"};
  EventLog log_;
  SelfInfo self_;
  const replication::SessionIds ids_;
  DropEverything sender_;
  CallNobody plane_;
  std::atomic<bool> leaving_{false};
  Lanes lanes_;
  const std::unique_ptr<UdpSocket> socket_;
  MembershipLoop membership_;
  NodeReport report_;
  PeerService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::PeerService::Stub> stub_;
};

v1::PeerBatch Garbage() {
  v1::PeerBatch batch;
  batch.add_messages()->set_lane(4711);
  return batch;
}

// One that sends garbage and one that ends used to wait for each other.
TEST_F(PeerServiceTest, GarbageAndEndsOfStreamsOfOnePeerDoNotLockEachOtherOut) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 1500; ++i) {
        Caller caller(stub_.get());
        if (!caller.Open(InfoOf("b"), clock_)) {
          caller.End();
        } else if (thread % 2 == 0) {
          caller.Write(Garbage());
          caller.End();
        } else {
          caller.Hangup();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_GT(log_.counters().at("node_peer_messages_refused"), 0u);
}

TEST_F(PeerServiceTest, OnlyTheLatestStreamOfAPeerCounts) {
  Caller former(stub_.get());
  ASSERT_TRUE(former.Open(InfoOf("b"), clock_));
  Caller latest(stub_.get());
  ASSERT_TRUE(latest.Open(InfoOf("b"), clock_));

  former.Write(v1::PeerBatch());
  EXPECT_EQ(former.End().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE(latest.Hangup().ok());
}

TEST_F(PeerServiceTest, NamesOfStreamsThatEndedTakeNoPlace) {
  // More than may have streams at a time.
  for (int i = 0; i < 17'000; ++i) {
    Caller caller(stub_.get());
    ASSERT_TRUE(caller.Open(InfoOf(absl::StrCat("peer-", i)), clock_)) << i;
    ASSERT_TRUE(caller.Hangup().ok()) << i;
  }
}

TEST_F(PeerServiceTest, AStreamThatDoesNotSayWhoCallsEnds) {
  Caller silent(stub_.get());

  const grpc::Status status = silent.End();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("did not say in time"));
}

TEST_F(PeerServiceTest, AStreamThatSaidWhoCallsMayBeSilent) {
  Caller caller(stub_.get());
  ASSERT_TRUE(caller.Open(InfoOf("b"), clock_));
  Caller silent(stub_.get());
  silent.End();  // the time for first batches is over

  caller.Write(v1::PeerBatch());

  EXPECT_TRUE(caller.Hangup().ok());
}

TEST_F(PeerServiceTest, GarbageOfWhoCallsIsReportedForCallsAsForStreams) {
  v1::ExchangeRequest request;
  request.mutable_info()->set_cluster_id("shop");
  v1::ExchangeResponse response;
  grpc::ClientContext context;

  const grpc::Status status = stub_->Exchange(&context, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(log_.counters().at("node_peer_messages_refused"), 1u);
  EXPECT_EQ(log_.counters().at("node_peer_garbage"), 1u);
}

TEST_F(PeerServiceTest, AnotherVersionHearsOfTheVersionWhateverElseItSays) {
  wire::NodeInfo info = InfoOf("b");
  info.protocol_min = info.protocol_max = 9;
  v1::ExchangeRequest request;
  *request.mutable_info() = wire::EncodeNodeInfo(info);
  request.mutable_info()->clear_slot_count();
  v1::ExchangeResponse response;
  grpc::ClientContext context;

  const grpc::Status status = stub_->Exchange(&context, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("protocol versions"));
  EXPECT_EQ(log_.counters().at("node_peer_refused"), 1u);
}

}  // namespace
}  // namespace sessionmesh::node
