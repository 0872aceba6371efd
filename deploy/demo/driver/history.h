#ifndef DEPLOY_DEMO_DRIVER_HISTORY_H_
#define DEPLOY_DEMO_DRIVER_HISTORY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deploy/demo/driver/coverage.h"

namespace sessionmesh::driver {

// What one browser session did and was told, for checker.h.

// Order of all sends and answers of one run: a counter, not a clock. a < b
// means that a came first as the browser of a session can tell.
using Moment = std::uint64_t;
inline constexpr Moment kNever = std::numeric_limits<Moment>::max();

// One item put into the cart or taken out of it.
struct Change {
  std::string item;
  bool added = true;
  Moment sent = 0;  // the first try
  // The acknowledgement; kNever: none came, it may or may not have happened.
  Moment answered = kNever;
  // A try got no answer and was repeated: it may still take effect after the
  // acknowledgement of a later one.
  bool tried_in_vain = false;
  // The acknowledgement said that fewer nodes hold it than asked for: it may
  // die with its node, but not without a 410 to those who have seen it.
  bool degraded = false;
};

// What one answer showed of the cart.
struct Read {
  Moment sent = 0;
  Moment answered = 0;
  bool found = true;  // false: "no such session"
  std::set<std::string> items;
  // Asked for this item alone; `items` says no more.
  std::optional<std::string> only;
  std::vector<TokenId> presented;
  // The last look at a session, at the end or before its log out: nothing is
  // under way.
  bool last = false;
};

// A request with the cookies from before a logout.
struct OldRead {
  Moment sent = 0;
  bool found = false;
};

struct SessionHistory {
  explicit SessionHistory(absl::string_view id_cookie) : coverage(id_cookie) {}

  std::vector<Change> changes;
  std::vector<Read> reads;
  // Changes that were in flight together.
  std::vector<std::pair<ChangeId, ChangeId>> pairs;
  Coverage coverage;

  Moment begun = kNever;  // the acknowledgement of its creation
  Moment logout_sent = kNever;
  Moment logout_answered = kNever;
  std::vector<OldRead> old_reads;
  // The browser has lost the session, for instance because the new id that a
  // log in gave it never arrived. What is read from `cut_off` on says nothing.
  Moment cut_off = kNever;
};

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_HISTORY_H_
