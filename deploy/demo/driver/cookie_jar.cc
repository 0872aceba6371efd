#include "deploy/demo/driver/cookie_jar.h"

#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sessionmesh::driver {
namespace {

std::string DefaultPath(absl::string_view request_path) {
  request_path = request_path.substr(0, request_path.find('?'));
  const auto slash = request_path.rfind('/');
  if (slash == absl::string_view::npos || slash == 0) return "/";
  return std::string(request_path.substr(0, slash));
}

bool PathMatches(absl::string_view cookie_path, absl::string_view path) {
  path = path.substr(0, path.find('?'));
  if (!absl::StartsWith(path, cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.back() == '/' ||
         path[cookie_path.size()] == '/';
}

// The attributes after "name=value" that this jar knows.
struct Attributes {
  std::optional<absl::Time> expires;
  std::optional<absl::Time> max_age;  // beats Expires
  std::string path;                   // "" for the default
};

Attributes ParseAttributes(const std::vector<absl::string_view>& parts,
                           absl::Time now) {
  Attributes found;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parts[i], absl::MaxSplits('=', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(pair.first);
    const absl::string_view value = absl::StripAsciiWhitespace(pair.second);
    std::int64_t seconds = 0;
    if (absl::EqualsIgnoreCase(name, "max-age") &&
        absl::SimpleAtoi(value, &seconds)) {
      found.max_age =
          seconds <= 0 ? absl::InfinitePast() : now + absl::Seconds(seconds);
    } else if (absl::EqualsIgnoreCase(name, "expires")) {
      absl::Time time;
      if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", std::string(value),
                          &time, nullptr)) {
        found.expires = time;
      }
    } else if (absl::EqualsIgnoreCase(name, "path") &&
               absl::StartsWith(value, "/")) {
      found.path = std::string(value);
    }
  }
  return found;
}

}  // namespace

bool CookieJar::Order::operator()(
    const std::pair<std::string, std::string>& a,
    const std::pair<std::string, std::string>& b) const {
  if (a.first.size() != b.first.size()) return a.first.size() > b.first.size();
  return a < b;
}

std::optional<CookieJar::Change> CookieJar::Apply(
    absl::string_view set_cookie, absl::string_view request_path,
    absl::Time now) {
  const std::vector<absl::string_view> parts = absl::StrSplit(set_cookie, ';');
  const auto equals = parts[0].find('=');
  if (equals == absl::string_view::npos) return std::nullopt;
  const std::string name(
      absl::StripAsciiWhitespace(parts[0].substr(0, equals)));
  if (name.empty()) return std::nullopt;

  const Attributes attributes = ParseAttributes(parts, now);
  Cookie cookie;
  cookie.value =
      std::string(absl::StripAsciiWhitespace(parts[0].substr(equals + 1)));
  if (attributes.max_age) {
    cookie.expires = *attributes.max_age;
  } else if (attributes.expires) {
    cookie.expires = *attributes.expires;
  }
  const auto key = std::make_pair(
      attributes.path.empty() ? DefaultPath(request_path) : attributes.path,
      name);
  if (cookie.expires <= now) {
    cookies_.erase(key);
    return Change{name, "", /*removed=*/true};
  }
  cookies_[key] = cookie;
  return Change{name, cookie.value, /*removed=*/false};
}

std::string CookieJar::Header(absl::string_view path, absl::Time now) const {
  std::string header;
  for (const auto& [key, cookie] : cookies_) {
    if (cookie.expires <= now || !PathMatches(key.first, path)) continue;
    absl::StrAppend(&header, header.empty() ? "" : "; ", key.second, "=",
                    cookie.value);
  }
  return header;
}

std::optional<std::string> CookieJar::Value(absl::string_view name,
                                            absl::Time now) const {
  for (const auto& [key, cookie] : cookies_) {
    if (key.second == name && cookie.expires > now) return cookie.value;
  }
  return std::nullopt;
}

}  // namespace sessionmesh::driver
