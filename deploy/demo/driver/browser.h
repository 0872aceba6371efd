#ifndef DEPLOY_DEMO_DRIVER_BROWSER_H_
#define DEPLOY_DEMO_DRIVER_BROWSER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "deploy/demo/driver/cookie_jar.h"
#include "deploy/demo/driver/history.h"
#include "deploy/demo/driver/site.h"

// Not part of our interface, but of the layout of the objects of Debian's
// library.
#include "httplib.h"

namespace sessionmesh::driver {

// Counts of one browser's requests.
struct Traffic {
  // That got their answer; retries are not counted.
  std::uint64_t requests = 0;
  // Sent while another of the same browser was in flight.
  std::uint64_t overlapping = 0;
  // Answered by another node than the one that wrote last.
  std::uint64_t elsewhere = 0;
  // Answers that named their node.
  std::uint64_t node_named = 0;
  // Reads whose node had to wait or fetch because of the token.
  std::uint64_t caught_up = 0;
  // Answers that admit to fewer guarantees than asked for.
  std::uint64_t degraded = 0;
  // Tries after a failure, as if the user had pressed reload.
  std::uint64_t retries = 0;
  // 410: the site said that a write which this browser has seen, maybe before
  // it was acknowledged, died with its node. If it was acknowledged, the reads
  // that follow miss it and are counted.
  std::uint64_t writes_given_up = 0;
  // Tries without an answer of the site itself: no connection, a connection
  // that broke, or a 502 or 504 of the load balancer.
  std::uint64_t unanswered = 0;
  // Token cookies beyond what one request may present.
  std::uint64_t tokens_ignored = 0;
  // Requests that failed until patience ended, or with a refusal.
  std::uint64_t failed = 0;
  // Of the tries that ended a request.
  std::vector<double> latencies_ms;
  // Sentences on failures, the first few only.
  std::vector<std::string> samples;

  Traffic& operator+=(const Traffic& other);
};

// What came back.
struct Answer {
  int status = 0;  // 0: no answer
  std::string body;
  std::string node;
  Moment first_sent = 0;  // the first try
  Moment sent = 0;        // the try that was answered
  Moment answered = kNever;
  std::vector<TokenId> presented;
  // A try before this one failed and may have taken effect.
  bool tried_in_vain = false;
  // The site began a session to answer this.
  bool new_session = false;
  // The site did not find the session that the cookie names.
  bool session_is_gone = false;
  // The site admitted to fewer guarantees than asked for.
  bool degraded = false;
};

struct BrowserOptions {
  BaseUrl site;
  std::string id_cookie = "sid";
  // How long a failing request is repeated.
  absl::Duration patience = absl::Seconds(10);
  absl::Duration reload_after = absl::Milliseconds(100);
};

// One browser: a cookie jar and two connections (HTTP/1.1, kept alive), so that
// two requests can be in flight.
//
// A request that fails (no connection, no answer, 410, 502, 503, 504) is
// repeated, as a user presses reload, until it succeeds or patience ends.
//
// Thread-safe as far as two threads may fetch at a time, each on a connection
// of its own.
class Browser {
 public:
  static constexpr int kConnections = 2;

  // `clock` gives out the moments of the run; it must outlive the browser.
  Browser(BrowserOptions options, std::atomic<Moment>* clock);

  // Sends the request with the jar's cookies and puts those of the answer into
  // it. `history` learns which tokens stand for `change`. REQUIRES: 0 <=
  // connection < kConnections
  Answer Fetch(const Request& request, int connection, SessionHistory* history,
               std::optional<ChangeId> change = std::nullopt);

  // Sends the request with these cookies instead, and leaves the jar alone.
  Answer FetchWithCookies(const Request& request, const std::string& cookies);

  // Empties the jar: a new browser. REQUIRES: nothing is in flight
  void ForgetCookies();

  // The Cookie header that a request would carry now.
  std::string Cookies(const Request& request) const;

  Traffic traffic() const;

 private:
  struct Sent {
    std::string cookies;
    std::vector<TokenId> presented;
  };
  httplib::Result Exchange(const Request& request, int connection,
                           const std::string& cookies);
  Answer FetchUntilDone(const Request& request, int connection,
                        SessionHistory* history, std::optional<ChangeId> change,
                        const std::string* fixed_cookies);
  Sent BeforeSend(const Request& request, const SessionHistory* history) const;
  void TakeCookies(const Request& request, const httplib::Response& response,
                   const Answer& answer, SessionHistory* history,
                   std::optional<ChangeId> change);
  void Count(const Answer& answer, const httplib::Response& response,
             bool is_write, double latency_ms);

  const BrowserOptions options_;
  std::atomic<Moment>* const clock_;
  std::array<std::unique_ptr<httplib::Client>, kConnections> connections_;
  std::atomic<int> in_flight_ = 0;

  // Guards everything below, and the Coverage of the histories.
  mutable std::mutex mutex_;
  CookieJar jar_;
  std::string last_writer_;
  Traffic traffic_;
};

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_BROWSER_H_
