#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "deploy/demo/driver/cookie_jar.h"
#include "deploy/demo/server.h"
#include "tests/deploy/fake_cluster.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::demo {
namespace {

using ::sessionmesh::testing::FakeCluster;
using ::sessionmesh::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Two demo servers with a node each, and one browser that chooses between them.
class DemoServerTest : public ::testing::Test {
 protected:
  DemoServerTest() : cluster_(2) {
    for (int i : {0, 1}) {
      ServerOptions options;
      options.name = i == 0 ? "app1" : "app2";
      options.node_address = cluster_.address(i);
      options.threads = 4;
      auto server = Server::Listen(options);
      if (!server.ok()) ADD_FAILURE() << server.status();
      servers_.push_back(*std::move(server));
      threads_.emplace_back([one = servers_.back().get()] { one->Serve(); });
      clients_.push_back(std::make_unique<httplib::Client>(
          "127.0.0.1", servers_.back()->port()));
      clients_.back()->set_url_encode(
          false);  // the targets below are as they go over the wire
      // Stop() has an effect only once Serve() runs.
      while (!clients_.back()->Get("/ping"))
        absl::SleepFor(absl::Milliseconds(1));
    }
  }
  ~DemoServerTest() override {
    for (const auto& server : servers_) server->Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  httplib::Result Get(int server, const std::string& target) {
    return Keep(target, Client(server).Get(target, Headers(target)));
  }
  httplib::Result Post(int server, const std::string& target,
                       const std::string& form) {
    return Keep(target,
                Client(server).Post(target, Headers(target), form,
                                    "application/x-www-form-urlencoded"));
  }
  httplib::Client& Client(int server) {
    return *clients_[static_cast<std::size_t>(server)];
  }
  httplib::Headers Headers(const std::string& target) const {
    return {{"Cookie", jar_.Header(target, absl::Now())}};
  }
  httplib::Result Keep(const std::string& target, httplib::Result result) {
    for (std::size_t i = 0; i < result->get_header_value_count("Set-Cookie");
         ++i) {
      jar_.Apply(result->get_header_value("Set-Cookie", i), target,
                 absl::Now());
    }
    return result;
  }
  std::string SessionCookie() const {
    return jar_.Value("sid", absl::Now()).value_or("");
  }

  FakeCluster cluster_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<httplib::Client>> clients_;
  driver::CookieJar jar_;
};

TEST_F(DemoServerTest, ReadAnswersNoneNullAndValue) {
  auto none = Get(0, "/read?k=a0");
  EXPECT_EQ(none->status, 404);
  EXPECT_EQ(none->body, "NONE");
  EXPECT_EQ(Get(0, "/new?attrs=2&bytes=3")->status, 200);
  EXPECT_EQ(Get(0, "/read?k=a1")->body, "V xxx");
  EXPECT_EQ(Get(0, "/read?k=missing")->body, "NULL");
}

TEST_F(DemoServerTest, AWriteIsReadOnTheOtherServerBecauseOfTheToken) {
  Get(0, "/new?attrs=1&bytes=1");
  Get(1, "/read?k=a0");  // the other node has a copy now, which ages
  EXPECT_EQ(Get(0, "/write?k=color&v=dark+red")->body, "OK");
  const auto read = Get(1, "/read?k=color");
  EXPECT_EQ(read->body, "V dark red");
  EXPECT_EQ(read->get_header_value("X-Node"), "node2");
  EXPECT_EQ(read->get_header_value("X-Caught-Up"), "1");
  EXPECT_EQ(read->get_header_value("X-Degraded"), "0");
}

TEST_F(DemoServerTest, AWriteWithoutASessionIsNone) {
  const auto write = Get(0, "/write?k=a&v=b");
  EXPECT_EQ(write->status, 404);
  EXPECT_EQ(write->body, "NONE");
}

TEST_F(DemoServerTest, BadParametersAreRefusedWithTheLimit) {
  EXPECT_THAT(Get(0, "/new?attrs=1001")->body,
              HasSubstr("attrs=1001: give a whole number from 0 to 1000"));
  EXPECT_EQ(Get(0, "/new?attrs=-1")->status, 400);
  EXPECT_EQ(Get(0, "/new?bytes=many")->status, 400);
  EXPECT_THAT(Get(0, "/read")->body, HasSubstr("parameter k is missing"));
  EXPECT_EQ(Get(0, "/write?k=a")->status, 400);
  EXPECT_EQ(Post(0, "/login", "user=")->status, 400);
  EXPECT_EQ(Post(0, "/cart/add", "item=")->status, 400);
}

TEST_F(DemoServerTest, LogInKeepsTheCartAndChangesTheId) {
  EXPECT_EQ(Post(0, "/cart/add", "item=tea")->status, 303);
  const std::string before = SessionCookie();
  const driver::CookieJar old_jar = jar_;
  EXPECT_EQ(Post(1, "/login", "user=ann")->status, 303);
  EXPECT_NE(SessionCookie(), before);
  EXPECT_EQ(Get(0, "/cart")->body, "1 tea\n");
  EXPECT_THAT(Get(0, "/")->body, HasSubstr("ann"));
  jar_ = old_jar;
  EXPECT_EQ(Get(0, "/cart")->status, 404);
}

TEST_F(DemoServerTest, AddingTwiceMakesTwoAndRemovingTakesBoth) {
  Post(0, "/login", "user=ann");
  Post(0, "/cart/add", "item=tea");
  Post(1, "/cart/add", "item=tea");
  EXPECT_EQ(Get(0, "/cart")->body, "2 tea\n");
  EXPECT_EQ(Post(1, "/cart/remove", "item=tea")->status, 303);
  EXPECT_EQ(Get(0, "/cart")->body, "");
}

TEST_F(DemoServerTest, AnotherUserMustLogOutFirst) {
  Post(0, "/login", "user=ann");
  const auto refused = Post(0, "/login", "user=bob");
  EXPECT_EQ(refused->status, 400);
  EXPECT_THAT(refused->body, HasSubstr("logged in as ann; log out first"));
}

TEST_F(DemoServerTest, LogOutEndsTheSessionEverywhere) {
  Post(0, "/login", "user=ann");
  Get(1, "/cart");
  const driver::CookieJar old_jar = jar_;
  EXPECT_EQ(Post(0, "/logout", "")->status, 303);
  EXPECT_EQ(cluster_.last_delete_durability(), v1::DURABILITY_ALL);
  EXPECT_EQ(SessionCookie(), "");
  jar_ = old_jar;
  for (int server : {0, 1}) EXPECT_EQ(Get(server, "/cart")->status, 404);
}

TEST_F(DemoServerTest, LogOutWithoutASessionIsDone) {
  EXPECT_EQ(Get(0, "/logout")->body, "OK");
  Get(0, "/new");
  EXPECT_EQ(Get(0, "/logout")->body, "OK");
  EXPECT_EQ(Get(1, "/logout")->body, "OK");
}

TEST_F(DemoServerTest, AnAnswerThatFindsNoSessionLeavesTheCookiesAlone) {
  Get(0, "/new");
  const driver::CookieJar old_jar = jar_;
  Get(0, "/logout");
  jar_ = old_jar;
  const auto none = Get(0, "/read?k=a");
  EXPECT_EQ(none->status, 404);
  EXPECT_EQ(none->get_header_value_count("Set-Cookie"), 0u);
}

// The request may carry an id that another tab has rotated away meanwhile.
TEST_F(DemoServerTest, NothingButALogInBeginsASessionInPlaceOfOneThatIsGone) {
  Post(0, "/cart/add", "item=tea");
  const driver::CookieJar old_jar = jar_;
  Post(0, "/login", "user=ann");
  const driver::CookieJar new_jar = jar_;
  for (const char* const form : {"/cart/add", "/cart/remove"}) {
    jar_ = old_jar;
    const auto answer = Post(1, form, "item=soap");
    EXPECT_EQ(answer->status, 303) << form;
    EXPECT_EQ(answer->get_header_value("X-Session"), "none") << form;
    EXPECT_EQ(answer->get_header_value_count("Set-Cookie"), 0u) << form;
  }
  EXPECT_THAT(Get(0, "/")->body, HasSubstr("Your session has ended"));
  jar_ = new_jar;
  EXPECT_EQ(Get(1, "/cart")->body, "1 tea\n");
  jar_ = old_jar;
  EXPECT_EQ(Post(0, "/login", "user=bob")->get_header_value("X-Session"),
            "begun");
  EXPECT_THAT(Get(1, "/")->body, HasSubstr("bob"));
}

TEST_F(DemoServerTest, ALogInThatTooFewNodesHoldStillReachesTheBrowser) {
  cluster_.SetAlone(0, true);
  const auto begun = Post(0, "/cart/add", "item=tea");
  EXPECT_EQ(begun->status, 503);
  EXPECT_EQ(begun->get_header_value("X-Session"), "begun");
  EXPECT_EQ(Get(1, "/cart")->body, "1 tea\n");
  const std::string before = SessionCookie();
  const auto rotated = Post(0, "/login", "user=ann");
  EXPECT_EQ(rotated->status, 503);
  EXPECT_THAT(rotated->body, HasSubstr("DURABILITY_UNMET"));
  EXPECT_NE(SessionCookie(), before);
  EXPECT_EQ(Get(1, "/cart")->body, "1 tea\n");
  EXPECT_THAT(Get(1, "/")->body, HasSubstr("ann"));
}

TEST_F(DemoServerTest, ANewSessionIsAnnounced) {
  EXPECT_EQ(Post(0, "/cart/add", "item=tea")->get_header_value("X-Session"),
            "begun");
  EXPECT_EQ(Post(0, "/cart/add", "item=soap")->get_header_value("X-Session"),
            "");
}

TEST_F(DemoServerTest, AStaleNodeIsServiceUnavailableWithTheReason) {
  Get(0, "/new?attrs=1");
  cluster_.SetStale(0, true);
  const auto stale = Get(0, "/read?k=a0");
  EXPECT_EQ(stale->status, 503);
  EXPECT_EQ(stale->get_header_value("Retry-After"), "1");
  EXPECT_THAT(stale->body, StartsWith("STALE "));
  EXPECT_EQ(Get(0, "/")->status, 503);
  EXPECT_EQ(Get(1, "/read?k=a0")->status, 200);
}

TEST_F(DemoServerTest, PingFollowsTheNode) {
  EXPECT_EQ(Get(0, "/ping")->status, 200);
  cluster_.SetReady(0, false);
  const auto ping = Get(0, "/ping");
  EXPECT_EQ(ping->status, 503);
  EXPECT_THAT(ping->body, HasSubstr("node node1 is syncing"));
}

TEST_F(DemoServerTest, WhatPeopleTypeComesBackEscaped) {
  Post(0, "/login", "user=%3Cscript%3E");
  Post(0, "/cart/add", "item=%3Cimg%3E");
  EXPECT_THAT(Get(0, "/")->body, Not(HasSubstr("<script>")));
  EXPECT_THAT(Get(0, "/")->body, HasSubstr("&lt;img&gt;"));
}

TEST(DemoServerListenTest, ARefusedPortSaysWhatToDo) {
  ServerOptions options;
  auto first = Server::Listen(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.host = "192.0.2.1";  // not an address of this machine
  EXPECT_THAT(Server::Listen(options),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("choose another --port")));
}

TEST(DemoServerListenTest, ABadCookieNameIsRefused) {
  ServerOptions options;
  options.cookie = "a;b";
  EXPECT_THAT(
      Server::Listen(options),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cookie name")));
}

}  // namespace
}  // namespace sessionmesh::demo
