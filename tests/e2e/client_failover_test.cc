// The client library over real nodes of which one dies with a write that it has
// applied and not answered (client/retry.h).

#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/client.h"
#include "client/error.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

// Node c is stopped, so that a write for all owners is applied on a, reaches b
// and is not answered. Then a is killed.
class ClientFailoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.StartAll({"a", "b", "c"}));
    client_ = *client::Client::Open(
        {.addresses = {cluster_.daemon("a").Field("client"),
                       cluster_.daemon("b").Field("client")},
         .timeout = kLong});
  }
  void TearDown() override { cluster_.daemon("c").Signal(SIGCONT); }

  // Runs `write` on a thread of its own and kills a when `arrived`.
  template <typename Write, typename Arrived>
  auto KillDuring(Write write, Arrived arrived) {
    cluster_.daemon("c").Signal(SIGSTOP);
    auto outcome = std::async(std::launch::async, write);
    EXPECT_TRUE(Eventually(arrived));
    cluster_.Kill("a");
    return outcome;
  }

  Cluster cluster_;
  std::unique_ptr<client::Client> client_;
};

TEST_F(ClientFailoverTest, AnUpdateEndsInDoubtAndIsNotAppliedTwice) {
  const auto created = client_->Create({.attributes = {{"x", "0"}}});
  ASSERT_TRUE(created.ok()) << created.status();
  const std::string id = created->session().id();
  const std::string client_address = cluster_.daemon("a").Field("client");
  NodeClient& b = cluster_.client("b");

  auto outcome = KillDuring(
      [&] {
        return client_->Update(
            id, {created->info().token()},
            {.set = {{"x", "1"}}, .durability = v1::DURABILITY_ALL});
      },
      [&] { return b.Get(id).session.attributes().at("x") == "1"; });

  ASSERT_TRUE(b.Set(id, "x", "2", "", v1::DURABILITY_LOCAL).ok());
  // The same address, another process, which has never heard of the request.
  cluster_.daemon("c").Signal(SIGCONT);
  Daemon again(cluster_.directory(), "a-again",
               {"--name", "a", "--client-address", client_address,
                "--peer-address", "127.0.0.1:0", "--profile", "fast",
                "--state-dir", cluster_.directory() + "/a", "--join",
                cluster_.daemon("b").Field("peer")});
  ASSERT_TRUE(again.AwaitLine("ready")) << again.Log();
  const auto updated = outcome.get();
  EXPECT_TRUE(client::MayBeApplied(updated.status())) << updated.status();
  EXPECT_EQ(b.Get(id).session.attributes().at("x"), "2");
}

TEST_F(ClientFailoverTest, ACreateGoesOnElsewhereAsTheSameSession) {
  NodeClient& b = cluster_.client("b");

  auto outcome = KillDuring(
      [&] {
        return client_->Create(
            {.attributes = {{"x", "1"}}, .durability = v1::DURABILITY_ALL});
      },
      [&] { return b.Status().sessions() == 1; });

  const auto created = outcome.get();
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->info().node(), "b");
  EXPECT_EQ(b.Get(created->session().id()).session.attributes().at("x"), "1");
  EXPECT_EQ(b.Status().sessions(), 1u);
}

TEST_F(ClientFailoverTest, ARotateGoesOnElsewhereWithTheSameNewId) {
  const auto created = client_->Create();
  ASSERT_TRUE(created.ok()) << created.status();
  const std::string old_id = created->session().id();
  NodeClient& b = cluster_.client("b");

  auto outcome = KillDuring(
      [&] {
        return client_->Rotate(old_id, {created->info().token()},
                               {.durability = v1::DURABILITY_ALL});
      },
      [&] { return !b.Get(old_id).ok(); });

  const auto rotated = outcome.get();
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_EQ(rotated->info().node(), "b");
  EXPECT_TRUE(b.Get(rotated->session().id(), rotated->info().token()).ok());
  EXPECT_FALSE(b.Get(old_id).ok());
}

TEST_F(ClientFailoverTest, ADeleteGoesOnElsewhereAndFindsItDone) {
  const auto created = client_->Create();
  ASSERT_TRUE(created.ok()) << created.status();
  const std::string id = created->session().id();
  NodeClient& b = cluster_.client("b");

  auto outcome = KillDuring(
      [&] {
        return client_->Delete(id, {created->info().token()},
                               {.durability = v1::DURABILITY_ALL});
      },
      [&] { return !b.Get(id).ok(); });

  const auto deleted = outcome.get();
  EXPECT_TRUE(absl::IsNotFound(deleted.status())) << deleted.status();
  EXPECT_TRUE(client::MayBeApplied(deleted.status()));
}

}  // namespace
}  // namespace sessionmesh::e2e
