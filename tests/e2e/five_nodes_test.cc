// More nodes than copies: any of them serves any session.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

using ::testing::SizeIs;

class FiveNodesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.StartAll(names_)); }

  NodeClient& node(const std::string& name) { return cluster_.client(name); }

  // Names of the nodes that hold the session, as one node sees it.
  std::vector<std::string> OwnersOf(const std::string& id,
                                    const std::string& asked) {
    grpc::ClientContext context;
    v1::WhereIsRequest request;
    request.set_id(id);
    v1::WhereIsResponse response;
    EXPECT_TRUE(
        node(asked).cluster()->WhereIs(&context, request, &response).ok());
    std::vector<std::string> owners;
    for (const auto& owner : response.owners()) {
      if (owner.slot_state() == "ready") owners.push_back(owner.node());
    }
    return owners;
  }
  uint64_t CountCopies(const std::vector<std::string>& names) {
    uint64_t copies = 0;
    for (const std::string& name : names) {
      copies += node(name).Status().sessions();
    }
    return copies;
  }

  const std::vector<std::string> names_ = {"a", "b", "c", "d", "e"};
  Cluster cluster_;
};

TEST_F(FiveNodesTest, EveryNodeServesWhatThreeHold) {
  for (const std::string& creator : names_) {
    const NodeClient::Result created = node(creator).Create({{"n", "0"}});
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    const std::string id = created.session.id();
    const std::vector<std::string> owners = OwnersOf(id, creator);
    EXPECT_THAT(owners, SizeIs(3));
    // Who makes a session has it at hand.
    EXPECT_THAT(owners, ::testing::Contains(creator));
    std::string token = created.info.token();
    for (const std::string& name : names_) {
      EXPECT_EQ(OwnersOf(id, name), owners);
      const NodeClient::Result set = node(name).Set(id, "n", name, token);
      ASSERT_TRUE(set.ok()) << set.status.error_message();
      token = set.info.token();
      for (const std::string& reader : names_) {
        const NodeClient::Result got = node(reader).Get(id, token);
        ASSERT_TRUE(got.ok()) << got.status.error_message();
        EXPECT_EQ(got.session.attributes().at("n"), name);
      }
    }
    ASSERT_TRUE(node("a").Delete(id, token).ok());
    for (const std::string& reader : names_) {
      EXPECT_EQ(node(reader).Get(id, token).status.error_code(),
                grpc::StatusCode::NOT_FOUND);
    }
  }
}

TEST_F(FiveNodesTest, AWatchIsServedByAnyNodeToo) {
  const NodeClient::Result created = node("a").Create({{"n", "0"}});
  ASSERT_TRUE(created.ok());
  for (const std::string& name : names_) {
    grpc::ClientContext context;
    v1::WatchRequest request;
    request.set_id(created.session.id());
    request.add_tokens(created.info.token());
    const auto stream = node(name).sessions()->Watch(&context, request);
    v1::WatchResponse seen;
    ASSERT_TRUE(stream->Read(&seen)) << name;
    ASSERT_TRUE(node("a").Set(created.session.id(), "n", name).ok());
    do {
      ASSERT_TRUE(stream->Read(&seen)) << name;
    } while (seen.session().attributes().at("n") != name);
    context.TryCancel();
  }
}

TEST_F(FiveNodesTest, WhoeverLeavesHandsItsCopiesOver) {
  std::map<std::string, std::string> tokens;  // by id
  for (int i = 0; i < 40; ++i) {
    const NodeClient::Result created = node("a").Create({{"n", "0"}});
    ASSERT_TRUE(created.ok());
    tokens[created.session.id()] = created.info.token();
  }
  grpc::ClientContext context;
  v1::LeaveResponse response;

  ASSERT_TRUE(node("a").cluster()->Leave(&context, {}, &response).ok());

  EXPECT_TRUE(response.handed_over()) << response.message();
  EXPECT_EQ(cluster_.daemon("a").Wait(), 0);
  const std::vector<std::string> left = {"b", "c", "d", "e"};
  EXPECT_EQ(CountCopies(left), 3 * tokens.size());
  for (const auto& [id, token] : tokens) {
    EXPECT_TRUE(node("e").Get(id, token).ok());
  }
}

TEST_F(FiveNodesTest, ADeadNodeIsReplacedAndTakesItsPlaceAgain) {
  std::map<std::string, std::string> tokens;
  for (int i = 0; i < 40; ++i) {
    const NodeClient::Result created =
        node(names_[static_cast<size_t>(i) % 5]).Create({{"n", "0"}});
    ASSERT_TRUE(created.ok());
    tokens[created.session.id()] = created.info.token();
  }
  cluster_.Kill("c");
  const std::vector<std::string> left = {"a", "b", "d", "e"};
  for (const auto& [id, token] : tokens) {
    for (const std::string& name : left) {
      EXPECT_TRUE(node(name).Get(id, token).ok()) << name;
    }
  }

  // After the takeover delay each has three copies again.
  EXPECT_TRUE(Eventually([&] { return CountCopies(left) == 3 * tokens.size(); },
                         absl::Seconds(40)));
  cluster_.Start("c");
  ASSERT_TRUE(cluster_.daemon("c").AwaitLine("ready"));
  EXPECT_TRUE(
      Eventually([&] { return CountCopies(names_) == 3 * tokens.size(); }));
  EXPECT_GT(node("c").Status().sessions(), 0u);
}

}  // namespace
}  // namespace sessionmesh::e2e
