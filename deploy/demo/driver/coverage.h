#ifndef DEPLOY_DEMO_DRIVER_COVERAGE_H_
#define DEPLOY_DEMO_DRIVER_COVERAGE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "deploy/demo/driver/cookie_jar.h"

namespace sessionmesh::driver {

// Position of a change in its SessionHistory, and of a token in its Coverage.
using ChangeId = int;
using TokenId = int;
using ChangeIds = std::set<ChangeId>;

// Which acknowledged changes the token cookies of one browser stand for, found
// without reading the tokens: a token stands for the tokens that its request
// presented and for the change that its answer acknowledges.
//
// It tells apart two faults that look alike from outside, a read that misses an
// acknowledged change:
//   - the request presented a token that covers the change: the cluster broke
//     its promise;
//   - no cookie covered it any more, because an answer in flight at the same
//     time had overwritten or removed the one that did ("slipped"): the cookies
//     lost it, and no cluster could know.
// A change whose answer set no token cookie at all never slips: such a site
// promises without tokens.
//
// An answer that removes tokens and sets none says that one of those presented,
// which it leaves, stands for all. Two answers with the same cookie (name and
// value) carry the same token, which then stands for what either knew, also
// where it was presented before the second came. So this is judged when the run
// is over.
//
// Not thread-safe; belongs to the owner of the jar.
class Coverage {
 public:
  // `id_cookie` holds the session's id and is no token.
  explicit Coverage(absl::string_view id_cookie) : id_cookie_(id_cookie) {}

  // The tokens in the jar, which a request sent now presents.
  std::vector<TokenId> Presented() const;

  // An answer came to a request that presented `presented`, acknowledging
  // `change` if it was one, and changed these cookies.
  void OnAnswer(const std::vector<TokenId>& presented,
                std::optional<ChangeId> change,
                const std::vector<CookieJar::Change>& cookies);

  // Changes that some token stood for and none of `presented` does.
  ChangeIds Slipped(const std::vector<TokenId>& presented) const;

 private:
  struct Token {
    std::string cookie;         // its name
    ChangeIds changes;          // acknowledged by the answers that brought it
    std::set<TokenId> covered;  // presented by the requests of those answers
  };

  TokenId IdOf(const CookieJar::Change& cookie);

  const std::string id_cookie_;
  std::map<std::string, TokenId> in_jar_;  // by cookie name
  std::map<std::string, TokenId> ids_;     // by "name=value"
  std::vector<Token> tokens_;
};

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_COVERAGE_H_
