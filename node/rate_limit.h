#ifndef NODE_RATE_LIMIT_H_
#define NODE_RATE_LIMIT_H_

#include <cstddef>
#include <iterator>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace sessionmesh::node {

// Says whether something that repeats may be reported again: for each key at
// most once per `interval`, and about `keys_max` keys at a time. Beyond these
// it says no, so that a flood of different ones cannot fill memory or the log.
//
// Not thread-safe.
class RateLimit {
 public:
  RateLimit(absl::Duration interval, size_t keys_max)
      : interval_(interval), keys_max_(keys_max) {}

  bool Allow(const std::string& key, absl::Time steady_now) {
    const auto found = until_.find(key);
    if (found != until_.end() && steady_now < found->second) return false;
    if (found == until_.end() && until_.size() >= keys_max_) {
      for (auto it = until_.begin(); it != until_.end();) {
        it = it->second <= steady_now ? until_.erase(it) : std::next(it);
      }
      if (until_.size() >= keys_max_) return false;
    }
    until_[key] = steady_now + interval_;
    return true;
  }

 private:
  const absl::Duration interval_;
  const size_t keys_max_;
  std::map<std::string, absl::Time> until_;
};

}  // namespace sessionmesh::node

#endif  // NODE_RATE_LIMIT_H_
