#include "tests/sim/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sessionmesh::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InboxTest : public ::testing::Test {
 protected:
  void Push(Inbox::Kind kind, const std::string& what) {
    inbox_.Push(kind, [this, what] { done_.push_back(what); });
  }

  EventQueue queue_{absl::UnixEpoch()};
  Inbox inbox_{&queue_};
  std::vector<std::string> done_;
};

TEST_F(InboxTest, StalledProcessDoesNothingAndCatchesUpInOrder) {
  inbox_.SetStalled(true);
  Push(Inbox::Kind::kMessage, "message");
  Push(Inbox::Kind::kLocal, "timer");
  EXPECT_THAT(done_, IsEmpty());
  inbox_.SetStalled(false);
  EXPECT_THAT(done_, ElementsAre("message", "timer"));
}

TEST_F(InboxTest, BlockHoldsMessagesAndLetsTimersRun) {
  inbox_.SetBlocked(true);
  Push(Inbox::Kind::kMessage, "message");
  Push(Inbox::Kind::kLocal, "timer");
  EXPECT_THAT(done_, ElementsAre("timer"));
  inbox_.SetBlocked(false);
  EXPECT_THAT(done_, ElementsAre("timer", "message"));
}

TEST_F(InboxTest, SlowProcessTakesItsTimeForEachPiece) {
  inbox_.SetServiceTime(absl::Milliseconds(10));
  for (const char* what : {"1", "2", "3"}) Push(Inbox::Kind::kMessage, what);
  EXPECT_THAT(done_, ElementsAre("1"));
  queue_.RunUntil(absl::UnixEpoch() + absl::Milliseconds(10),
                  [] { return false; });
  EXPECT_THAT(done_, ElementsAre("1", "2"));
  queue_.RunUntil(absl::UnixEpoch() + absl::Milliseconds(20),
                  [] { return false; });
  EXPECT_THAT(done_, ElementsAre("1", "2", "3"));
}

TEST_F(InboxTest, DatagramsBeyondTheSocketBufferAreDropped) {
  inbox_.SetStalled(true);
  for (size_t i = 0; i < Inbox::kDatagramsMax + 5; ++i)
    Push(Inbox::Kind::kDatagram, "x");
  inbox_.SetStalled(false);
  EXPECT_EQ(done_.size(), Inbox::kDatagramsMax);
  EXPECT_EQ(inbox_.dropped(), 5u);
}

}  // namespace
}  // namespace sessionmesh::sim
