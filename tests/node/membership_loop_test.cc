#include "node/membership_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "node/clock.h"
#include "proto/frame.h"
#include "tests/node/waiter.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using membership::EventKind;
using membership::State;
using ::sessionmesh::testing::Waiter;

// Carries calls between loops of one process, by address.
class LocalPlane : public ReliablePlane {
 public:
  void Add(const membership::Address& address, MembershipLoop* loop) {
    MutexLock lock(&mutex_);
    loops_[address] = loop;
  }
  void Remove(const membership::Address& address) {
    MutexLock lock(&mutex_);
    loops_.erase(address);
  }
  void Call(
      const membership::Address& to, const membership::Request& request,
      absl::Duration /*timeout*/,
      std::function<void(absl::StatusOr<membership::Reply>)> done) override {
    MutexLock lock(&mutex_);
    const auto loop = loops_.find(to);
    if (loop == loops_.end()) {
      done(absl::UnavailableError("nobody is there"));
    } else {
      loop->second->HandleRequest(request, std::move(done));
    }
  }

 private:
  Mutex mutex_;
  std::map<membership::Address, MembershipLoop*> loops_ ABSL_GUARDED_BY(mutex_);
};

constexpr uint64_t kCluster = 17;

// One loop with its socket and what it has reported.
class TestNode : private MembershipLoop::Listener {
 public:
  TestNode(const std::string& name, std::vector<std::string> seeds,
           LocalPlane* plane, Waiter* waiter)
      : plane_(plane),
        waiter_(waiter),
        socket_(*UdpSocket::Bind(*ParseSocketAddress("127.0.0.1:0"))),
        loop_({membership::Config::Fast(),
               {name, address(), 1},
               42,
               kCluster,
               std::move(seeds)},
              {socket_.get(), &clock_, plane, &log, this}) {
    plane_->Add(address(), &loop_);
    loop_.Start();
  }
  ~TestNode() override { Stop(); }

  void Stop() {
    plane_->Remove(address());
    loop_.Stop();
  }

  membership::Address address() const { return socket_->address().ToString(); }
  MembershipLoop& loop() { return loop_; }

  // Under the waiter's mutex.
  bool Sees(const std::string& name, State state) const {
    const membership::Member* member = view_->Find(name);
    return member != nullptr && member->claim.state == state;
  }
  int Count(EventKind kind) const {
    const auto found = events_.find(kind);
    return found == events_.end() ? 0 : found->second;
  }

  EventLog log;

 private:
  void OnView(const membership::ViewPtr& view) override {
    waiter_->Do([&] { view_ = view; });
  }
  void OnMemberEvent(const membership::Event& event) override {
    waiter_->Do([&] { ++events_[event.kind]; });
  }

  const RealClock clock_;
  LocalPlane* const plane_;
  Waiter* const waiter_;
  const std::unique_ptr<UdpSocket> socket_;
  membership::ViewPtr view_;
  std::map<EventKind, int> events_;
  MembershipLoop loop_;
};

class MembershipLoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<TestNode> Start(const std::string& name,
                                  std::vector<std::string> seeds = {}) {
    return std::make_unique<TestNode>(name, std::move(seeds), &plane_,
                                      &waiter_);
  }
  bool Await(const std::function<bool()>& condition) {
    return waiter_.Await(condition);
  }

  LocalPlane plane_;
  Waiter waiter_;
};

TEST_F(MembershipLoopTest, AloneItKnowsItself) {
  const auto a = Start("a");

  EXPECT_TRUE(Await([&] { return a->Sees("a", State::kAlive); }));
  EXPECT_EQ(a->loop().view()->members().size(), 1u);
}

TEST_F(MembershipLoopTest, TwoFindEachOtherThroughASeed) {
  const auto a = Start("a");
  const auto b = Start("b", {a->address()});

  EXPECT_TRUE(Await([&] {
    return a->Sees("b", State::kAlive) && b->Sees("a", State::kAlive) &&
           b->Count(EventKind::kJoinSucceeded) == 1;
  }));
}

TEST_F(MembershipLoopTest, OneThatIsGoneIsSuspectedAndThenDead) {
  const auto a = Start("a");
  const auto b = Start("b", {a->address()});
  ASSERT_TRUE(Await([&] { return a->Sees("b", State::kAlive); }));

  b->Stop();

  EXPECT_TRUE(Await([&] {
    return a->Sees("b", State::kDead) && a->Count(EventKind::kSuspected) == 1;
  }));
}

TEST_F(MembershipLoopTest, OneThatSaidGoodbyeHasLeft) {
  const auto a = Start("a");
  const auto b = Start("b", {a->address()});
  ASSERT_TRUE(Await([&] { return a->Sees("b", State::kAlive); }));

  b->loop().Leave();

  EXPECT_TRUE(Await([&] {
    return a->Sees("b", State::kLeft) &&
           b->Count(EventKind::kLeaveCompleted) == 1;
  }));
  EXPECT_EQ(a->Count(EventKind::kSuspected), 0);
}

TEST_F(MembershipLoopTest, JoinsLaterThroughSeedsThatAreGivenThen) {
  const auto a = Start("a");
  const auto b = Start("b");

  b->loop().Join({a->address()});

  EXPECT_TRUE(Await([&] { return a->Sees("b", State::kAlive); }));
}

TEST_F(MembershipLoopTest, ASeedThatDoesNotResolveIsReportedOnce) {
  const auto a = Start("a", {"name.invalid:1"});

  ASSERT_TRUE(Await([&] {
    return a->log.counters().count("node_seed_unresolved") > 0 &&
           a->Count(EventKind::kJoinFailed) > 0;
  }));
  EXPECT_EQ(a->log.counters().at("node_seed_unresolved"), 1u);
}

TEST_F(MembershipLoopTest, RandomAndForeignDatagramsAreCountedAndDropped) {
  const auto a = Start("a");
  const auto stranger = UdpSocket::Bind(*ParseSocketAddress("127.0.0.1:0"));
  const SocketAddress to = *ParseSocketAddress(a->address());
  std::string foreign;
  wire::AppendFrame(kCluster + 1, &foreign);

  (*stranger)->Send(to, "");
  (*stranger)->Send(to, "GET / HTTP/1.1\r\n");
  (*stranger)->Send(to, std::string(1400, '\xd5'));
  (*stranger)->Send(to, foreign + "body");
  // And it still works.
  const auto b = Start("b", {a->address()});

  EXPECT_TRUE(Await([&] { return a->Sees("b", State::kAlive); }));
  EXPECT_EQ(a->log.counters().at("node_datagrams_refused"), 4u);
  EXPECT_EQ(a->log.counters().at("node_datagram_refused"), 1u);
}

TEST_F(MembershipLoopTest, CallsAfterTheEndAreAnswered) {
  const auto a = Start("a");
  a->loop().Stop();
  bool answered = false;

  a->loop().HandleRequest(membership::Request(), [&](const auto& reply) {
    answered = true;
    EXPECT_THAT(reply, testing::StatusIs(absl::StatusCode::kUnavailable));
  });

  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace sessionmesh::node
