#include "node/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "node/clock.h"
#include "node/keys.h"
#include "node/random_bytes.h"
#include "tests/node/waiter.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using replication::Command;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::sessionmesh::testing::Waiter;

// Hands what one node's lanes send straight to another's.
class Wire : public PeerSender {
 public:
  Wire(std::string from, Lanes** to) : from_(std::move(from)), to_(to) {}

  void Enqueue(const membership::NodeName& /*peer*/, uint32_t lane,
               replication::Message message) override {
    MutexLock lock(&mutex_);
    queue_.emplace_back(lane, std::move(message));
  }
  void Flush(const membership::NodeName& /*peer*/) override {
    for (;;) {
      std::pair<uint32_t, replication::Message> next;
      {
        MutexLock lock(&mutex_);
        if (*to_ == nullptr || queue_.empty() || delivering_) return;
        delivering_ = true;
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      (*to_)->Step(from_, next.first, next.second);
      MutexLock lock(&mutex_);
      delivering_ = false;
    }
  }

 private:
  const std::string from_;
  Lanes** const to_;
  Mutex mutex_;
  bool delivering_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<std::pair<uint32_t, replication::Message>> queue_
      ABSL_GUARDED_BY(mutex_);
};

membership::ViewPtr ViewOf(const std::string& self,
                           const std::vector<std::string>& names) {
  std::vector<membership::Member> members;
  for (const std::string& name : names) {
    membership::Member member;
    member.name = name;
    member.address = name + ":1";
    member.claim.generation = 1;
    members.push_back(member);
  }
  return std::make_shared<membership::View>(self, members, names.size(), false);
}

class NodeOfLanes : public Lanes::Listener {
 public:
  NodeOfLanes(const std::string& name, bool bootstrap, Lanes** peer,
              const HmacKeyedHash* key)
      : ids(64, key), wire_(name, peer) {
    replication::Config config;
    config.slot_count = 64;
    config.lane_count = 4;
    config.bootstrap = bootstrap;
    lanes = std::make_unique<Lanes>(
        config, replication::Replicator::Identity{name, RandomUint64() | 1},
        Lanes::Parts{&clock_, &ids, key, &wire_, &log, this});
  }
  void OnLaneProgress() override {}

  const replication::SessionIds ids;
  EventLog log;
  std::unique_ptr<Lanes> lanes;

 private:
  const RealClock clock_;
  Wire wire_;
};

class LanesTest : public ::testing::Test, public CallSink {
 protected:
  LanesTest() : a_("a", /*bootstrap=*/true, &b_lanes_, &key_) {
    a_.lanes->SetView(ViewOf("a", {"a"}));
  }

  void OnReply(replication::Reply reply) override {
    waiter_.Do([&] { replies_.push_back(std::move(reply)); });
  }

  // Adds a second node and connects both.
  void StartB() {
    b_ = std::make_unique<NodeOfLanes>("b", /*bootstrap=*/false, &a_lanes_,
                                       &key_);
    b_->lanes->SetView(ViewOf("b", {"a", "b"}));
    a_lanes_ = a_.lanes.get();
    b_lanes_ = b_->lanes.get();
    a_.lanes->SetView(ViewOf("a", {"a", "b"}));
    a_.lanes->LinkUp("b");
    b_->lanes->LinkUp("a");
  }

  Command Make(Command::Kind kind) {
    Command command;
    command.kind = kind;
    command.session_id = id_;
    command.deadline = RealClock().Now().steady + absl::Seconds(5);
    command.durability = replication::Durability::kLocal;
    return command;
  }
  CallTicket Execute(Lanes* lanes, Command command) {
    const CallTicket ticket = lanes->NewTicket(slot_);
    lanes->Execute(ticket, std::move(command), this);
    return ticket;
  }
  replication::Reply AwaitReply() {
    EXPECT_TRUE(waiter_.Await([&] { return !replies_.empty(); }));
    replication::Reply reply;
    waiter_.Do([&] {
      if (replies_.empty()) return;
      reply = std::move(replies_.front());
      replies_.pop_front();
    });
    return reply;
  }
  void Create() {
    id_ = a_.ids.MakeNative(slot_, RandomBytes<16>());
    Command command = Make(Command::Kind::kCreate);
    command.set = {{"cart", "apples"}};
    Execute(a_.lanes.get(), command);
    const replication::Reply reply = AwaitReply();
    ASSERT_THAT(reply.status, IsOk());
    token_ = reply.token;
  }

  const HmacKeyedHash key_{"a key for tests"};
  const replication::SlotId slot_ = 17;
  std::string id_;
  std::string token_;
  Waiter waiter_;
  std::deque<replication::Reply> replies_;
  Lanes* a_lanes_ = nullptr;
  Lanes* b_lanes_ = nullptr;
  NodeOfLanes a_;
  std::unique_ptr<NodeOfLanes> b_;
};

TEST_F(LanesTest, AloneItIsReadyAndAnswersAtOnce) {
  EXPECT_TRUE(a_.lanes->ready());
  Create();

  Execute(a_.lanes.get(), Make(Command::Kind::kGet));

  const replication::Reply reply = AwaitReply();
  ASSERT_THAT(reply.status, IsOk());
  EXPECT_EQ(reply.session->attributes.at("cart"), "apples");
  EXPECT_EQ(a_.lanes->status().sessions, 1u);
}

TEST_F(LanesTest, ASecondNodeGetsWhatTheFirstHas) {
  Create();
  StartB();
  a_.lanes->Start();
  b_->lanes->Start();

  Command get = Make(Command::Kind::kGet);
  get.tokens = {token_};
  Execute(b_->lanes.get(), get);

  const replication::Reply reply = AwaitReply();
  EXPECT_THAT(reply.status, IsOk());
  a_.lanes->Stop();
  b_->lanes->Stop();
}

TEST_F(LanesTest, ACancelledCallGetsNoReply) {
  Create();
  a_.lanes->SetView(ViewOf("a", {"a", "b"}));
  Command update = Make(Command::Kind::kUpdate);
  update.set = {{"cart", "pears"}};
  update.durability = replication::Durability::kAll;  // b never answers

  const CallTicket ticket = Execute(a_.lanes.get(), update);

  EXPECT_TRUE(a_.lanes->Cancel(ticket));
  EXPECT_FALSE(a_.lanes->Cancel(ticket));
  EXPECT_TRUE(replies_.empty());
}

TEST_F(LanesTest, ACallThatWaitsIsAnsweredByTheTimer) {
  Create();
  a_.lanes->SetView(ViewOf("a", {"a", "b"}));
  a_.lanes->Start();
  Command update = Make(Command::Kind::kUpdate);
  update.set = {{"cart", "pears"}};
  update.durability = replication::Durability::kAll;
  update.deadline = RealClock().Now().steady + absl::Milliseconds(50);

  Execute(a_.lanes.get(), update);

  const replication::Reply reply = AwaitReply();
  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(reply.failure.applied);
  a_.lanes->Stop();
}

TEST_F(LanesTest, LeavingRefusesNewCalls) {
  Create();
  a_.lanes->Leave();

  Execute(a_.lanes.get(), Make(Command::Kind::kGet));

  EXPECT_EQ(AwaitReply().failure.reason, replication::Reason::kShuttingDown);
  EXPECT_TRUE(a_.lanes->handed_over());
}

class LastUpdate : public WatchSink {
 public:
  void Put(replication::WatchUpdate update) override {
    MutexLock lock(&mutex);
    latest = std::move(update);
    ++count;
  }
  void Wake() override { ++wakes; }

  Mutex mutex;
  std::optional<replication::WatchUpdate> latest;
  int count = 0;
  std::atomic<int> wakes{0};
};

TEST_F(LanesTest, AWatcherSeesTheSessionItsChangesAndItsEnd) {
  Create();
  const auto sink = std::make_shared<LastUpdate>();
  const CallTicket ticket = a_.lanes->NewTicket(slot_);

  a_.lanes->Watch(ticket, id_, {}, /*forwarded=*/false, sink);
  ASSERT_EQ(sink->count, 1);
  EXPECT_EQ(sink->latest->session->attributes.at("cart"), "apples");

  Command update = Make(Command::Kind::kUpdate);
  update.set = {{"cart", "pears"}};
  Execute(a_.lanes.get(), update);
  EXPECT_EQ(sink->latest->session->attributes.at("cart"), "pears");

  Execute(a_.lanes.get(), Make(Command::Kind::kDelete));
  EXPECT_EQ(sink->latest->end, replication::WatchUpdate::End::kDeleted);
  EXPECT_EQ(sink->wakes, 3);
}

TEST_F(LanesTest, AWatcherThatWentIsNotCalled) {
  Create();
  const auto sink = std::make_shared<LastUpdate>();
  const CallTicket ticket = a_.lanes->NewTicket(slot_);
  a_.lanes->Watch(ticket, id_, {}, /*forwarded=*/false, sink);
  a_.lanes->Unwatch(ticket);

  Execute(a_.lanes.get(), Make(Command::Kind::kDelete));

  EXPECT_EQ(sink->count, 1);
}

TEST_F(LanesTest, ManyThreadsMayCallWhileItTicks) {
  Create();
  a_.lanes->Start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < 100; ++round) {
        Execute(a_.lanes.get(), Make(Command::Kind::kGet));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(waiter_.Await([&] { return replies_.size() == 400; }));
  a_.lanes->Stop();
}

}  // namespace
}  // namespace sessionmesh::node
