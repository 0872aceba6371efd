#include "deploy/demo/endpoints.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "deploy/demo/problem.h"

namespace sessionmesh::demo {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr int kAttributesMax = 1000;
constexpr int kBytesMax = 1 << 20;
constexpr int kThinkMsMax = 60000;

// A whole number in [0, max] from the query; `fallback` when it is not there.
absl::StatusOr<int> IntParam(const httplib::Request& request, const char* name,
                             int fallback, int max) {
  if (!request.has_param(name)) return fallback;
  const std::string text = request.get_param_value(name);
  int value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0 || value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, "=", text, ": give a whole number from 0 to ", max));
  }
  return value;
}

absl::StatusOr<std::string> RequiredParam(const httplib::Request& request,
                                          const char* name) {
  if (!request.has_param(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", name, " is missing"));
  }
  return request.get_param_value(name);
}

// Each returns the body of the answer.

absl::StatusOr<std::string> New(const httplib::Request& request, Visit* visit) {
  const auto attributes = IntParam(request, "attrs", 0, kAttributesMax);
  if (!attributes.ok()) return attributes.status();
  const auto bytes = IntParam(request, "bytes", 16, kBytesMax);
  if (!bytes.ok()) return bytes.status();
  client::CreateOptions options;
  for (int i = 0; i < *attributes; ++i) {
    options.attributes[absl::StrCat("a", i)] =
        std::string(static_cast<std::size_t>(*bytes), 'x');
  }
  const auto session = visit->Begin(options);
  if (!session.ok()) return session.status();
  return "OK";
}

absl::StatusOr<std::string> Write(const httplib::Request& request,
                                  Visit* visit) {
  const auto key = RequiredParam(request, "k");
  if (!key.ok()) return key.status();
  const auto value = RequiredParam(request, "v");
  if (!value.ok()) return value.status();
  const auto think_ms = IntParam(request, "ms", 0, kThinkMsMax);
  if (!think_ms.ok()) return think_ms.status();
  const auto session = visit->Read();
  if (!session.ok()) return session.status();
  if (*think_ms > 0) absl::SleepFor(absl::Milliseconds(*think_ms));
  const absl::Status changed = visit->Change({.set = {{*key, *value}}});
  if (!changed.ok()) return changed;
  return "OK";
}

absl::StatusOr<std::string> Read(const httplib::Request& request,
                                 Visit* visit) {
  const auto key = RequiredParam(request, "k");
  if (!key.ok()) return key.status();
  const auto session = visit->Read();
  if (!session.ok()) return session.status();
  const auto at = session->attributes().find(*key);
  if (at == session->attributes().end()) return "NULL";
  return absl::StrCat("V ", at->second);
}

absl::StatusOr<std::string> LogOut(const httplib::Request&, Visit* visit) {
  const absl::Status ended = visit->End();
  if (!ended.ok()) return ended;
  return "OK";
}

using Endpoint = absl::StatusOr<std::string> (*)(const httplib::Request&,
                                                 Visit*);

httplib::Server::Handler Plain(const Store& store, Endpoint endpoint) {
  return [store, endpoint](const httplib::Request& request,
                           httplib::Response& response) {
    Visit visit(store, request);
    const absl::StatusOr<std::string> body = endpoint(request, &visit);
    visit.Finish(&response);
    if (!body.ok()) return AnswerProblem(body.status(), &response);
    response.set_content(*body, kPlain);
  };
}

}  // namespace

void AnswerProblem(const absl::Status& status, httplib::Response* response) {
  const Problem problem = DescribeProblem(status);
  response->status = problem.http_status;
  if (problem.retry) response->set_header("Retry-After", "1");
  const bool alone = problem.word == "NONE";
  response->set_content(
      alone ? problem.word : absl::StrCat(problem.word, " ", problem.sentence),
      kPlain);
}

void AddEndpoints(const Store& store, NodeHealth* health,
                  httplib::Server* server) {
  server->Get("/new", Plain(store, &New));
  server->Get("/write", Plain(store, &Write));
  server->Get("/read", Plain(store, &Read));
  server->Get("/logout", Plain(store, &LogOut));
  server->Get("/ping",
              [health](const httplib::Request&, httplib::Response& response) {
                const absl::Status status = health->Check();
                if (!status.ok()) return AnswerProblem(status, &response);
                response.set_content("OK", kPlain);
              });
}

}  // namespace sessionmesh::demo
