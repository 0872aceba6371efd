#ifndef DEPLOY_DEMO_DRIVER_COOKIE_JAR_H_
#define DEPLOY_DEMO_DRIVER_COOKIE_JAR_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::driver {

// The cookies of one browser for one host, after RFC 6265 (sections 5.2
// to 5.4): name, value, Max-Age, Expires, Path with its default, deletion by an
// expiry in the past. A cookie is known by name and path, so one that an answer
// sets without a path stays apart from that of the site, as in a browser.
//
// Left out: Domain (every cookie is host-only), Secure (loopback counts as
// secure in browsers, too), HttpOnly and SameSite (there are no scripts and no
// other sites).
//
// A value: copy it to keep the cookies of a moment. Not thread-safe.
class CookieJar {
 public:
  struct Change {
    std::string name;
    std::string value;     // "" when removed
    bool removed = false;  // otherwise set, anew or again
  };

  // Takes the value of one Set-Cookie header of an answer to a request for
  // `request_path`. nullopt when a browser would ignore it: no name, or no '='.
  std::optional<Change> Apply(absl::string_view set_cookie,
                              absl::string_view request_path, absl::Time now);

  // The value of the Cookie header for a request of `path`; "" when there is
  // nothing to send. Longer paths come first, then names in order (a browser
  // orders by age, which nothing may rely on).
  std::string Header(absl::string_view path, absl::Time now) const;

  // The value that Header would send for `name`, without a path; nullopt when
  // there is none.
  std::optional<std::string> Value(absl::string_view name,
                                   absl::Time now) const;

 private:
  struct Cookie {
    std::string value;
    absl::Time expires = absl::InfiniteFuture();
  };
  // By path, the longest first, and name.
  struct Order {
    bool operator()(const std::pair<std::string, std::string>& a,
                    const std::pair<std::string, std::string>& b) const;
  };
  std::map<std::pair<std::string, std::string>, Cookie, Order> cookies_;
};

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_COOKIE_JAR_H_
