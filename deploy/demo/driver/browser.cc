#include "deploy/demo/driver/browser.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace sessionmesh::driver {
namespace {

constexpr std::size_t kSamplesMax = 8;
// The demo: a write that this browser has seen died with its node.
constexpr int kGone = 410;

// What a reload may cure.
bool IsPassing(int status) {
  return status == 0 || status == kGone || status == 502 || status == 503 ||
         status == 504;
}

bool IsUnanswered(int status) {
  return status == 0 || status == 502 || status == 504;
}

// Neither done nor "no such session", which is an answer.
bool IsFailure(int status) {
  return !Site::Acknowledges(status) && status != 404;
}

void AddSample(std::string sentence, Traffic* traffic) {
  if (traffic->samples.size() < kSamplesMax) {
    traffic->samples.push_back(std::move(sentence));
  }
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  requests += other.requests;
  overlapping += other.overlapping;
  elsewhere += other.elsewhere;
  node_named += other.node_named;
  caught_up += other.caught_up;
  degraded += other.degraded;
  retries += other.retries;
  writes_given_up += other.writes_given_up;
  unanswered += other.unanswered;
  tokens_ignored += other.tokens_ignored;
  failed += other.failed;
  latencies_ms.insert(latencies_ms.end(), other.latencies_ms.begin(),
                      other.latencies_ms.end());
  for (const std::string& sample : other.samples) AddSample(sample, this);
  return *this;
}

Browser::Browser(BrowserOptions options, std::atomic<Moment>* clock)
    : options_(std::move(options)), clock_(clock) {
  for (auto& connection : connections_) {
    connection = std::make_unique<httplib::Client>(options_.site.host,
                                                   options_.site.port);
    connection->set_keep_alive(true);
    connection->set_tcp_nodelay(true);
    connection->set_url_encode(false);
    connection->set_follow_location(
        false);  // the redirect after a POST is the acknowledgement
    connection->set_connection_timeout(5);
    connection->set_read_timeout(10);
  }
}

httplib::Result Browser::Exchange(const Request& request, int connection,
                                  const std::string& cookies) {
  httplib::Headers headers;
  if (!cookies.empty()) headers.emplace("Cookie", cookies);
  httplib::Client& client = *connections_[static_cast<std::size_t>(connection)];
  if (!request.post) return client.Get(request.target, headers);
  return client.Post(request.target, headers, request.form,
                     "application/x-www-form-urlencoded");
}

Answer Browser::Fetch(const Request& request, int connection,
                      SessionHistory* history, std::optional<ChangeId> change) {
  return FetchUntilDone(request, connection, history, change, nullptr);
}

Answer Browser::FetchWithCookies(const Request& request,
                                 const std::string& cookies) {
  return FetchUntilDone(request, 0, nullptr, std::nullopt, &cookies);
}

Answer Browser::FetchUntilDone(const Request& request, int connection,
                               SessionHistory* history,
                               std::optional<ChangeId> change,
                               const std::string* fixed_cookies) {
  if (in_flight_.fetch_add(1) > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++traffic_.overlapping;
  }
  Answer answer;
  answer.first_sent = clock_->fetch_add(1);
  const absl::Time give_up_at = absl::Now() + options_.patience;
  while (true) {
    const Sent sent = fixed_cookies != nullptr ? Sent{*fixed_cookies, {}}
                                               : BeforeSend(request, history);
    answer.presented = sent.presented;
    answer.sent = clock_->fetch_add(1);
    const absl::Time start = absl::Now();
    const httplib::Result result = Exchange(request, connection, sent.cookies);
    const double latency_ms = absl::ToDoubleMilliseconds(absl::Now() - start);
    answer.status = result ? result->status : 0;
    if (result) {
      answer.body = result->body;
      answer.node = result->get_header_value("X-Node");
      const std::string session = result->get_header_value("X-Session");
      answer.new_session = session == "begun";
      answer.session_is_gone = session == "none";
      answer.degraded = result->get_header_value("X-Degraded") == "1";
      if (fixed_cookies == nullptr) {
        TakeCookies(request, *result, answer, history, change);
      }
    }
    if (IsUnanswered(answer.status)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++traffic_.unanswered;
    }
    const bool again = IsPassing(answer.status) && absl::Now() < give_up_at;
    if (!again) {
      // After the cookies are in the jar: whatever is sent later presents them.
      answer.answered = answer.status == 0 ? kNever : clock_->fetch_add(1);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (IsFailure(answer.status)) {
        ++traffic_.failed;
        AddSample(absl::StrCat("failed: ", request.target, " with ",
                               answer.status, " ", answer.body.substr(0, 120)),
                  &traffic_);
      } else {
        Count(answer, *result, change.has_value(), latency_ms);
      }
      break;
    }
    answer.tried_in_vain = true;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++traffic_.retries;
      if (answer.status == kGone) ++traffic_.writes_given_up;
    }
    absl::SleepFor(options_.reload_after);
  }
  in_flight_.fetch_sub(1);
  return answer;
}

Browser::Sent Browser::BeforeSend(const Request& request,
                                  const SessionHistory* history) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Sent sent;
  sent.cookies = jar_.Header(request.target, absl::Now());
  if (history != nullptr) sent.presented = history->coverage.Presented();
  return sent;
}

void Browser::TakeCookies(const Request& request,
                          const httplib::Response& response,
                          const Answer& answer, SessionHistory* history,
                          std::optional<ChangeId> change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<CookieJar::Change> changes;
  const std::size_t count = response.get_header_value_count("Set-Cookie");
  for (std::size_t i = 0; i < count; ++i) {
    auto changed = jar_.Apply(response.get_header_value("Set-Cookie", i),
                              request.target, absl::Now());
    if (changed) changes.push_back(*std::move(changed));
  }
  if (history == nullptr) return;
  // A failure may have nothing to do with what was presented: its token then
  // stands for nothing.
  const bool done =
      Site::Acknowledges(answer.status) && !answer.session_is_gone;
  history->coverage.OnAnswer(done ? answer.presented : std::vector<TokenId>(),
                             done ? change : std::nullopt, changes);
}

void Browser::Count(const Answer& answer, const httplib::Response& response,
                    bool is_write, double latency_ms) {
  ++traffic_.requests;
  traffic_.latencies_ms.push_back(latency_ms);
  traffic_.caught_up +=
      !is_write && response.get_header_value("X-Caught-Up") == "1";
  traffic_.degraded += response.get_header_value("X-Degraded") == "1";
  std::uint64_t ignored = 0;
  if (absl::SimpleAtoi(response.get_header_value("X-Tokens-Ignored"),
                       &ignored)) {
    traffic_.tokens_ignored += ignored;
  }
  if (answer.node.empty()) return;
  ++traffic_.node_named;
  traffic_.elsewhere += !last_writer_.empty() && answer.node != last_writer_;
  if (is_write) last_writer_ = answer.node;
}

void Browser::ForgetCookies() {
  const std::lock_guard<std::mutex> lock(mutex_);
  jar_ = CookieJar();
}

std::string Browser::Cookies(const Request& request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return jar_.Header(request.target, absl::Now());
}

Traffic Browser::traffic() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return traffic_;
}

}  // namespace sessionmesh::driver
