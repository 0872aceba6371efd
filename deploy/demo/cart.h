#ifndef DEPLOY_DEMO_CART_H_
#define DEPLOY_DEMO_CART_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/session.pb.h"

namespace sessionmesh::demo {

// A cart is kept as one attribute for each thing, "cart.<item>" = quantity, and
// not as one attribute with a list: two additions of different things that do
// not know of each other are then two attributes, and both stay. (Two changes
// of the same thing at the same moment remain a race, which the later one
// wins.)

struct CartLine {
  std::string item;
  int quantity = 0;
};

inline constexpr int kQuantityMax = 99;
inline constexpr std::size_t kItemSizeMax = 64;

// OK for 1 to kItemSizeMax bytes without control characters. INVALID_ARGUMENT
// says what is wrong.
absl::Status CheckItem(absl::string_view item);

std::string CartAttribute(absl::string_view item);

// The cart of a session, sorted by item. Attributes that are no quantity are
// left out.
std::vector<CartLine> CartOf(const v1::Session& session);
// 0 when the item is not there.
int QuantityOf(const v1::Session& session, absl::string_view item);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_CART_H_
