#include "client/cookies.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sessionmesh::client {
namespace {

constexpr absl::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kFamilySize = 6;     // 36 bits: a user has few sessions
constexpr std::size_t kTokenNameSize = 8;  // 48 bits
constexpr std::size_t kIdSizeMin = 16;     // bytes, proto/session.proto
constexpr std::size_t kIdSizeMax = 256;
constexpr std::size_t kLeftoversMax =
    32;  // bounds the answer to a jar full of strangers' cookies

// FNV-1a with the finalizer of MurmurHash3, so that the low bits depend on all
// of the input. Not a secret and not a check: forging one's own cookie names
// gains nothing, tokens carry a MAC.
std::string Hash(absl::string_view text, std::size_t size) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  h ^= h >> 33;
  std::string out;
  for (std::size_t i = 0; i < size; ++i, h >>= 6) {
    out.push_back(kBase64Url[h & 63]);
  }
  return out;
}

bool IsBase64Url(absl::string_view text) {
  return text.find_first_not_of(kBase64Url) == absl::string_view::npos;
}

// '.' is escaped too: it separates the id from the family.
std::string EscapeId(absl::string_view id) {
  std::string out;
  for (const char c : id) {
    if (absl::StrContains(kBase64Url, c)) {
      out.push_back(c);
    } else {
      absl::StrAppend(
          &out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

std::optional<std::string> UnescapeId(absl::string_view text) {
  std::string id;
  while (!text.empty()) {
    if (absl::ConsumePrefix(&text, "%")) {
      if (text.size() < 2 ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(text[0])) ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(text[1]))) {
        return std::nullopt;
      }
      id += absl::HexStringToBytes(text.substr(0, 2));
      text.remove_prefix(2);
    } else if (absl::StrContains(kBase64Url, text[0])) {
      id.push_back(text[0]);
      text.remove_prefix(1);
    } else {
      return std::nullopt;
    }
    if (id.size() > kIdSizeMax) {
      return std::nullopt;
    }
  }
  return id.size() < kIdSizeMin ? std::nullopt
                                : std::make_optional(std::move(id));
}

struct SessionValue {
  std::string id;
  std::string family;
};

// "<id>" for a session that was never rotated, "<id>.<family>" afterwards.
std::optional<SessionValue> ParseSession(absl::string_view value) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits('.', 1));
  const bool rotated = absl::StrContains(value, '.');
  std::optional<std::string> id = UnescapeId(parts.first);
  if (!id || (rotated && (parts.second.size() != kFamilySize ||
                          !IsBase64Url(parts.second)))) {
    return std::nullopt;
  }
  std::string family =
      rotated ? std::string(parts.second) : Hash(*id, kFamilySize);
  return SessionValue{std::move(*id), std::move(family)};
}

struct TokenCookie {
  std::string name;
  std::string family;
  std::string token;
};

std::optional<TokenCookie> ParseToken(absl::string_view name,
                                      absl::string_view hash,
                                      absl::string_view value) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits('.', 1));
  const absl::string_view token = parts.second;
  if (hash.size() != kTokenNameSize || parts.first.size() != kFamilySize ||
      token.empty() || token.size() > kTokenSizeMax ||
      !IsBase64Url(parts.first) || !IsBase64Url(token) ||
      Hash(value, kTokenNameSize) != hash) {
    return std::nullopt;
  }
  return TokenCookie{std::string(name), std::string(parts.first),
                     std::string(token)};
}

bool IsCookieName(absl::string_view name) {
  return !name.empty() && IsBase64Url(name);
}

bool IsCookiePath(absl::string_view path) {
  return absl::StartsWith(path, "/") &&
         std::none_of(path.begin(), path.end(),
                      [](char c) { return c == ';' || c < 0x21; });
}

}  // namespace

absl::StatusOr<SessionCookies> SessionCookies::Make(CookieOptions options) {
  if (!IsCookieName(options.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cookie name \"", absl::CEscape(options.name),
                     "\": use letters, digits, '-' and '_', at least one"));
  }
  if (!IsCookiePath(options.path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cookie path \"", absl::CEscape(options.path),
        "\": use printable ASCII without ';', beginning with '/'"));
  }
  const bool host = absl::StartsWith(options.name, "__Host-");
  if ((host || absl::StartsWith(options.name, "__Secure-")) &&
      !options.secure) {
    return absl::InvalidArgumentError(
        absl::StrCat("cookie name \"", options.name,
                     "\": browsers take this prefix only with secure = true"));
  }
  if (host && options.path != "/") {
    return absl::InvalidArgumentError(
        absl::StrCat("cookie name \"", options.name,
                     "\": browsers take __Host- only with path \"/\", it is \"",
                     options.path, "\""));
  }
  if (options.max_age < absl::ZeroDuration() ||
      options.max_age == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cookie max_age ", absl::FormatDuration(options.max_age),
        ": use a finite age, or zero for until the browser closes"));
  }
  return SessionCookies(std::move(options));
}

SessionCookies::SessionCookies(CookieOptions options)
    : options_(std::move(options)),
      attributes_(absl::StrCat("; Path=", options_.path,
                               "; HttpOnly; SameSite=Lax",
                               options_.secure ? "; Secure" : "")),
      token_prefix_(absl::StrCat(options_.name, "_t")) {}

Presented SessionCookies::Parse(absl::string_view cookie_header) const {
  std::optional<SessionValue> session;
  std::vector<TokenCookie> found;
  for (const absl::string_view pair : absl::StrSplit(cookie_header, ';')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    absl::string_view value = absl::StripAsciiWhitespace(parts.second);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    absl::string_view hash = name;
    if (name == options_.name && !session) {
      session = ParseSession(value);
    } else if (absl::ConsumePrefix(&hash, token_prefix_)) {
      if (auto token = ParseToken(name, hash, value)) {
        const bool repeated = std::any_of(found.begin(), found.end(),
                                          [&](const TokenCookie& other) {
                                            return other.name == token->name;
                                          });
        if (!repeated) {
          found.push_back(*std::move(token));
        }
      }
    }
  }

  Presented presented;
  if (session) {
    presented.session_id = std::move(session->id);
    presented.family = std::move(session->family);
  }
  // From the last to the first: browsers send older cookies first, and the
  // newest tokens are the most likely to cover others. Nothing but the choice
  // of the ignored depends on that order.
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    if (it->family != presented.family) {
      if (presented.leftover.size() < kLeftoversMax) {
        presented.leftover.push_back(std::move(it->name));
      }
    } else if (presented.tokens.size() < kTokensMax) {
      presented.tokens.push_back(std::move(it->token));
      presented.covered.push_back(std::move(it->name));
    } else {
      ++presented.ignored;
    }
  }
  return presented;
}

std::vector<std::string> SessionCookies::Answer(const Presented& presented,
                                                absl::string_view token,
                                                Covers covers) const {
  std::vector<std::string> headers;
  if (presented.family.empty()) {
    return headers;  // the browser has no session that the token could belong
                     // to
  }
  std::string own;
  if (!token.empty()) {
    // A token that was presented needs no writing: it is in the jar, or covered
    // by what replaced it.
    const bool known =
        std::find(presented.tokens.begin(), presented.tokens.end(), token) !=
        presented.tokens.end();
    std::vector<std::string> discarded;
    AppendToken(presented.family, token, known ? &discarded : &headers, &own);
  }
  if (covers == Covers::kPresented && !token.empty()) {
    AppendExpiries(presented.covered, own, &headers);
  }
  AppendExpiries(presented.leftover, own, &headers);
  return headers;
}

std::vector<std::string> SessionCookies::Begin(const Presented& presented,
                                               absl::string_view session_id,
                                               absl::string_view token) const {
  std::vector<std::string> headers = {Set(options_.name, EscapeId(session_id))};
  std::string own;
  AppendToken(Hash(session_id, kFamilySize), token, &headers, &own);
  AppendExpiries(presented.covered, own, &headers);
  AppendExpiries(presented.leftover, own, &headers);
  return headers;
}

std::vector<std::string> SessionCookies::Rotated(
    const Presented& presented, absl::string_view new_session_id,
    absl::string_view token) const {
  if (presented.family.empty()) {
    return Begin(presented, new_session_id, token);
  }
  std::vector<std::string> headers = {
      Set(options_.name,
          absl::StrCat(EscapeId(new_session_id), ".", presented.family))};
  const std::vector<std::string> rest = Answer(presented, token);
  headers.insert(headers.end(), rest.begin(), rest.end());
  return headers;
}

std::vector<std::string> SessionCookies::End(const Presented& presented) const {
  std::vector<std::string> headers = {Expire(options_.name)};
  AppendExpiries(presented.covered, "", &headers);
  AppendExpiries(presented.leftover, "", &headers);
  return headers;
}

std::vector<std::string> SessionCookies::Forget(const Presented& presented,
                                                absl::string_view token) const {
  std::vector<std::string> headers;
  std::string own;
  if (!token.empty() && !presented.family.empty()) {
    AppendToken(presented.family, token, &headers, &own);
  }
  AppendExpiries(presented.covered, own, &headers);
  AppendExpiries(presented.leftover, own, &headers);
  return headers;
}

std::string SessionCookies::Set(absl::string_view name,
                                absl::string_view value) const {
  std::string header = absl::StrCat(name, "=", value, attributes_);
  if (options_.max_age > absl::ZeroDuration()) {
    // Rounded up: zero would mean "remove".
    absl::StrAppend(
        &header, "; Max-Age=",
        absl::ToInt64Seconds(absl::Ceil(options_.max_age, absl::Seconds(1))));
  }
  return header;
}

std::string SessionCookies::Expire(absl::string_view name) const {
  return absl::StrCat(name, "=", attributes_, "; Max-Age=0");
}

void SessionCookies::AppendToken(absl::string_view family,
                                 absl::string_view token,
                                 std::vector<std::string>* headers,
                                 std::string* name) const {
  const std::string value = absl::StrCat(family, ".", token);
  *name = absl::StrCat(token_prefix_, Hash(value, kTokenNameSize));
  headers->push_back(Set(*name, value));
}

void SessionCookies::AppendExpiries(const std::vector<std::string>& names,
                                    absl::string_view except,
                                    std::vector<std::string>* headers) const {
  for (const std::string& name : names) {
    if (name != except) {
      headers->push_back(Expire(name));
    }
  }
}

}  // namespace sessionmesh::client
