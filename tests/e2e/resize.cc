#include "tests/e2e/resize.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/channel.h"
#include "client/pipeline.h"

namespace sessionmesh::e2e {

using client::Client;

absl::StatusOr<std::vector<Made>> MakeSessions(
    const std::vector<std::string>& addresses, size_t count, size_t bytes) {
  std::mutex mutex;
  std::vector<Made> made;
  absl::Status failure;
  std::vector<std::unique_ptr<client::Pipeline>> pipelines;
  for (const std::string& address : addresses) {
    pipelines.push_back(std::make_unique<client::Pipeline>(
        client::MakeChannel(address, nullptr), client::PipelineOptions()));
  }
  for (size_t i = 0; i < count; ++i) {
    v1::PipelineRequest request;
    (*request.mutable_create()->mutable_attributes())["cart"] =
        std::string(bytes, 'x');
    const absl::Status accepted = pipelines[i % pipelines.size()]->Call(
        std::move(request), [&](absl::StatusOr<v1::PipelineResponse> reply) {
          const std::lock_guard<std::mutex> lock(mutex);
          if (reply.ok() && reply->has_create()) {
            made.push_back({reply->create().session().id(),
                            reply->create().info().token()});
          } else if (failure.ok()) {
            failure = reply.status();
          }
        });
    if (!accepted.ok()) return accepted;
  }
  for (const auto& pipeline : pipelines) pipeline->Flush();
  pipelines.clear();
  if (!failure.ok()) return failure;
  return made;
}

std::map<std::string, uint64_t> Copies(Cluster* cluster,
                                       const std::vector<std::string>& names) {
  std::map<std::string, uint64_t> copies;
  for (const std::string& name : names) {
    copies[name] = cluster->client(name).Status().sessions();
  }
  return copies;
}

Visitors::Visitors(const std::vector<std::string>& addresses,
                   const std::vector<Made>& sessions, size_t browsers) {
  for (size_t i = 0; i < browsers; ++i) {
    // Each begins with another node and falls back on all of them.
    std::vector<std::string> order = addresses;
    std::rotate(order.begin(),
                order.begin() + static_cast<ptrdiff_t>(i % order.size()),
                order.end());
    clients_.push_back(*Client::Open({.addresses = std::move(order)}));
  }
  for (size_t i = 0; i < browsers; ++i) {
    const Made& session = sessions[i * (sessions.size() / browsers)];
    threads_.emplace_back([this, i, client = clients_[i].get(), session] {
      Browse(i, client, session);
    });
  }
}

Visitors::~Visitors() { Stop(); }

void Visitors::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Visitors::Note(const absl::Status& status, absl::Duration took) {
  ++calls_;
  const std::lock_guard<std::mutex> lock(mutex_);
  longest_ = std::max(longest_, took);
  if (status.ok()) return;
  ++failed_;
  if (first_failure_.empty()) first_failure_ = status.ToString();
}

void Visitors::Browse(size_t number, Client* client, Made session) {
  client::Tokens tokens = {session.token};
  uint64_t written = 0;
  const std::string name = absl::StrCat("visitor", number);
  while (!stop_) {
    absl::Time begin = absl::Now();
    const auto set = client->Update(
        session.id, tokens, {.set = {{name, absl::StrCat(written + 1)}}});
    Note(set.status(), absl::Now() - begin);
    if (set.ok()) {
      ++written;
      tokens = {set->info().token()};
    }
    begin = absl::Now();
    const auto got = client->Get(session.id, tokens);
    Note(got.status(), absl::Now() - begin);
    if (!got.ok()) continue;
    tokens = {got->info().token()};
    const auto shown = got->session().attributes().find(name);
    uint64_t number_shown = 0;
    const bool fresh =
        written == 0 || (shown != got->session().attributes().end() &&
                         absl::SimpleAtoi(shown->second, &number_shown) &&
                         number_shown >= written);
    if (!fresh) ++stale_;
  }
}

}  // namespace sessionmesh::e2e
