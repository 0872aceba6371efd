#include "deploy/demo/cart.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::demo {
namespace {

constexpr absl::string_view kPrefix = "cart.";

int ParseQuantity(absl::string_view text) {
  int quantity = 0;
  return absl::SimpleAtoi(text, &quantity) && quantity > 0 &&
                 quantity <= kQuantityMax
             ? quantity
             : 0;
}

}  // namespace

absl::Status CheckItem(absl::string_view item) {
  if (item.empty()) {
    return absl::InvalidArgumentError(
        "item is empty; say what to put into the cart");
  }
  if (item.size() > kItemSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("item has ", item.size(), " bytes; at most ", kItemSizeMax,
                     " are allowed"));
  }
  for (const char c : item) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError("item has a control character");
    }
  }
  return absl::OkStatus();
}

std::string CartAttribute(absl::string_view item) {
  return absl::StrCat(kPrefix, item);
}

std::vector<CartLine> CartOf(const v1::Session& session) {
  std::vector<CartLine> lines;
  for (const auto& [name, value] : session.attributes()) {
    if (!absl::StartsWith(name, kPrefix)) continue;
    const int quantity = ParseQuantity(value);
    if (quantity > 0) lines.push_back({name.substr(kPrefix.size()), quantity});
  }
  std::sort(
      lines.begin(), lines.end(),
      [](const CartLine& a, const CartLine& b) { return a.item < b.item; });
  return lines;
}

int QuantityOf(const v1::Session& session, absl::string_view item) {
  const auto at = session.attributes().find(CartAttribute(item));
  return at == session.attributes().end() ? 0 : ParseQuantity(at->second);
}

}  // namespace sessionmesh::demo
