#ifndef DEPLOY_DEMO_DRIVER_SITE_H_
#define DEPLOY_DEMO_DRIVER_SITE_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::driver {

// A request to the site, before cookies.
struct Request {
  bool post = false;
  std::string target = "/";  // path and query
  std::string form = "";     // body of a POST
};

// What an answer shows of the cart.
struct CartSeen {
  bool found = true;  // false: no session
  std::set<std::string> items;
};

// How to say things to the site, and how to read its answers. Two vocabularies:
//   kShop   the demo shop: anonymous carts, log in, remove; one read shows the
//           whole cart;
//   kPlain  only /new, /write, /read and /logout, which any other session store
//           can be given, too, for comparisons: no anonymous cart, no removal,
//           and one read shows one item.
// Pure and thread-safe.
class Site {
 public:
  enum class Vocabulary { kShop, kPlain };
  explicit Site(Vocabulary vocabulary)
      : shop_(vocabulary == Vocabulary::kShop) {}

  bool shop() const { return shop_; }

  Request LogIn(absl::string_view user) const;
  Request Add(absl::string_view item) const;
  Request LogOut() const;
  // `item` is what a kPlain site is asked for; a kShop answers for all.
  Request ReadCart(absl::string_view item) const;
  // REQUIRES: shop()
  Request Remove(absl::string_view item) const;
  Request Page() const;

  // Whether the status means that a write was done.
  static bool Acknowledges(int http_status);
  // Reads the answer to ReadCart(item). nullopt when it is no answer to it.
  std::optional<CartSeen> ParseCart(int http_status, absl::string_view body,
                                    absl::string_view item) const;

 private:
  const bool shop_;
};

// The address of a site.
struct BaseUrl {
  std::string host;
  int port = 80;
};
// Reads "http://host[:port][/]". INVALID_ARGUMENT otherwise.
absl::StatusOr<BaseUrl> ParseBaseUrl(absl::string_view url);

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_SITE_H_
