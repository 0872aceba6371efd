// What clients, peers and strangers may send: each gets a clear error, the node
// goes on, and nothing is lost.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/peer.grpc.pb.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/stranger.h"

namespace sessionmesh::e2e {
namespace {

using ::testing::HasSubstr;

// What a flood of calls may take: 4,096 of them and gRPC's buffers. A sanitizer
// keeps what is freed.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SESSIONMESH_ASAN 1
#endif
#endif
#if defined(SESSIONMESH_ASAN) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kFloodBytesMax = uint64_t{1} << 30;
#else
constexpr uint64_t kFloodBytesMax = uint64_t{200} << 20;
#endif

class BadInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
    const NodeClient::Result created = a().Create({{"cart", "apples"}});
    ASSERT_TRUE(created.ok());
    id_ = created.session.id();
    token_ = created.info.token();
  }
  void TearDown() override {
    const NodeClient::Result got = a().Get(id_, token_);
    EXPECT_TRUE(got.ok()) << got.status.error_message();
    EXPECT_EQ(got.session.attributes().at("cart"), "apples");
  }

  NodeClient& a() { return cluster_.client("a"); }
  uint64_t Counter(const std::string& name) {
    const auto counters = a().Status().counters();
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  }
  sockaddr_in PeerAddress() {
    const std::string text = cluster_.daemon("a").Field("peer");
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(text.substr(text.rfind(':') + 1), &port));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }
  std::unique_ptr<v1::PeerService::Stub> PeerStub() {
    return v1::PeerService::NewStub(
        grpc::CreateChannel(cluster_.daemon("a").Field("peer"),
                            grpc::InsecureChannelCredentials()));
  }
  Cluster cluster_;
  std::string id_;
  std::string token_;
};

// ---- Clients

TEST_F(BadInputTest, IdsOfImpossibleLengthAreRefused) {
  for (const std::string& id :
       {std::string(), std::string(15, 'x'), std::string(257, 'x')}) {
    const NodeClient::Result got = a().Get(id);
    EXPECT_EQ(got.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << id.size();
    EXPECT_EQ(got.error.reason(), v1::REASON_INVALID_ID);
  }
}

TEST_F(BadInputTest, AForgedIdIsNotFound) {
  std::string forged = id_;
  forged[10] = forged[10] == 'A' ? 'B' : 'A';

  EXPECT_EQ(a().Get(forged).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(BadInputTest, NamesValuesAndSessionsHaveLimits) {
  const NodeClient::Result empty = a().Set(id_, "", "x");
  EXPECT_EQ(empty.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(empty.error.reason(), v1::REASON_INVALID_FIELD);

  const NodeClient::Result name = a().Set(id_, std::string(257, 'n'), "x");
  EXPECT_EQ(name.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(name.error.limit(), 256u);
  EXPECT_EQ(name.error.value(), 257u);

  const NodeClient::Result reserved = a().Set(id_, std::string("\0id", 3), "x");
  EXPECT_EQ(reserved.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  const NodeClient::Result value = a().Set(id_, "v", std::string(70'000, 'v'));
  EXPECT_EQ(value.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(value.error.limit(), 65'536u);

  NodeClient::Result last;
  for (int i = 0; i < 6 && last.ok(); ++i) {
    last = a().Set(id_, absl::StrCat("v", i), std::string(60'000, 'v'));
  }
  EXPECT_EQ(last.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(last.error.reason(), v1::REASON_LIMIT);
  EXPECT_EQ(last.error.limit(), 262'144u);
}

TEST_F(BadInputTest, AMessageBeyondFourMebibytesIsRefused) {
  const NodeClient::Result set = a().Set(id_, "v", std::string(5 << 20, 'v'));

  EXPECT_EQ(set.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(BadInputTest, ForgedAndMalformedTokensAreRefused) {
  std::string forged = token_;
  forged[3] = forged[3] == 'A' ? 'B' : 'A';

  for (const std::string& token :
       {forged, std::string("x"), std::string(300, 'A'),
        std::string("not base64url!")}) {
    const NodeClient::Result got = a().Get(id_, token);
    EXPECT_EQ(got.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << token;
    EXPECT_EQ(got.error.reason(), v1::REASON_INVALID_TOKEN);
  }
}

TEST_F(BadInputTest, LifetimesBeyondTheClustersLimitAreRefused) {
  v1::CreateRequest request;
  request.mutable_absolute_lifetime()->set_seconds(60 * 60 * 24 * 31);
  EXPECT_EQ(a().Create(request).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);

  request.mutable_absolute_lifetime()->set_seconds(-1);
  EXPECT_EQ(a().Create(request).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BadInputTest, ARequestIdHasSixteenBytes) {
  v1::CreateRequest request;
  request.set_request_id("short");

  const NodeClient::Result created = a().Create(request);

  EXPECT_EQ(created.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(created.status.error_message(), HasSubstr("request_id"));
}

TEST_F(BadInputTest, AskingWhereAnImpossibleIdIsTellsMachinesWhy) {
  std::string forged = id_;
  forged[10] = forged[10] == 'A' ? 'B' : 'A';
  const auto reason = [&](const std::string& id) {
    grpc::ClientContext context;
    v1::WhereIsRequest request;
    request.set_id(id);
    v1::WhereIsResponse response;
    return InfoOf(a().cluster()->WhereIs(&context, request, &response))
        .reason();
  };

  EXPECT_EQ(reason("short"), v1::REASON_INVALID_ID);
  EXPECT_EQ(reason(forged), v1::REASON_SESSION_NOT_FOUND);
}

TEST_F(BadInputTest, AFloodOfJoinsIsRefused) {
  struct Pending {
    grpc::ClientContext context;
    v1::JoinRequest request;
    v1::JoinResponse response;
  };
  constexpr int kJoins = 200;
  std::atomic<int> exhausted{0};
  std::atomic<int> done{0};
  std::vector<std::unique_ptr<Pending>> calls;
  for (int i = 0; i < kJoins; ++i) {
    calls.push_back(std::make_unique<Pending>());
    Pending* call = calls.back().get();
    call->request.add_seeds("name.invalid:1");
    call->request.mutable_timeout()->set_seconds(1);
    a().cluster()->async()->Join(
        &call->context, &call->request, &call->response,
        [&](const grpc::Status& status) {
          if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
            ++exhausted;
          } else {
            EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
          }
          ++done;
        });
  }

  EXPECT_TRUE(Eventually([&] { return done == kJoins; }));
  EXPECT_GE(exhausted, kJoins - 2 * 64);
}

TEST_F(BadInputTest, AFloodOfCallsIsRefusedAndMemoryStaysBounded) {
  // b stands still, so calls that want its acknowledgement pile up on a, which
  // is in no hurry to suspect it.
  Cluster patient("wan");
  ASSERT_TRUE(patient.StartAll({"a", "b"}));
  NodeClient& a = patient.client("a");
  const std::string id = a.Create({{"x", "y"}}).session.id();
  patient.daemon("b").Signal(SIGSTOP);
  const uint64_t before = a.Status().resident_bytes();

  struct Pending {
    grpc::ClientContext context;
    v1::UpdateRequest request;
    v1::UpdateResponse response;
  };
  constexpr int kCalls = 6000;
  std::atomic<int> exhausted{0};
  std::atomic<int> done{0};
  std::vector<std::unique_ptr<Pending>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(std::make_unique<Pending>());
    Pending* call = calls.back().get();
    call->context.set_deadline(
        absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    call->request.set_id(id);
    (*call->request.mutable_set())["v"] = std::string(1000, 'v');
    call->request.set_durability(v1::DURABILITY_ALL);
    a.sessions()->async()->Update(
        &call->context, &call->request, &call->response,
        [&](const grpc::Status& status) {
          if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
            ++exhausted;
          }
          ++done;
        });
  }
  EXPECT_TRUE(Eventually([&] { return exhausted > 0; }));
  EXPECT_LT(a.Status().resident_bytes(), before + kFloodBytesMax);
  for (const auto& call : calls) call->context.TryCancel();
  EXPECT_TRUE(Eventually([&] { return done == kCalls; }, absl::Seconds(60)));
  patient.daemon("b").Signal(SIGCONT);
}

TEST_F(BadInputTest, WhenMemoryIsFullNewDataIsRefusedAndOldIsKept) {
  Cluster small;
  ASSERT_TRUE(small.Start("s", {"--max-memory", "1MiB"}).AwaitLine("ready"));
  const NodeClient::Result first = small.client("s").Create({{"x", "y"}});
  ASSERT_TRUE(first.ok());
  NodeClient::Result last;
  for (int i = 0; i < 200 && last.ok(); ++i) {
    last = small.client("s").Create({{"x", std::string(50'000, 'x')}});
  }

  EXPECT_EQ(last.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(last.error.reason(), v1::REASON_LIMIT);
  EXPECT_TRUE(small.client("s").Get(first.session.id()).ok());
}

// ---- Strangers on the peer port

TEST_F(BadInputTest, RandomDatagramsAreCountedAndDropped) {
  const sockaddr_in address = PeerAddress();
  const int file = socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(file, 0);
  uint32_t state = 12345;
  for (int i = 0; i < 500; ++i) {
    std::string datagram;
    for (int byte = 0; byte < 3 * i; ++byte) {
      state = state * 1664525 + 1013904223;
      datagram.push_back(static_cast<char>(state >> 24));
    }
    sendto(file, datagram.data(), datagram.size(), 0,
           reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  close(file);

  EXPECT_TRUE(
      Eventually([&] { return Counter("node_datagrams_refused") > 0; }));
}

TEST_F(BadInputTest, GarbageOverTcpDoesNoHarm) {
  const sockaddr_in address = PeerAddress();
  for (size_t i = 0; i < 20; ++i) {
    const int file = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(file, 0);
    ASSERT_EQ(connect(file, reinterpret_cast<const sockaddr*>(&address),
                      sizeof(address)),
              0);
    const std::string garbage(static_cast<size_t>(1000 * (i + 1)),
                              static_cast<char>(i * 37));
    send(file, garbage.data(), garbage.size(), MSG_NOSIGNAL);
    close(file);
  }
}

TEST_F(BadInputTest, AStreamOfGarbageMessagesEndsWithInvalidArgument) {
  const auto stub = PeerStub();
  grpc::ClientContext context;
  const auto stream = stub->Replicate(&context);
  v1::PeerBatch batch;
  *batch.mutable_info() = StrangerInfo();
  ASSERT_TRUE(stream->Write(batch));
  v1::ReplicateAccepted accepted;
  ASSERT_TRUE(stream->Read(&accepted));
  EXPECT_EQ(accepted.info().name(), "a");

  batch.Clear();
  batch.add_messages()->set_lane(4711);
  stream->Write(batch);
  EXPECT_FALSE(stream->Read(&accepted));

  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("4711"));
  EXPECT_TRUE(
      Eventually([&] { return Counter("node_peer_messages_refused") > 0; }));
}

TEST_F(BadInputTest, AStreamThatDoesNotSayWhoItIsIsRefused) {
  const auto stub = PeerStub();
  grpc::ClientContext context;
  const auto stream = stub->Replicate(&context);
  stream->Write(v1::PeerBatch());
  v1::ReplicateAccepted accepted;
  EXPECT_FALSE(stream->Read(&accepted));

  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BadInputTest, AnotherProtocolVersionIsRefusedWithBothRanges) {
  v1::NodeInfo info = StrangerInfo();
  info.set_protocol_min(2);
  info.set_protocol_max(9);

  const grpc::Status status =
      Introduce(cluster_.daemon("a").Field("peer"), info);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("protocol version"));
  EXPECT_THAT(cluster_.daemon("a").Log(), HasSubstr("refused stranger"));
}

TEST_F(BadInputTest, AClockThatIsOffIsRefusedAndBothTimesNamed) {
  v1::NodeInfo info = StrangerInfo();
  info.set_wall_us(absl::ToUnixMicros(absl::Now() - absl::Hours(1)));

  const grpc::Status status =
      Introduce(cluster_.daemon("a").Field("peer"), info);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("the wall clock"));
  EXPECT_THAT(status.error_message(), HasSubstr("NTP"));
}

}  // namespace
}  // namespace sessionmesh::e2e
