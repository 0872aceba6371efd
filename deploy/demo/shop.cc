#include "deploy/demo/shop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "deploy/demo/cart.h"
#include "deploy/demo/endpoints.h"
#include "deploy/demo/pages.h"
#include "deploy/demo/problem.h"

namespace sessionmesh::demo {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr std::size_t kUserSizeMax = 64;

absl::Status LogIn(const httplib::Request& request, Visit* visit) {
  const std::string user = request.get_param_value("user");
  if (user.empty() || user.size() > kUserSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("user has ", user.size(), " bytes; give a name of 1 to ",
                     kUserSizeMax));
  }
  if (visit->has_session()) {
    const auto session = visit->Read();
    if (session.ok() && !session->user().empty() && session->user() != user) {
      // The cart of one user must not become that of another.
      return absl::FailedPreconditionError(
          absl::StrCat("logged in as ", session->user(), "; log out first"));
    }
    if (session.ok()) {
      client::RotateOptions options;
      options.user = user;
      return visit->Rotate(options).status();
    }
    if (!absl::IsNotFound(session.status())) return session.status();
  }
  // Also when the cookie names a session that is gone: whoever logs in asks for
  // one.
  client::CreateOptions options;
  options.user = user;
  return visit->Begin(options).status();
}

absl::Status AddToCart(const httplib::Request& request, Visit* visit) {
  const std::string item = request.get_param_value("item");
  absl::Status valid = CheckItem(item);
  if (!valid.ok()) return valid;
  if (!visit->has_session()) {
    client::CreateOptions options;
    options.attributes.emplace(CartAttribute(item), "1");
    return visit->Begin(options).status();
  }
  const auto session = visit->Read();
  if (!session.ok()) return session.status();
  const int quantity = std::min(QuantityOf(*session, item) + 1, kQuantityMax);
  return visit->Change(
      {.set = {{CartAttribute(item), absl::StrCat(quantity)}}});
}

absl::Status RemoveFromCart(const httplib::Request& request, Visit* visit) {
  const std::string item = request.get_param_value("item");
  absl::Status valid = CheckItem(item);
  if (!valid.ok()) return valid;
  client::UpdateOptions options;
  options.unset = {CartAttribute(item)};
  return visit->Change(options);
}

absl::Status LogOut(const httplib::Request&, Visit* visit) {
  return visit->End();
}

Served ServedBy(const std::string& server_name, const Visit& visit) {
  return {server_name, visit.node(), visit.version(), visit.caught_up(),
          visit.degraded_reason()};
}

using Action = absl::Status (*)(const httplib::Request&, Visit*);

httplib::Server::Handler Form(const Store& store,
                              const std::string& server_name, Action action) {
  return [=](const httplib::Request& request, httplib::Response& response) {
    Visit visit(store, request);
    const absl::Status status = action(request, &visit);
    visit.Finish(&response);
    // A session that is gone: the page says so. No other one begins by itself,
    // because the id in this request may only be an old one: another tab has
    // logged in meanwhile, and a new cookie would take that session away.
    if (status.ok() || visit.session_is_gone()) {
      response.set_redirect("/", 303);
      return;
    }
    const Problem problem = DescribeProblem(status);
    response.status = problem.http_status;
    if (problem.retry) response.set_header("Retry-After", "1");
    response.set_content(ProblemPage(ServedBy(server_name, visit), problem),
                         kHtml);
  };
}

void AnswerPage(const Store& store, const std::string& server_name,
                const httplib::Request& request, httplib::Response* response) {
  Visit visit(store, request);
  ShopView view;
  const auto session = visit.Read();
  visit.Finish(response);
  view.served = ServedBy(server_name, visit);
  if (!session.ok() && !absl::IsNotFound(session.status())) {
    const Problem problem = DescribeProblem(session.status());
    response->status = problem.http_status;
    if (problem.retry) response->set_header("Retry-After", "1");
    response->set_content(ProblemPage(view.served, problem), kHtml);
    return;
  }
  view.session_is_gone = visit.session_is_gone();
  if (session.ok()) {
    view.has_session = true;
    view.user = session->user();
    view.cart = CartOf(*session);
  }
  response->set_content(ShopPage(view), kHtml);
}

void AnswerCart(const Store& store, const httplib::Request& request,
                httplib::Response* response) {
  Visit visit(store, request);
  const auto session = visit.Read();
  visit.Finish(response);
  if (!session.ok()) return AnswerProblem(session.status(), response);
  std::string body;
  for (const CartLine& line : CartOf(*session)) {
    absl::StrAppend(&body, line.quantity, " ", line.item, "\n");
  }
  response->set_content(body, "text/plain; charset=utf-8");
}

}  // namespace

void AddShop(const Store& store, const std::string& server_name,
             httplib::Server* server) {
  server->Get(
      "/", [=](const httplib::Request& request, httplib::Response& response) {
        AnswerPage(store, server_name, request, &response);
      });
  server->Get("/cart", [=](const httplib::Request& request,
                           httplib::Response& response) {
    AnswerCart(store, request, &response);
  });
  server->Post("/login", Form(store, server_name, &LogIn));
  server->Post("/cart/add", Form(store, server_name, &AddToCart));
  server->Post("/cart/remove", Form(store, server_name, &RemoveFromCart));
  server->Post("/logout", Form(store, server_name, &LogOut));
}

}  // namespace sessionmesh::demo
