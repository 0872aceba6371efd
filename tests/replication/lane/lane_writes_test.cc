// What a writer may rely on: merges, logouts, rotations, retries, limits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/dedupe.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LaneWritesTest : public ::testing::Test {
 protected:
  LaneNetwork net_;
};

TEST_F(LaneWritesTest, WritesThatDidNotKnowOfEachOtherAreMerged) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  const Reply one = net_.Set("a", Id("s"), "x", "1", {}, Durability::kLocal);
  const Reply two = net_.Set("b", Id("s"), "y", "2", {}, Durability::kLocal);
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  const Reply read = net_.Get("a", Id("s"), {one.token, two.token});

  ASSERT_THAT(read.status, IsOk());
  EXPECT_THAT(read.session->attributes,
              UnorderedElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_TRUE(net_.Converged());
}

TEST_F(LaneWritesTest, ALogoutBeatsAWriteThatDidNotKnowOfIt) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  Command logout;
  logout.kind = Command::Kind::kDelete;
  logout.session_id = Id("s");
  logout.durability = Durability::kLocal;
  EXPECT_THAT(net_.Run("a", logout).status, IsOk());
  EXPECT_THAT(net_.Set("b", Id("s"), "x", "1", {}, Durability::kLocal).status,
              IsOk());
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  for (const char* node : {"a", "b"}) {
    EXPECT_THAT(net_.Get(node, Id("s")).status,
                StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_TRUE(net_.Converged());
}

TEST_F(LaneWritesTest, AnEndedIdStillLogsOutTheSessionThatRotated) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const std::string renewed =
      net_.ids().MakeNative(net_.SlotOf(Id("old")), IdEntropy{1});
  const Reply rotated = net_.Rotate("a", Id("old"), renewed);
  ASSERT_THAT(rotated.status, IsOk());
  EXPECT_THAT(net_.Get("b", Id("old")).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(net_.Get("b", renewed, {rotated.token}).status, IsOk());

  EXPECT_THAT(net_.Delete("b", Id("old")).status, IsOk());

  EXPECT_THAT(net_.Get("a", renewed).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneWritesTest, ARetriedRotationOnAnotherNodeGivesTheSameSession) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const std::string renewed =
      net_.ids().MakeNative(net_.SlotOf(Id("old")),
                            net_.ids().EntropyOfRequest(std::string(16, 'r')));
  ASSERT_THAT(net_.Rotate("a", Id("old"), renewed).status, IsOk());

  const Reply retried = net_.Rotate("b", Id("old"), renewed);

  ASSERT_THAT(retried.status, IsOk());
  EXPECT_EQ(retried.session->id, renewed);
}

TEST_F(LaneWritesTest, RotationsThatRacedRevokeTheSession) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const SlotId slot = net_.SlotOf(Id("old"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  const auto rotate = [&](const char* node, uint8_t n) {
    Command command;
    command.kind = Command::Kind::kRotate;
    command.session_id = Id("old");
    command.new_session_id = net_.ids().MakeNative(slot, IdEntropy{n});
    command.durability = Durability::kLocal;
    EXPECT_THAT(net_.Run(node, command).status, IsOk());
    return command.new_session_id;
  };
  const std::string mine = rotate("a", 1);
  const std::string thief = rotate("b", 2);
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  EXPECT_THAT(net_.Get("a", mine).status,
              StatusIs(absl::StatusCode::kNotFound));
  net_.DeliverAll();

  EXPECT_THAT(net_.Get("b", thief).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kSessionRevoked), 1u);
}

TEST_F(LaneWritesTest, ARetryOfAWriteChangesNothingAndGetsItsReply) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "1"}};
  set.request_id = std::string(Dedupe::kRequestIdBytes, 'q');
  ASSERT_THAT(net_.Run("a", set).status, IsOk());
  net_.Set("a", Id("s"), "k", "2");

  const Reply retried = net_.Run("a", set);

  ASSERT_THAT(retried.status, IsOk());
  EXPECT_EQ(retried.session->attributes.at("k"), "2") << "it shows what is";
  EXPECT_EQ(retried.token, net_.Get("a", Id("s")).token)
      << "and its token names all that it shows";
}

TEST_F(LaneWritesTest, ARequestIdIsGoodForOneCallOnly) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Create("a", Id("t"));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "1"}};
  set.request_id = std::string(Dedupe::kRequestIdBytes, 'q');
  ASSERT_THAT(net_.Run("a", set).status, IsOk());

  set.session_id = Id("t");

  EXPECT_THAT(net_.Run("a", set).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("request_id belongs to another call")));
}

TEST_F(LaneWritesTest, UpsertCreatesForeignIdsButNeverRevivesANativeOne) {
  net_.StartReady({"a", "b"});
  Command upsert;
  upsert.kind = Command::Kind::kUpdate;
  upsert.session_id = Id("new");
  upsert.set = {{"k", "v"}};
  upsert.upsert = true;
  const Reply created = net_.Run("a", upsert);
  ASSERT_THAT(created.status, IsOk());
  EXPECT_TRUE(created.created);

  upsert.session_id = net_.ids().MakeNative(0, IdEntropy{9});

  EXPECT_THAT(net_.Run("a", upsert).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneWritesTest, PreconditionsFailWithTheSessionAsItIs) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"), {{"k", "1"}});
  net_.Set("a", Id("s"), "k", "2");
  Command update;
  update.kind = Command::Kind::kUpdate;
  update.session_id = Id("s");
  update.set = {{"k", "3"}};
  update.if_version = created.token;

  const Reply reply = net_.Run("a", update);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(reply.session->attributes.at("k"), "2");
  update.if_version = reply.token;
  EXPECT_THAT(net_.Run("a", update).status, IsOk());
}

TEST_F(LaneWritesTest, LimitsSayTheValueAndTheLimit) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));

  const Reply reply = net_.Set("a", Id("s"), "k", std::string(70000, 'x'), {},
                               Durability::kOne);

  EXPECT_THAT(
      reply.status,
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("attribute value bytes: 70000, at most 65536")));
  EXPECT_EQ(reply.failure.limit, 65536u);
}

// What a client can say to its user without reading the message.
TEST_F(LaneWritesTest, IdsAndTokensOfAnImpossibleLengthSayTheLimit) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"));
  const auto update = [this](const std::string& id, const std::string& token,
                             const std::string& if_version) {
    Command command;
    command.kind = Command::Kind::kUpdate;
    command.session_id = id;
    command.set = {{"k", "v"}};
    if (!token.empty()) command.tokens = {token};
    command.if_version = if_version;
    return net_.Run("a", command).failure;
  };
  const auto is = [](Reason reason, const char* name, uint64_t limit,
                     uint64_t value) {
    return AllOf(Field("reason", &Failure::reason, reason),
                 Field("limit_name", &Failure::limit_name, name),
                 Field("limit", &Failure::limit, limit),
                 Field("value", &Failure::value, value));
  };
  const std::string x300(300, 'x');

  EXPECT_THAT(update("short", "", ""),
              is(Reason::kInvalidId, "session id bytes", 16, 5));
  EXPECT_THAT(update(x300, "", ""),
              is(Reason::kInvalidId, "session id bytes", 256, 300));
  EXPECT_THAT(update(Id("s"), "tokens!", ""),
              is(Reason::kInvalidToken, "token characters", 24, 7));
  EXPECT_THAT(update(Id("s"), x300, ""),
              is(Reason::kInvalidToken, "token characters", 256, 300));
  EXPECT_THAT(update(Id("s"), "", x300),
              is(Reason::kInvalidToken, "token characters", 256, 300));
}

TEST_F(LaneWritesTest, ForgedIdsAndTokensBreakNoLimit) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"));
  std::string forged = created.token;
  forged[3] = forged[3] == 'A' ? 'B' : 'A';

  const Reply token = net_.Get("a", Id("s"), {forged});
  const Reply id = net_.Get("a", std::string(30, 'A'));

  EXPECT_EQ(token.failure.reason, Reason::kInvalidToken);
  EXPECT_EQ(token.failure.limit_name, "");
  EXPECT_EQ(id.failure.reason, Reason::kSessionNotFound);
  EXPECT_EQ(id.failure.limit_name, "");
}

}  // namespace
}  // namespace sessionmesh::replication
