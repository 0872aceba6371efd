// A node that hears nobody says so in each reply, whatever was asked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;

class LaneIsolationTest : public ::testing::Test {
 protected:
  LaneIsolationTest() {
    net_.StartReady({"a", "b"});
    net_.Create("a", Id("read"));
    net_.Create("a", Id("rotated"));
    net_.Create("a", Id("deleted"));
    retried_ = CommandOf(Command::Kind::kUpdate, Id("read"));
    retried_.set = {{"k", "1"}};
    retried_.request_id = std::string(16, 'q');
    net_.Run("a", retried_);
  }

  // LOCAL, so that no reply is degraded for want of owners.
  static Command CommandOf(Command::Kind kind, const std::string& id) {
    Command command;
    command.kind = kind;
    command.session_id = id;
    command.durability = Durability::kLocal;
    return command;
  }

  Reply Run(Command::Kind kind, const std::string& id) {
    Command command = CommandOf(kind, id);
    if (kind == Command::Kind::kUpdate) command.set = {{"k", "2"}};
    if (kind == Command::Kind::kRotate) {
      command.new_session_id =
          net_.ids().MakeNative(net_.SlotOf(id), IdEntropy{++rotations_});
    }
    Reply reply = net_.Run("a", command);
    if (reply.session.has_value()) last_id_ = reply.session->id;
    return reply;
  }

  // One reply of every kind; `created` is new.
  std::map<std::string, Reply> RunAll(const std::string& created,
                                      const std::string& rotated,
                                      const std::string& deleted) {
    using Kind = Command::Kind;
    std::map<std::string, Reply> replies;
    replies["Get"] = Run(Kind::kGet, Id("read"));
    replies["Touch"] = Run(Kind::kTouch, Id("read"));
    replies["Create"] = Run(Kind::kCreate, Id(created));
    replies["Update"] = Run(Kind::kUpdate, Id("read"));
    Command nothing = CommandOf(Kind::kUpdate, Id("read"));
    nothing.unset = {"not there"};
    replies["Update of nothing"] = net_.Run("a", nothing);
    replies["retried Update"] = net_.Run("a", retried_);
    replies["Rotate"] = Run(Kind::kRotate, rotated);
    replies["Delete"] = Run(Kind::kDelete, deleted);
    return replies;
  }

  LaneNetwork net_;
  Command retried_;
  std::string last_id_;  // of the last session that a reply has shown
  uint8_t rotations_ = 0;
};

TEST_F(LaneIsolationTest, EveryKindOfReplySaysItAndStopsWhenItIsOver) {
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}},
               /*isolated=*/true);
  for (const auto& [kind, reply] :
       RunAll("first", Id("rotated"), Id("deleted"))) {
    EXPECT_THAT(reply.status, IsOk()) << kind;
    EXPECT_TRUE(reply.degraded) << kind;
    EXPECT_EQ(reply.degraded_reason, "this node hears nobody") << kind;
  }

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kAlive}});
  for (const auto& [kind, reply] : RunAll("second", last_id_, Id("first"))) {
    EXPECT_THAT(reply.status, IsOk()) << kind;
    EXPECT_FALSE(reply.degraded) << kind << ": " << reply.degraded_reason;
  }
}

}  // namespace
}  // namespace sessionmesh::replication
