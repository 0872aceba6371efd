#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "deploy/demo/driver/report.h"
#include "deploy/demo/driver/run.h"
#include "deploy/demo/server.h"
#include "tests/deploy/fake_cluster.h"

// The driver against the demo over a stand-in cluster that is whole, or broken
// in one known way: the run must find it. (deploy/quickstart does the same with
// real nodes and a real load balancer.)

namespace sessionmesh::driver {
namespace {

using ::sessionmesh::testing::FakeCluster;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kServers = 3;

// Hands each request to the next server.
class RoundRobin {
 public:
  explicit RoundRobin(std::vector<int> ports) : ports_(std::move(ports)) {
    http_.new_task_queue = [] { return new httplib::ThreadPool(64); };
    http_.set_tcp_nodelay(true);
    http_.set_keep_alive_max_count(1u << 20);
    http_.Get(".*", [this](const auto& request, auto& response) {
      Forward(request, &response);
    });
    http_.Post(".*", [this](const auto& request, auto& response) {
      Forward(request, &response);
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    httplib::Client probe("127.0.0.1", port_);
    while (!probe.Get("/ping")) absl::SleepFor(absl::Milliseconds(1));
  }
  ~RoundRobin() {
    http_.stop();
    thread_.join();
  }
  int port() const { return port_; }
  // Of the first 32 log ins half are answered 502: the first of them after its
  // server has answered, the next one before it was asked, and so on.
  void BreakLogIns() { breaks_log_ins_ = true; }

 private:
  static constexpr std::size_t kLogInsToBreak = 32;

  void Forward(const httplib::Request& request, httplib::Response* response) {
    const bool log_in = breaks_log_ins_ && request.path == "/login";
    const std::size_t nth = log_in ? log_ins_.fetch_add(1) : kLogInsToBreak;
    const bool before = nth < kLogInsToBreak && nth % 4 == 1;
    const bool after = nth < kLogInsToBreak && nth % 4 == 0;
    if (!before) Ask(request, response);
    if (!before && !after) return;
    *response = httplib::Response();
    response->status = 502;
  }
  void Ask(const httplib::Request& request, httplib::Response* response) {
    httplib::Client client("127.0.0.1",
                           ports_[next_.fetch_add(1) % ports_.size()]);
    client.set_tcp_nodelay(true);
    client.set_url_encode(false);
    httplib::Headers headers;
    if (request.has_header("Cookie"))
      headers.emplace("Cookie", request.get_header_value("Cookie"));
    const auto result = request.method == "GET"
                            ? client.Get(request.target, headers)
                            : client.Post(request.target, headers, request.body,
                                          "application/x-www-form-urlencoded");
    response->status = 502;
    if (!result) return;
    response->status = result->status;
    response->body = result->body;
    for (const auto& [name, value] : result->headers) {
      if (name == "Set-Cookie" || name.rfind("X-", 0) == 0)
        response->set_header(name, value);
    }
  }

  const std::vector<int> ports_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> breaks_log_ins_ = false;
  std::atomic<std::size_t> log_ins_ = 0;
  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
};

class DemoRunTest : public ::testing::Test {
 protected:
  ~DemoRunTest() override {
    proxy_.reset();
    for (const auto& server : servers_) server->Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Report RunOver(FakeCluster::Fault fault,
                 Site::Vocabulary vocabulary = Site::Vocabulary::kShop) {
    StartAll(fault);
    RunOptions options;
    options.browsers = 16;
    options.duration = absl::Seconds(2);
    options.shopper = ShopperOf(vocabulary);
    return driver::Run(options, [this](absl::string_view phase) {
      phases_.emplace_back(phase);
    });
  }

  void StartAll(FakeCluster::Fault fault) {
    cluster_ = std::make_unique<FakeCluster>(kServers, fault);
    std::vector<int> ports;
    for (int i = 0; i < kServers; ++i) {
      demo::ServerOptions options;
      options.node_address = cluster_->address(i);
      servers_.push_back(*demo::Server::Listen(options));
      ports.push_back(servers_.back()->port());
      threads_.emplace_back([one = servers_.back().get()] { one->Serve(); });
      httplib::Client probe("127.0.0.1", ports.back());
      while (!probe.Get("/ping")) absl::SleepFor(absl::Milliseconds(1));
    }
    proxy_ = std::make_unique<RoundRobin>(ports);
    if (break_log_ins_) proxy_->BreakLogIns();
  }

  ShopperOptions ShopperOf(Site::Vocabulary vocabulary) const {
    ShopperOptions options;
    options.think_mean = absl::Milliseconds(15);
    options.browser.site = {"127.0.0.1", proxy_->port()};
    options.vocabulary = vocabulary;
    return options;
  }

  bool break_log_ins_ = false;

  std::unique_ptr<FakeCluster> cluster_;
  std::vector<std::unique_ptr<demo::Server>> servers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<RoundRobin> proxy_;
  std::vector<std::string> phases_;
};

TEST_F(DemoRunTest, AWholeClusterPassesEveryCheckAndNoCheckIsVacuous) {
  const Report report = RunOver(FakeCluster::Fault::kNone);
  EXPECT_THAT(Judge(report), IsEmpty()) << FormatTable(report);
  EXPECT_GT(report.traffic.caught_up, 0u);
  EXPECT_EQ(report.findings.slipped_reads, 0u) << FormatTable(report);
  EXPECT_THAT(phases_, ElementsAre("started", "half", "last-look", "done"));
}

TEST_F(DemoRunTest, AWholeClusterPassesWithThePlainEndpointsToo) {
  const Report report =
      RunOver(FakeCluster::Fault::kNone, Site::Vocabulary::kPlain);
  EXPECT_THAT(Judge(report), IsEmpty()) << FormatTable(report);
}

// Of these some have given the session a new id that the browser never heard,
// and some have changed nothing.
TEST_F(DemoRunTest, LogInsThatGetNoAnswerAreNoFaultOfTheCluster) {
  break_log_ins_ = true;
  const Report report = RunOver(FakeCluster::Fault::kNone);
  EXPECT_THAT(Judge(report), IsEmpty()) << FormatTable(report);
  EXPECT_GT(report.cut_off, 0u);
  EXPECT_LE(report.cut_off, report.interrupted);
}

TEST_F(DemoRunTest, SessionsAreLookedAtForGoodBeforeTheyAreLoggedOut) {
  StartAll(FakeCluster::Fault::kNone);
  std::atomic<Moment> clock = 1;
  Shopper shopper(ShopperOf(Site::Vocabulary::kShop), &clock);
  int logouts = 0;
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (logouts == 0 && absl::Now() < end) {
    shopper.Shop(absl::Now() + absl::Milliseconds(500));
    for (const auto& history : shopper.histories()) {
      if (history->logout_answered == kNever) continue;
      ++logouts;
      ASSERT_FALSE(history->reads.empty());
      EXPECT_TRUE(history->reads.back().last);
    }
  }
  EXPECT_GT(logouts, 0);
}

TEST_F(DemoRunTest, NodesThatIgnoreTokensShowStaleReads) {
  EXPECT_GT(RunOver(FakeCluster::Fault::kIgnoresTokens).findings.stale_reads,
            0u);
}

TEST_F(DemoRunTest, NodesThatOverwriteConcurrentChangesLosePairs) {
  EXPECT_GT(RunOver(FakeCluster::Fault::kLosesConcurrent).findings.pairs_lost,
            0u);
}

TEST_F(DemoRunTest, NodesThatForgetALogoutShowItAlive) {
  EXPECT_GT(
      RunOver(FakeCluster::Fault::kForgetsLogout).findings.logged_out_alive,
      0u);
}

TEST_F(DemoRunTest, NodesThatLoseSessionsAreFound) {
  EXPECT_GT(RunOver(FakeCluster::Fault::kLosesSessions).findings.lost_sessions,
            0u);
}

TEST_F(DemoRunTest, NodesThatForgetWritesAreFound) {
  EXPECT_GT(RunOver(FakeCluster::Fault::kForgetsWrites).findings.lost_writes,
            0u);
}

}  // namespace
}  // namespace sessionmesh::driver
