// What operators and their tools ask a real node.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// ---- Reflection

// One question of grpc.reflection.v1alpha, for which Debian has no header:
// `request` is a ServerReflectionRequest as bytes, so is the answer.
std::string Reflect(const std::string& address, const std::string& request) {
  grpc::GenericStub stub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(
      &context,
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  if (!done()) return "the call did not begin";
  const grpc::Slice bytes(request);
  call->Write(grpc::ByteBuffer(&bytes, 1), nullptr);
  if (!done()) return "the question was not taken";
  grpc::ByteBuffer reply;
  call->Read(&reply, nullptr);
  if (!done()) return "no answer";
  grpc::Status status;
  context.TryCancel();
  call->Finish(&status, nullptr);
  done();
  grpc::Slice slice;
  if (!reply.DumpToSingleSlice(&slice).ok()) return "the answer is broken";
  return {slice.begin(), slice.end()};
}

TEST(OperatorsTest, ReflectionListsTheServicesAndDescribesThem) {
  Cluster cluster;
  ASSERT_TRUE(cluster.Start("a").AwaitLine("ready"));
  const std::string client = cluster.daemon("a").Field("client");

  // list_services = 7, any text.
  EXPECT_THAT(Reflect(client, "\x3a\x01*"),
              AllOf(HasSubstr("sessionmesh.v1.SessionService"),
                    HasSubstr("sessionmesh.v1.ClusterService"),
                    HasSubstr("grpc.health.v1.Health")));
  // file_containing_symbol = 4; the answer is a FileDescriptorProto.
  EXPECT_THAT(Reflect(client, "\x22\x1dsessionmesh.v1.SessionService"),
              AllOf(HasSubstr("proto/session.proto"), HasSubstr("Rotate"),
                    HasSubstr("UpdateRequest")));
}

// ---- Replication

class ReplicationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Nobody is suspected in the time that this takes.
    for (const char* name : {"a", "b"}) {
      cluster_.Start(name, {"--profile", "wan"});
    }
    ASSERT_TRUE(cluster_.AllSeeEachOther({"a", "b"}));
  }

  NodeClient& a() { return cluster_.client("a"); }
  NodeClient& b() { return cluster_.client("b"); }
  // What a says of b.
  v1::ReplicationResponse::Peer ToB() {
    grpc::ClientContext context;
    v1::ReplicationResponse response;
    EXPECT_TRUE(a().cluster()->Replication(&context, {}, &response).ok());
    EXPECT_EQ(response.peers_size(), 1);
    if (response.peers_size() != 1) return {};
    EXPECT_EQ(response.peers(0).name(), "b");
    return response.peers(0);
  }
  bool NothingWaits() {
    return Eventually([&] {
      const v1::ReplicationResponse::Peer peer = ToB();
      return peer.connected() && peer.lag_operations() == 0 &&
             peer.backlog_bytes() == 0 && peer.slots_dirty() == 0;
    });
  }
  void Write(const std::string& value, v1::Durability durability) {
    v1::CreateRequest request;
    (*request.mutable_attributes())["value"] = value;
    request.set_durability(durability);
    const NodeClient::Result created = a().Create(request);
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    written_.emplace_back(created.session.id(), created.info.token());
  }

  Cluster cluster_;
  std::vector<std::pair<std::string, std::string>> written_;
};

TEST_F(ReplicationTest, NothingLagsWhenWritesAreAcknowledged) {
  ASSERT_TRUE(NothingWaits());
  const uint64_t sent = ToB().sent();
  for (int i = 0; i < 20; ++i) Write("x", v1::DURABILITY_ALL);

  EXPECT_TRUE(NothingWaits());
  const v1::ReplicationResponse::Peer peer = ToB();
  EXPECT_GE(peer.sent(), sent + 20);
  EXPECT_EQ(peer.acknowledged(), peer.sent());
  EXPECT_EQ(peer.lag().seconds(), 0);
  EXPECT_EQ(peer.lag().nanos(), 0);
}

// More than the buffers of a connection hold, so that the rest waits on a.
TEST_F(ReplicationTest, APeerThatStopsReadingCatchesUpWhenItGoesOn) {
  ASSERT_TRUE(NothingWaits());
  cluster_.daemon("b").Signal(SIGSTOP);
  const std::string value(60'000, 'v');
  for (int i = 0; i < 300; ++i) Write(value, v1::DURABILITY_LOCAL);

  const v1::ReplicationResponse::Peer stopped = ToB();
  EXPECT_GT(stopped.lag_operations(), 0u);
  EXPECT_GT(stopped.backlog_bytes(), 0u);

  cluster_.daemon("b").Signal(SIGCONT);
  EXPECT_TRUE(NothingWaits());
  EXPECT_EQ(b().Status().sessions(), written_.size());
  for (const auto& [id, token] : written_) {
    const NodeClient::Result got = b().Get(id, token);
    ASSERT_TRUE(got.ok()) << got.status.error_message();
    EXPECT_EQ(got.session.attributes().at("value"), value);
  }
}

}  // namespace
}  // namespace sessionmesh::e2e
