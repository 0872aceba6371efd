#ifndef TESTS_CLIENT_COOKIE_JAR_H_
#define TESTS_CLIENT_COOKIE_JAR_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::client {

// What RFC 6265 asks of a browser, for one site and one path: a later
// Set-Cookie of a name replaces the value and keeps the place, Max-Age=0
// removes, and the oldest cookie is sent first.
class CookieJar {
 public:
  void Deliver(const std::vector<std::string>& set_cookie_values) {
    for (const std::string& header : set_cookie_values) {
      const std::string pair = header.substr(0, header.find(';'));
      const std::string name = pair.substr(0, pair.find('='));
      const auto old = std::find_if(
          cookies_.begin(), cookies_.end(),
          [&name](const auto& cookie) { return cookie.first == name; });
      if (absl::EndsWith(header, "; Max-Age=0")) {
        if (old != cookies_.end()) {
          cookies_.erase(old);
        }
      } else if (old != cookies_.end()) {
        old->second = pair;
      } else {
        cookies_.emplace_back(name, pair);
      }
    }
  }

  // The value of the Cookie header of a request sent now; "" when the jar is
  // empty.
  std::string Header() const {
    return absl::StrJoin(cookies_, "; ",
                         [](std::string* out, const auto& cookie) {
                           absl::StrAppend(out, cookie.second);
                         });
  }

  std::size_t size() const { return cookies_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>>
      cookies_;  // name, "name=value"
};

}  // namespace sessionmesh::client

#endif  // TESTS_CLIENT_COOKIE_JAR_H_
