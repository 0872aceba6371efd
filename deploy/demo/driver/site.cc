#include "deploy/demo/driver/site.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sessionmesh::driver {

// Users and items are named by the driver itself, from letters, digits and '-':
// nothing needs an escape.

Request Site::LogIn(absl::string_view user) const {
  if (shop_) {
    return {
        .post = true, .target = "/login", .form = absl::StrCat("user=", user)};
  }
  return {.target = "/new?attrs=4&bytes=32"};
}

Request Site::Add(absl::string_view item) const {
  if (shop_) {
    return {.post = true,
            .target = "/cart/add",
            .form = absl::StrCat("item=", item)};
  }
  return {.target = absl::StrCat("/write?k=cart.", item, "&v=1")};
}

Request Site::LogOut() const {
  if (shop_) return {.post = true, .target = "/logout"};
  return {.target = "/logout"};
}

Request Site::ReadCart(absl::string_view item) const {
  if (shop_) return {.target = "/cart"};
  return {.target = absl::StrCat("/read?k=cart.", item)};
}

Request Site::Remove(absl::string_view item) const {
  return {.post = true,
          .target = "/cart/remove",
          .form = absl::StrCat("item=", item)};
}

Request Site::Page() const { return {.target = "/"}; }

bool Site::Acknowledges(int http_status) {
  return http_status >= 200 && http_status < 400;
}

std::optional<CartSeen> Site::ParseCart(int http_status, absl::string_view body,
                                        absl::string_view item) const {
  CartSeen seen;
  if (http_status == 404) {
    if (!absl::StartsWith(body, "NONE")) return std::nullopt;
    seen.found = false;
    return seen;
  }
  if (http_status != 200) return std::nullopt;
  if (!shop_) {
    if (absl::StartsWith(body, "V ")) {
      seen.items.insert(std::string(item));
    } else if (!absl::StartsWith(body, "NULL")) {
      return std::nullopt;
    }
    return seen;
  }
  for (const absl::string_view line :
       absl::StrSplit(body, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int quantity = 0;
    if (!absl::SimpleAtoi(pair.first, &quantity) || pair.second.empty()) {
      return std::nullopt;
    }
    if (quantity > 0) seen.items.insert(std::string(pair.second));
  }
  return seen;
}

absl::StatusOr<BaseUrl> ParseBaseUrl(absl::string_view url) {
  const absl::string_view whole = url;
  const auto invalid = [whole] {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", whole, "\" is no address of a site; give http://host:port"));
  };
  if (!absl::ConsumePrefix(&url, "http://")) return invalid();
  absl::ConsumeSuffix(&url, "/");
  BaseUrl base;
  const auto colon = url.rfind(':');
  base.host = std::string(url.substr(0, colon));
  if (colon != absl::string_view::npos &&
      !absl::SimpleAtoi(url.substr(colon + 1), &base.port)) {
    return invalid();
  }
  if (base.host.empty() || absl::StrContains(base.host, '/') || base.port < 1 ||
      base.port > 65535) {
    return invalid();
  }
  return base;
}

}  // namespace sessionmesh::driver
