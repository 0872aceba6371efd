// What peers say that is old, of another cluster or of another version: the
// node's view stays right, and somebody is told why.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/peer.grpc.pb.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/stranger.h"

namespace sessionmesh::e2e {
namespace {

// ---- Replayed datagrams

class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.StartAll({"a", "b"})); }

  // Poses as a member, so that both nodes speak to this test's socket, until
  // each has. Everything that they say is kept.
  bool Capture() {
    uint64_t generation = 0;
    return Eventually([&] {
      Introduce(Peer("a"), StrangerInfo(socket_.address(), ++generation));
      for (Datagrams::Received& received : socket_.Take()) {
        captured_.push_back(std::move(received));
      }
      return !Of("a").empty() && !Of("b").empty();
    });
  }
  std::vector<std::string> Of(const std::string& name) {
    std::vector<std::string> datagrams;
    const std::string from = peers_.try_emplace(name, Peer(name)).first->second;
    for (const Datagrams::Received& received : captured_) {
      if (received.from == from) datagrams.push_back(received.bytes);
    }
    return datagrams;
  }
  // Everything that `name` said, to `to`, many times; then waits until it has
  // been read. One that cannot be decoded comes last, so a higher counter of
  // those tells that all before it were taken.
  void Replay(const std::string& name, const std::string& to) {
    const std::vector<std::string> datagrams = Of(name);
    for (int i = 0; i < 200; ++i) {
      for (const std::string& datagram : datagrams) {
        socket_.Send(Peer(to), datagram);
      }
    }
    const uint64_t before = Refused(to);
    EXPECT_TRUE(Eventually([&] {
      socket_.Send(Peer(to), "the end");
      return Refused(to) > before;
    }));
  }
  uint64_t Refused(const std::string& name) {
    const auto counters = cluster_.client(name).Status().counters();
    const auto found = counters.find("node_datagrams_refused");
    return found == counters.end() ? 0 : found->second;
  }
  std::string Peer(const std::string& name) {
    return cluster_.daemon(name).Field("peer");
  }
  v1::Member MemberOf(const std::string& observer, const std::string& name) {
    grpc::ClientContext context;
    v1::MembersResponse response;
    cluster_.client(observer).cluster()->Members(&context, {}, &response);
    for (const v1::Member& member : response.members()) {
      if (member.name() == name) return member;
    }
    return {};
  }

  Cluster cluster_;
  Datagrams socket_;
  std::vector<Datagrams::Received> captured_;
  std::map<std::string, std::string> peers_;  // when they spoke
};

TEST_F(ReplayTest, OfLivingMembersChangesNothing) {
  ASSERT_TRUE(Capture());
  const NodeClient::Result created = cluster_.client("a").Create({{"x", "y"}});
  ASSERT_TRUE(created.ok()) << created.status.error_message();

  Replay("b", "a");
  Replay("a", "a");
  Replay("a", "b");

  EXPECT_EQ(cluster_.client("a").StateOf("a"), v1::MEMBER_STATE_ALIVE);
  EXPECT_EQ(MemberOf("a", "b").address(), Peer("b"));
  EXPECT_TRUE(cluster_.AllSeeEachOther({"a", "b"}));
  EXPECT_TRUE(cluster_.client("b")
                  .Get(created.session.id(), created.info.token())
                  .ok());
}

TEST_F(ReplayTest, OfADeadProcessDoesNotBringItBack) {
  ASSERT_TRUE(Capture());
  cluster_.Kill("b");
  ASSERT_TRUE(Eventually([&] {
    return cluster_.client("a").StateOf("b") == v1::MEMBER_STATE_DEAD;
  }));

  Replay("b", "a");

  EXPECT_EQ(cluster_.client("a").StateOf("b"), v1::MEMBER_STATE_DEAD);
  EXPECT_TRUE(cluster_.client("a").Create({{"x", "y"}}).ok());
}

TEST_F(ReplayTest, OfAFormerProcessDoesNotReplaceTheLaterOne) {
  ASSERT_TRUE(Capture());
  const uint64_t former = MemberOf("a", "b").generation();
  cluster_.Kill("b");
  cluster_.Start("b");
  ASSERT_TRUE(cluster_.AllSeeEachOther({"a", "b"}));
  ASSERT_TRUE(
      Eventually([&] { return MemberOf("a", "b").generation() > former; }));

  Replay("b", "a");
  Replay("b", "b");

  EXPECT_GT(MemberOf("a", "b").generation(), former);
  EXPECT_EQ(MemberOf("a", "b").address(), Peer("b"));
  EXPECT_TRUE(cluster_.AllSeeEachOther({"a", "b"}));
  EXPECT_TRUE(cluster_.daemon("b").running());
}

// ---- Tokens of another cluster

// A node of its own, with few slots, so that two clusters soon have sessions in
// the same one.
class ForeignTokenTest : public ::testing::Test {
 protected:
  std::vector<std::string> KeyFile(const std::string& name) {
    const std::string path = cluster_.directory() + "/" + name;
    std::ofstream(path) << std::string(32, name[0]);
    chmod(path.c_str(), 0600);
    return {"--key-file", path};
  }
  bool Start(const std::string& name, std::vector<std::string> more) {
    more.insert(more.end(), {"--slots", "8"});
    // No seed: the only node of its cluster.
    more.insert(more.end(), {"--name", name, "--client-address", "127.0.0.1:0",
                             "--peer-address", "127.0.0.1:0", "--state-dir",
                             absl::StrCat(cluster_.directory(), "/", name)});
    daemons_.push_back(
        std::make_unique<Daemon>(cluster_.directory(), name, more));
    if (!daemons_.back()->AwaitLine("ready")) return false;
    clients_.push_back(
        std::make_unique<NodeClient>(daemons_.back()->Field("client")));
    return true;
  }
  static uint32_t SlotOf(NodeClient* client, const std::string& id) {
    grpc::ClientContext context;
    v1::WhereIsRequest request;
    request.set_id(id);
    v1::WhereIsResponse response;
    EXPECT_TRUE(client->cluster()->WhereIs(&context, request, &response).ok());
    return response.slot();
  }
  // The token of a new session in that slot; "" when chance is against it.
  static std::string TokenInSlot(NodeClient* client, uint32_t slot) {
    for (int i = 0; i < 1000; ++i) {
      const NodeClient::Result created = client->Create();
      EXPECT_TRUE(created.ok()) << created.status.error_message();
      if (SlotOf(client, created.session.id()) == slot) {
        return created.info.token();
      }
    }
    return "";
  }
  // The first node takes a token that it made itself, and refuses one of the
  // second, for one and the same session.
  void ExpectOnlyItsOwn() {
    NodeClient* const home = clients_[0].get();
    const NodeClient::Result created = home->Create({{"x", "y"}});
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    const std::string id = created.session.id();
    const uint32_t slot = SlotOf(home, id);
    EXPECT_TRUE(home->Get(id, TokenInSlot(home, slot)).ok());

    const std::string foreign = TokenInSlot(clients_[1].get(), slot);

    ASSERT_FALSE(foreign.empty());
    for (const NodeClient::Result& result :
         {home->Get(id, foreign), home->Set(id, "x", "z", foreign),
          home->Delete(id, foreign)}) {
      EXPECT_EQ(result.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_EQ(result.error.reason(), v1::REASON_INVALID_TOKEN);
    }
    EXPECT_EQ(home->Get(id).session.attributes().at("x"), "y");
  }

  Cluster cluster_;  // only its directory
  std::vector<std::unique_ptr<Daemon>> daemons_;
  std::vector<std::unique_ptr<NodeClient>> clients_;
};

TEST_F(ForeignTokenTest, OfAnotherClusterIdIsRefused) {
  ASSERT_TRUE(Start("a", {"--cluster-id", "here"}));
  ASSERT_TRUE(Start("b", {"--cluster-id", "there"}));

  ExpectOnlyItsOwn();
}

TEST_F(ForeignTokenTest, OfAnotherKeyFileIsRefused) {
  ASSERT_TRUE(Start("a", KeyFile("x")));
  ASSERT_TRUE(Start("b", KeyFile("y")));

  ExpectOnlyItsOwn();
}

// ---- Another protocol version

// A seed of a later version. It answers as that version would: with its own
// range, or by refusing the caller's.
class LaterVersion : public v1::PeerService::Service {
 public:
  explicit LaterVersion(grpc::Status refusal) : refusal_(std::move(refusal)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~LaterVersion() override { server_->Shutdown(); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  grpc::Status NodeStatus(grpc::ServerContext* /*context*/,
                          const v1::NodeStatusRequest* /*request*/,
                          v1::NodeStatusResponse* /*response*/) override {
    return grpc::Status::OK;
  }
  grpc::Status Exchange(grpc::ServerContext* /*context*/,
                        const v1::ExchangeRequest* request,
                        v1::ExchangeResponse* response) override {
    v1::NodeInfo* const info = response->mutable_info();
    *info = StrangerInfo(address());
    info->set_protocol_min(request->info().protocol_max() + 1);
    info->set_protocol_max(request->info().protocol_max() + 8);
    return refusal_;
  }

  const grpc::Status refusal_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class VersionTest : public ::testing::Test {
 protected:
  void ExpectSaidBy(const std::string& name, const std::string& text) {
    EXPECT_TRUE(Eventually([&] {
      return absl::StrContains(cluster_.daemon(name).Log(), text);
    })) << cluster_.daemon(name).Log();
  }
  Cluster cluster_;
};

TEST_F(VersionTest, ANodeThatCallsALaterVersionSaysWhyItDoesNotJoin) {
  LaterVersion seed(grpc::Status::OK);
  cluster_.Start("a", {}, seed.address());

  ExpectSaidBy("a", "the range of protocol versions");
  EXPECT_EQ(cluster_.client("a").StateOf("stranger"),
            v1::MEMBER_STATE_UNSPECIFIED);
}

TEST_F(VersionTest, ANodeThatALaterVersionRefusesSaysWhy) {
  LaterVersion seed(
      {grpc::StatusCode::FAILED_PRECONDITION, "versions 2 to 9 are spoken"});
  cluster_.Start("a", {}, seed.address());

  ExpectSaidBy("a", "versions 2 to 9 are spoken");
  EXPECT_EQ(cluster_.client("a").StateOf("stranger"),
            v1::MEMBER_STATE_UNSPECIFIED);
}

TEST_F(VersionTest, ADatagramOfALaterVersionIsReportedWithBothVersions) {
  ASSERT_TRUE(cluster_.Start("a").AwaitLine("ready"));
  Datagrams socket;

  socket.Send(cluster_.daemon("a").Field("peer"),
              std::string("\xd5\x02", 2) + std::string(30, '\0'));

  ExpectSaidBy("a", "datagram is of protocol version 2; this node speaks 1");
  EXPECT_TRUE(cluster_.client("a").Create().ok());
}

}  // namespace
}  // namespace sessionmesh::e2e
