#include "tests/sim/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace sessionmesh::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down what the network tells a process.
class Recorder : public Endpoint {
 public:
  explicit Recorder(Network* network) : network_(network) {}
  void OnDatagram(std::string bytes) override {
    heard.push_back("datagram " + bytes);
  }
  void OnCall(CallId call, std::string request) override {
    heard.push_back("call " + request);
    network_->Answer(call, "re: " + request);
  }
  void OnCallDone(uint64_t, std::optional<std::string> reply) override {
    heard.push_back(reply.value_or("call failed"));
  }
  void OnStreamOpen(StreamId) override { heard.push_back("open"); }
  void OnStreamBroken(StreamId) override { heard.push_back("broken"); }
  void OnStreamMessage(const NodeName& from, std::string bytes) override {
    heard.push_back(from + ": " + bytes);
  }

  std::vector<std::string> heard;

 private:
  Network* network_;
};

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest()
      : queue_(absl::UnixEpoch()),
        network_(2, 1, &queue_),
        a_(&network_),
        b_(&network_) {
    from_ = network_.Attach(0, "10.0.0.1:1", &a_);
    to_ = network_.Attach(1, "10.0.0.2:1", &b_);
  }
  void RunFor(absl::Duration duration) {
    queue_.RunUntil(queue_.now() + duration, [] { return false; });
  }
  StreamId OpenStream() {
    const StreamId stream = network_.OpenStream(from_, "a", "10.0.0.2:1");
    RunFor(absl::Seconds(1));
    a_.heard.clear();
    return stream;
  }

  EventQueue queue_;
  Network network_;
  Recorder a_;
  Recorder b_;
  EndpointId from_ = 0;
  EndpointId to_ = 0;
};

TEST_F(NetworkTest, DatagramToNobodyIsLost) {
  network_.SendDatagram(from_, "10.9.9.9:1", "x");
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, IsEmpty());
}

TEST_F(NetworkTest, CutSwallowsDatagramsOfOneDirection) {
  network_.Cut(0, 1);
  network_.SendDatagram(from_, "10.0.0.2:1", "there");
  network_.SendDatagram(to_, "10.0.0.1:1", "back");
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, IsEmpty());
  EXPECT_THAT(a_.heard, ElementsAre("datagram back"));
}

TEST_F(NetworkTest, LossDuplicationAndReorderingHappenAsOftenAsAsked) {
  network_.SetQuality({.lost = 200, .duplicated = 100, .reordered = 50});
  for (int i = 0; i < 10000; ++i)
    network_.SendDatagram(from_, "10.0.0.2:1", "x");
  RunFor(absl::Seconds(1));
  EXPECT_NEAR(static_cast<double>(network_.counts().lost), 2000, 200);
  EXPECT_NEAR(static_cast<double>(network_.counts().duplicated), 800, 120);
  EXPECT_NEAR(static_cast<double>(network_.counts().reordered), 440, 90);
  EXPECT_EQ(b_.heard.size(),
            10000 - network_.counts().lost + network_.counts().duplicated);
}

TEST_F(NetworkTest, CallIsAnsweredOrRefusedOrTimesOut) {
  network_.Call(from_, 1, "10.0.0.2:1", "hello", absl::Seconds(1));
  RunFor(absl::Seconds(2));
  network_.Cut(1, 0);
  network_.Call(from_, 2, "10.0.0.2:1", "again", absl::Seconds(1));
  RunFor(absl::Milliseconds(900));
  EXPECT_THAT(a_.heard, ElementsAre("re: hello"));
  RunFor(absl::Milliseconds(200));
  EXPECT_THAT(a_.heard, ElementsAre("re: hello", "call failed"));
  EXPECT_THAT(b_.heard, ElementsAre("call hello"));
}

TEST_F(NetworkTest, StreamKeepsOrderWhateverTheJitter) {
  network_.SetQuality({.jitter = absl::Milliseconds(50)});
  const StreamId stream = OpenStream();
  for (int i = 0; i < 5; ++i) network_.Send(stream, std::to_string(i));
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, ElementsAre("a: 0", "a: 1", "a: 2", "a: 3", "a: 4"));
}

TEST_F(NetworkTest, ResetLosesWhatIsInFlight) {
  const StreamId stream = OpenStream();
  network_.Send(stream, "lost");
  EXPECT_EQ(network_.ResetStreams(1, 0), 1u);
  network_.Send(stream, "too late");
  RunFor(absl::Seconds(1));
  EXPECT_THAT(a_.heard, ElementsAre("broken"));
  EXPECT_THAT(b_.heard, IsEmpty());
}

TEST_F(NetworkTest, ShortCutDelaysAStreamAndLongCutBreaksIt) {
  const StreamId stream = OpenStream();
  network_.Cut(0, 1);
  network_.Send(stream, "1");
  network_.Send(stream, "2");
  RunFor(absl::Seconds(2));
  EXPECT_THAT(b_.heard, IsEmpty());
  network_.Heal(0, 1);
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, ElementsAre("a: 1", "a: 2"));
  EXPECT_THAT(a_.heard, IsEmpty());
  network_.Cut(1, 0);
  RunFor(Network::kKeepalive + absl::Milliseconds(1));
  EXPECT_THAT(a_.heard, ElementsAre("broken"));
}

TEST_F(NetworkTest, StreamToNobodyBreaksAtOnce) {
  network_.Detach(to_, /*flush=*/true);
  network_.OpenStream(from_, "a", "10.0.0.2:1");
  RunFor(absl::Milliseconds(10));
  EXPECT_THAT(a_.heard, ElementsAre("broken"));
}

TEST_F(NetworkTest, EndOfTheSenderLosesOrFlushesItsStreams) {
  const StreamId first = OpenStream();
  network_.Send(first, "flushed");
  network_.Detach(from_, /*flush=*/true);
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, ElementsAre("a: flushed"));
  from_ = network_.Attach(0, "10.0.0.1:1", &a_);
  const StreamId second = OpenStream();
  network_.Send(second, "gone");
  network_.Detach(from_, /*flush=*/false);
  RunFor(absl::Seconds(1));
  EXPECT_THAT(b_.heard, ElementsAre("a: flushed"));
}

TEST_F(NetworkTest, LongestCutRemembersPastOnes) {
  network_.Cut(0, 1);
  RunFor(absl::Seconds(5));
  network_.Heal(0, 1);
  const absl::Time healed = queue_.now();
  RunFor(absl::Seconds(5));
  EXPECT_EQ(network_.LongestCut(1, 0, healed), absl::Seconds(5));
  EXPECT_EQ(network_.LongestCut(1, 0, healed + absl::Seconds(1)),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace sessionmesh::sim
