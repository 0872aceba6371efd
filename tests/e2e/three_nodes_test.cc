// Three processes: any of them serves any session, and one may die.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

class ThreeNodesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.StartAll({"a", "b", "c"})); }

  NodeClient& a() { return cluster_.client("a"); }
  NodeClient& b() { return cluster_.client("b"); }
  NodeClient& c() { return cluster_.client("c"); }

  Cluster cluster_;
};

TEST_F(ThreeNodesTest, WhatOneWritesTheOthersReadWithTheToken) {
  const NodeClient::Result created = a().Create({{"cart", "apples"}});
  ASSERT_TRUE(created.ok()) << created.status.error_message();
  std::string token = created.info.token();
  const std::string id = created.session.id();

  for (int round = 0; round < 20; ++round) {
    NodeClient* const nodes[] = {&a(), &b(), &c()};
    const std::string value = absl::StrCat(round);
    const NodeClient::Result set = nodes[round % 3]->Set(id, "n", value, token);
    ASSERT_TRUE(set.ok()) << set.status.error_message();
    token = set.info.token();
    for (NodeClient* node : nodes) {
      const NodeClient::Result got = node->Get(id, token);
      ASSERT_TRUE(got.ok()) << got.status.error_message();
      EXPECT_EQ(got.session.attributes().at("n"), value);
    }
  }
}

TEST_F(ThreeNodesTest, AWriteOfDurabilityAllIsOnAllOfThem) {
  const NodeClient::Result created = a().Create();
  const NodeClient::Result set = b().Set(
      created.session.id(), "x", "y", created.info.token(), v1::DURABILITY_ALL);

  ASSERT_TRUE(set.ok()) << set.status.error_message();
  EXPECT_EQ(set.info.replicas(), 3u);
  EXPECT_EQ(c().Get(created.session.id(), "", v1::CONSISTENCY_LOCAL)
                .session.attributes()
                .at("x"),
            "y");
}

TEST_F(ThreeNodesTest, ALogoutIsFinalEverywhere) {
  const NodeClient::Result created = a().Create({{"user", "ann"}});
  const std::string id = created.session.id();
  ASSERT_TRUE(b().Get(id, created.info.token()).ok());

  const NodeClient::Result deleted = c().Delete(id, created.info.token());
  ASSERT_TRUE(deleted.ok()) << deleted.status.error_message();

  for (NodeClient* node : {&a(), &b(), &c()}) {
    EXPECT_EQ(node->Get(id, deleted.info.token()).status.error_code(),
              grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(node->Set(id, "x", "y", deleted.info.token()).status.error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
}

TEST_F(ThreeNodesTest, ANodeThatDiesTakesNothingWithItAndComesBackEmpty) {
  std::vector<std::pair<std::string, std::string>> sessions;
  for (int i = 0; i < 50; ++i) {
    const NodeClient::Result created =
        b().Create({{"number", absl::StrCat(i)}});
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    sessions.emplace_back(created.session.id(), created.info.token());
  }

  cluster_.Kill("b");
  for (size_t i = 0; i < sessions.size(); ++i) {
    const NodeClient::Result got =
        (i % 2 == 0 ? a() : c()).Get(sessions[i].first, sessions[i].second);
    ASSERT_TRUE(got.ok()) << got.status.error_message();
    EXPECT_EQ(got.session.attributes().at("number"), absl::StrCat(i));
  }
  EXPECT_TRUE(
      Eventually([&] { return a().StateOf("b") == v1::MEMBER_STATE_DEAD; }));
  EXPECT_EQ(a().ClusterStatus().verdict(), "degraded");

  cluster_.Start("b");
  ASSERT_TRUE(cluster_.AllSeeEachOther({"a", "b", "c"}));
  for (const auto& [id, token] : sessions) {
    EXPECT_TRUE(b().Get(id, token, v1::CONSISTENCY_SESSION).ok());
  }
  EXPECT_EQ(b().Status().sessions(), 50u);
  EXPECT_EQ(a().ClusterStatus().verdict(), "healthy");
}

TEST_F(ThreeNodesTest, ASeedThatRestartsFindsItsClusterWithoutBeingTold) {
  const NodeClient::Result created = c().Create({{"x", "y"}});
  cluster_.Kill("a");

  // a began the cluster, so it was never told any seed; b and c are remembered.
  Daemon again(cluster_.directory(), "a-again",
               {"--name", "a", "--client-address", "127.0.0.1:0",
                "--peer-address", "127.0.0.1:0", "--profile", "fast",
                "--state-dir", cluster_.directory() + "/a"});
  ASSERT_TRUE(again.AwaitLine("ready")) << again.Log();
  NodeClient client(again.Field("client"));

  const NodeClient::Result got =
      client.Get(created.session.id(), created.info.token());
  EXPECT_TRUE(got.ok()) << got.status.error_message();
}

TEST_F(ThreeNodesTest, LeavingInTheMiddleOfWritesLosesNoneThatWasAcknowledged) {
  std::vector<std::pair<std::string, std::string>> acknowledged;
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      NodeClient client(cluster_.daemon("b").Field("client"));
      while (!stop) {
        const NodeClient::Result created = client.Create({{"x", "y"}});
        if (!created.ok()) return;
        const std::lock_guard<std::mutex> lock(mutex);
        acknowledged.emplace_back(created.session.id(), created.info.token());
      }
    });
  }
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return acknowledged.size() > 200;
  }));

  cluster_.daemon("b").Signal(SIGTERM);
  EXPECT_EQ(cluster_.daemon("b").Wait(), 0);
  stop = true;
  for (std::thread& writer : writers) writer.join();

  for (const auto& [id, token] : acknowledged) {
    EXPECT_TRUE(a().Get(id, token).ok());
    EXPECT_TRUE(c().Get(id, token).ok());
  }
  EXPECT_EQ(a().StateOf("b"), v1::MEMBER_STATE_LEFT);
}

TEST_F(ThreeNodesTest, AllMayLeaveAtOnce) {
  for (const char* name : {"a", "b", "c"})
    cluster_.daemon(name).Signal(SIGTERM);

  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(cluster_.daemon(name).Wait(absl::Seconds(10)), 0) << name;
  }
}

// Links that open, wait or close when the end comes.
TEST_F(ThreeNodesTest, ANodeEndsCleanlyAtAnyMomentOfItsStart) {
  for (int i = 0; i < 10; ++i) {
    Daemon& d = cluster_.Start("d");
    if (i % 2 == 0) {
      ASSERT_TRUE(d.AwaitLine("ready"));
    }
    d.Signal(SIGTERM);
    ASSERT_EQ(d.Wait(absl::Seconds(10)), 0) << i;
  }
  cluster_.Kill("b");
  cluster_.daemon("a").Signal(SIGTERM);
  EXPECT_EQ(cluster_.daemon("a").Wait(absl::Seconds(10)), 0);
}

TEST_F(ThreeNodesTest, OperatorsSeeWhoHoldsASession) {
  const NodeClient::Result created = a().Create();
  v1::UpdateRequest update;
  update.set_id(created.session.id());
  (*update.mutable_set())["x"] = "y";
  update.set_durability(v1::DURABILITY_ALL);
  ASSERT_TRUE(a().Update(update).ok());
  grpc::ClientContext context;
  v1::WhereIsRequest request;
  request.set_id(created.session.id());
  v1::WhereIsResponse response;

  ASSERT_TRUE(b().cluster()->WhereIs(&context, request, &response).ok());

  ASSERT_EQ(response.owners_size(), 3);
  for (const auto& owner : response.owners()) {
    EXPECT_TRUE(owner.holds()) << owner.node();
    EXPECT_TRUE(owner.current()) << owner.node();
    EXPECT_EQ(owner.self(), owner.node() == "b");
    EXPECT_EQ(owner.slot_state(), "ready");
  }
  EXPECT_EQ(response.session_hash().size(), 12u);
}

TEST_F(ThreeNodesTest, LeaveByCallHandsOverAndEndsTheProcess) {
  grpc::ClientContext context;
  v1::LeaveResponse response;

  ASSERT_TRUE(c().cluster()->Leave(&context, {}, &response).ok());

  EXPECT_TRUE(response.handed_over());
  EXPECT_EQ(cluster_.daemon("c").Wait(), 0);
  EXPECT_TRUE(
      Eventually([&] { return a().StateOf("c") == v1::MEMBER_STATE_LEFT; }));
}

TEST_F(ThreeNodesTest, EveryCallOfLeaveIsAnsweredHoweverLateItComes) {
  // Those that come between the end of handing over and that of the server
  // matter; nobody can aim at it, so there are calls all the time.
  std::vector<std::thread> callers;
  std::atomic<int> answered{0};
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (;;) {
        grpc::ClientContext context;
        context.set_deadline(
            absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
        v1::LeaveResponse response;
        const grpc::Status status =
            c().cluster()->Leave(&context, {}, &response);
        EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
        if (!status.ok()) return;
        ++answered;
      }
    });
  }

  EXPECT_EQ(cluster_.daemon("c").Wait(absl::Seconds(10)), 0);
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(answered, 1);
}

TEST_F(ThreeNodesTest, AJoinThatWaitsDoesNotHoldUpLeaving) {
  grpc::ClientContext context;
  v1::JoinRequest request;
  request.add_seeds("name.invalid:1");
  request.mutable_timeout()->set_seconds(60);
  v1::JoinResponse response;
  grpc::Status status;
  std::thread caller(
      [&] { status = c().cluster()->Join(&context, request, &response); });
  EXPECT_TRUE(Eventually([&] {
    return cluster_.daemon("c").Log().find("name.invalid:1 does not resolve") !=
           std::string::npos;
  }));

  cluster_.daemon("c").Signal(SIGTERM);

  EXPECT_EQ(cluster_.daemon("c").Wait(absl::Seconds(10)), 0);
  caller.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ThreeNodesTest, AJoinIsAnsweredForItsOwnSeedsOnly) {
  const auto join = [&](const std::string& seed) {
    grpc::ClientContext context;
    v1::JoinRequest request;
    request.add_seeds(seed);
    request.mutable_timeout()->set_seconds(2);
    v1::JoinResponse response;
    return c().cluster()->Join(&context, request, &response);
  };

  EXPECT_EQ(join("127.0.0.1:1").error_code(), grpc::StatusCode::UNAVAILABLE);
  const grpc::Status status = join(cluster_.daemon("b").Field("peer"));
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(ThreeNodesTest, EventsTellOfADeath) {
  grpc::ClientContext context;
  const auto reader = a().cluster()->WatchEvents(&context, {});
  // The stream stands when the first event comes; cause one.
  cluster_.Kill("c");

  v1::Event event;
  bool died = false;
  while (!died && reader->Read(&event)) {
    died = event.area() == "member" && event.kind() == "died" &&
           event.node() == "c";
  }
  context.TryCancel();

  EXPECT_TRUE(died);
}

TEST_F(ThreeNodesTest, TheZoneOfANodeIsKnownToAllAndFollowsARestart) {
  const auto zone_of_d = [](NodeClient& node) {
    grpc::ClientContext context;
    v1::MembersResponse response;
    node.cluster()->Members(&context, v1::MembersRequest(), &response);
    for (const v1::Member& member : response.members()) {
      if (member.name() == "d") return member.zone();
    }
    return std::string("unknown");
  };
  cluster_.Start("d", {"--zone", "east"});
  EXPECT_TRUE(Eventually([&] {
    return zone_of_d(a()) == "east" && zone_of_d(b()) == "east" &&
           zone_of_d(c()) == "east";
  }));

  cluster_.Kill("d");
  cluster_.Start("d", {"--zone", "west"});
  EXPECT_TRUE(Eventually([&] {
    return zone_of_d(a()) == "west" && zone_of_d(b()) == "west" &&
           zone_of_d(c()) == "west";
  }));
}

TEST_F(ThreeNodesTest, JoinByCallBringsANodeIn) {
  Daemon other(cluster_.directory(), "d",
               {"--name", "d", "--client-address", "127.0.0.1:0",
                "--peer-address", "127.0.0.1:0", "--profile", "fast",
                "--state-dir", cluster_.directory() + "/d"});
  ASSERT_TRUE(other.AwaitLine("ready"));
  NodeClient d(other.Field("client"));
  grpc::ClientContext context;
  v1::JoinRequest request;
  request.add_seeds(cluster_.daemon("a").Field("peer"));
  v1::JoinResponse response;

  const grpc::Status status = d.cluster()->Join(&context, request, &response);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(
      Eventually([&] { return c().StateOf("d") == v1::MEMBER_STATE_ALIVE; }));
}

}  // namespace
}  // namespace sessionmesh::e2e
