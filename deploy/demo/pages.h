#ifndef DEPLOY_DEMO_PAGES_H_
#define DEPLOY_DEMO_PAGES_H_

#include <string>
#include <vector>

#include "deploy/demo/cart.h"
#include "deploy/demo/problem.h"

namespace sessionmesh::demo {

// The shop as HTML: one page, forms only, no JavaScript, nothing loaded from
// elsewhere. Pure; all text is escaped here.

// Who made the page, shown at its foot.
struct Served {
  std::string server;
  std::string node;     // "" when no node was asked
  std::string version;  // the token of what was read; shown shortened
  bool caught_up = false;
  std::string degraded_reason;  // "" when not degraded
};

struct ShopView {
  Served served;
  bool has_session = false;
  bool session_is_gone = false;  // the cookie names one, and it is not there
  std::string user;              // "" while nobody is logged in
  std::vector<CartLine> cart;
};

std::string ShopPage(const ShopView& view);
std::string ProblemPage(const Served& served, const Problem& problem);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_PAGES_H_
