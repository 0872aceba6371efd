#include "deploy/demo/driver/coverage.h"

#include "absl/strings/str_cat.h"

namespace sessionmesh::driver {

std::vector<TokenId> Coverage::Presented() const {
  std::vector<TokenId> presented;
  presented.reserve(in_jar_.size());
  for (const auto& [name, token] : in_jar_) presented.push_back(token);
  return presented;
}

TokenId Coverage::IdOf(const CookieJar::Change& cookie) {
  const auto next = static_cast<TokenId>(tokens_.size());
  const auto [at, is_new] =
      ids_.try_emplace(absl::StrCat(cookie.name, "=", cookie.value), next);
  if (is_new) tokens_.push_back({cookie.name, {}, {}});
  return at->second;
}

void Coverage::OnAnswer(const std::vector<TokenId>& presented,
                        std::optional<ChangeId> change,
                        const std::vector<CookieJar::Change>& cookies) {
  std::set<std::string> removed;
  bool any_set = false;
  for (const CookieJar::Change& cookie : cookies) {
    if (cookie.name == id_cookie_) continue;
    if (cookie.removed) {
      in_jar_.erase(cookie.name);
      removed.insert(cookie.name);
      continue;
    }
    any_set = true;
    const TokenId id = IdOf(cookie);
    Token& token = tokens_[static_cast<std::size_t>(id)];
    token.covered.insert(presented.begin(), presented.end());
    if (change) token.changes.insert(*change);
    in_jar_[cookie.name] = id;
  }
  if (any_set || removed.empty()) return;
  for (const TokenId id : presented) {
    Token& kept = tokens_[static_cast<std::size_t>(id)];
    if (removed.count(kept.cookie) == 0) {
      kept.covered.insert(presented.begin(), presented.end());
    }
  }
}

ChangeIds Coverage::Slipped(const std::vector<TokenId>& presented) const {
  std::vector<bool> reached(tokens_.size());
  std::vector<TokenId> open = presented;
  while (!open.empty()) {
    const auto at = static_cast<std::size_t>(open.back());
    open.pop_back();
    if (reached[at]) continue;
    reached[at] = true;
    open.insert(open.end(), tokens_[at].covered.begin(),
                tokens_[at].covered.end());
  }
  ChangeIds slipped;
  for (const Token& token : tokens_) {
    slipped.insert(token.changes.begin(), token.changes.end());
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!reached[i]) continue;
    for (const ChangeId change : tokens_[i].changes) slipped.erase(change);
  }
  return slipped;
}

}  // namespace sessionmesh::driver
