// One process: what works without any other.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(OneNodeTest, WithoutConfigurationItServesSessions) {
  const Cluster directories;
  // What every user has, and free ports.
  Daemon daemon(
      directories.directory(), "alone",
      {"--client-address", "127.0.0.1:0", "--peer-address", "127.0.0.1:0"},
      {{"HOME", directories.directory()},
       {"XDG_STATE_HOME", directories.directory() + "/state"}});
  ASSERT_TRUE(daemon.AwaitLine("listening")) << daemon.Log();
  ASSERT_TRUE(daemon.AwaitLine("ready")) << daemon.Log();
  EXPECT_EQ(daemon.Field("slots"), "1024");
  NodeClient client(daemon.Field("client"));

  const NodeClient::Result created = client.Create({{"cart", "apples"}});
  ASSERT_TRUE(created.ok()) << created.status.error_message();
  const std::string id = created.session.id();
  ASSERT_TRUE(client.Set(id, "cart", "pears", created.info.token()).ok());
  EXPECT_EQ(client.Get(id).session.attributes().at("cart"), "pears");

  v1::RotateRequest rotate;
  rotate.set_id(id);
  const NodeClient::Result rotated = client.Rotate(rotate);
  ASSERT_TRUE(rotated.ok()) << rotated.status.error_message();
  EXPECT_EQ(client.Get(id).status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(client.Get(rotated.session.id()).ok());

  ASSERT_TRUE(client.Delete(rotated.session.id()).ok());
  EXPECT_EQ(client.Get(rotated.session.id()).status.error_code(),
            grpc::StatusCode::NOT_FOUND);

  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0);
}

TEST(OneNodeTest, ARestartIsALaterGenerationOfTheSameName) {
  Cluster cluster;
  ASSERT_TRUE(cluster.Start("a").AwaitLine("ready"));
  const uint64_t first = std::stoull(cluster.daemon("a").Field("generation"));
  cluster.Kill("a");

  ASSERT_TRUE(cluster.Start("a").AwaitLine("ready"));

  EXPECT_GT(std::stoull(cluster.daemon("a").Field("generation")), first);
}

TEST(OneNodeTest, ATerminalThatIsClosedDoesNotEndIt) {
  Cluster cluster;
  ASSERT_TRUE(cluster.Start("a").AwaitLine("ready"));

  cluster.daemon("a").Signal(SIGHUP);

  EXPECT_TRUE(Eventually([&] {
    return cluster.daemon("a").Log().find(
               "SIGHUP: this version reloads "
               "nothing") != std::string::npos;
  }));
  EXPECT_TRUE(cluster.daemon("a").running());
  cluster.daemon("a").Signal(SIGTERM);
  EXPECT_EQ(cluster.daemon("a").Wait(), 0);
}

TEST(OneNodeTest, AnotherSignalEndsItAtOnce) {
  Cluster cluster;
  ASSERT_TRUE(cluster.StartAll({"a", "b"}));
  // b cannot hand over to anybody who stopped.
  cluster.daemon("a").Signal(SIGSTOP);
  cluster.client("b").Create({{"x", "y"}});

  cluster.daemon("b").Signal(SIGTERM);
  ASSERT_TRUE(Eventually([&] {
    return cluster.daemon("b").Log().find("node.leaving") != std::string::npos;
  }));
  cluster.daemon("b").Signal(SIGINT);

  EXPECT_EQ(cluster.daemon("b").Wait(absl::Seconds(1)), 130);
  cluster.daemon("a").Signal(SIGCONT);
}

TEST(OneNodeTest, AUnixSocketServesBesideTheAddress) {
  Cluster cluster;
  const std::string path = cluster.directory() + "/socket";
  ASSERT_TRUE(cluster.Start("a", {"--client-socket", path}).AwaitLine("ready"));
  NodeClient client(absl::StrCat("unix:", path));
  EXPECT_TRUE(client.Create().ok());

  // What a killed process leaves does not stop the next one.
  cluster.Kill("a");
  ASSERT_TRUE(cluster.Start("a", {"--client-socket", path}).AwaitLine("ready"));
  NodeClient again(absl::StrCat("unix:", path));
  EXPECT_TRUE(again.Create().ok());
}

// What grpc_health_probe asks; its message has one field, 1 is SERVING and 2 is
// NOT_SERVING.
std::string HealthOf(const std::string& address) {
  grpc::GenericStub stub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const grpc::Slice nothing;
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                            grpc::ByteBuffer(&nothing, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  if (!status.ok() || !reply.DumpToSingleSlice(&bytes).ok()) {
    return status.error_message();
  }
  return {bytes.begin(), bytes.end()};
}

TEST(OneNodeTest, HealthSaysServingOnBothPortsWhenReadyAndNotBefore) {
  Cluster cluster;
  // A seed that nobody can reach: it listens, and waits for the cluster.
  ASSERT_TRUE(cluster.Start("lost", {}, "127.0.0.1:1").AwaitLine("listening"));
  EXPECT_EQ(HealthOf(cluster.daemon("lost").Field("client")), "\x08\x02");
  const NodeClient::Result refused = cluster.client("lost").Create();
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.error.reason(), v1::REASON_NOT_READY);

  cluster.Kill("lost");
  ASSERT_TRUE(cluster.Start("a").AwaitLine("ready"));
  EXPECT_TRUE(Eventually([&] {
    return HealthOf(cluster.daemon("a").Field("client")) == "\x08\x01" &&
           HealthOf(cluster.daemon("a").Field("peer")) == "\x08\x01";
  }));
}

TEST(OneNodeTest, HelpVersionAndCheckEndAtOnce) {
  const Cluster directories;
  Daemon help(directories.directory(), "help", {"--help"});
  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.Output(), HasSubstr("Examples:"));
  Daemon version(directories.directory(), "version", {"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.Output(), StartsWith("sessiond "));
  Daemon check(directories.directory(), "check", {"--check-config"});
  EXPECT_EQ(check.Wait(), 0);
}

}  // namespace
}  // namespace sessionmesh::e2e
