#ifndef CLIENT_COOKIES_H_
#define CLIENT_COOKIES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/tokens.h"

namespace sessionmesh::client {

// Keeps a session id and its causal tokens in a browser's cookies, right also
// when several answers are on their way to one browser at once (tabs, images,
// fetch). Strings in, strings out; no gRPC.
//
//   auto in = cookies.Parse(request.header("Cookie"));
//   auto got = client.Get(in.session_id, in.tokens);
//   for (const std::string& value : cookies.Answer(in, got->info().token()))
//     response.add_header("Set-Cookie", value);
//
// Layout, for the name "sid":
//   sid=<id>[.<family>]         written by Begin and Rotated only
//   sid_t<hash>=<family>.<token>  one for each token that no other covers yet;
//                                 the hash is that of the value
//
// Why a name per token. An answer knows which tokens its request presented, not
// what the browser hears meanwhile. With one fixed name, or one per node, the
// answer that arrives last wins: two answers of one node that arrive swapped,
// or of two nodes that share a name, and the browser forgets what it has seen.
// Here the name is a hash of the value, so different tokens never overwrite
// each other, and an answer takes away exactly the tokens that its request
// presented: its own token covers them, as a node answers a SESSION read or a
// write only after it has seen everything the presented tokens name.
//
// Invariant: after every delivery, in any order, some token in the jar covers
// each token ever delivered. Proof: a delivery adds T and removes only what T
// covers. A late copy of a removed token brings back a covered token, which is
// redundant and goes with the next answer; a late removal of X comes in the
// same answer as, or after, a token that covers X.
//
// Bound: a request sent after a token arrived takes it away, so the jar holds
// at most one token more than answers were in flight together; answers with
// equal tokens (reads) share one cookie. Four fixed names, or any fixed number,
// would have to overwrite what is not covered. The price is that names are not
// known beforehand; they share the prefix `<name>_t`.
//
// Why a family. Tokens of one session mean nothing to another. Answers still on
// their way when the user logs out and in again must not leave tokens with the
// new session, so each token cookie names the session it belongs to: a hash of
// the id that the session began with, kept over rotations.
//
// What can still slip through:
//   - A request with more than kTokensMax tokens presents the last kTokensMax;
//     for this one request the others count for nothing. `Presented.ignored`
//     says how many; count it. They stay in the jar and are presented later.
//   - A request that the browser sends between two Set-Cookie lines of one
//     answer: the session line is first and the removals last, so it presents
//     too much or, right after a login, no token.
//   - The session cookie itself has one name, so the last of two logins wins,
//     and a logout's answer that arrives after that of a later login ends the
//     cookie of that login.
//   - Two of a browser's tokens with the same 48-bit hash; cookies that a
//     browser evicts.
//
// Thread-safe (immutable).

struct CookieOptions {
  // Letters, digits, '-' and '_'. "__Host-..." and "__Secure-..." need
  // `secure`.
  std::string name = "sid";
  std::string path = "/";
  bool secure = false;  // set it wherever the site speaks HTTPS
  // Zero: until the browser closes. At least the absolute lifetime of the
  // sessions, or the tokens and the id end before the session does.
  absl::Duration max_age = absl::ZeroDuration();
};

// What one request's Cookie header said.
struct Presented {
  std::string session_id;   // "" when there is none
  Tokens tokens;            // for the calls that serve the request
  std::size_t ignored = 0;  // tokens of this session beyond kTokensMax

  // For the functions below.
  std::string family;
  std::vector<std::string>
      covered;  // names of the cookies behind `tokens`, in the same order
  std::vector<std::string>
      leftover;  // names of token cookies of other sessions
};

// Whether the token of an answer covers the tokens presented: yes, unless the
// calls behind it asked for LOCAL consistency or none of them was given the
// tokens.
enum class Covers { kPresented, kNothing };

class SessionCookies {
 public:
  // INVALID_ARGUMENT for a name, path or age that no browser would take.
  static absl::StatusOr<SessionCookies> Make(CookieOptions options = {});

  // Reads the value of a Cookie header ("" when there is none). Never fails:
  // what is not well-formed, too long or not ours is passed over. Of two
  // session cookies the first counts.
  Presented Parse(absl::string_view cookie_header) const;

  // Each returns the values of Set-Cookie headers, to be sent in this order.

  // After Get, Touch, Update: keeps `token`, removes what it covers. Never
  // writes the session cookie: an answer that is late must not undo a login, a
  // rotation or a logout.
  std::vector<std::string> Answer(const Presented& presented,
                                  absl::string_view token,
                                  Covers covers = Covers::kPresented) const;
  // After Create: the browser is in the new session from now on; tokens of the
  // old one go.
  std::vector<std::string> Begin(const Presented& presented,
                                 absl::string_view session_id,
                                 absl::string_view token) const;
  // After Rotate: the same session under its new id.
  std::vector<std::string> Rotated(const Presented& presented,
                                   absl::string_view new_session_id,
                                   absl::string_view token) const;
  // After Delete. Not after NOT_FOUND: a request that was on its way with the
  // old id while another rotated it gets NOT_FOUND, and ending the cookie would
  // log that user out; answer it as anonymous and leave the cookies as they
  // are.
  std::vector<std::string> End(const Presented& presented) const;
  // After REASON_INVALID_TOKEN (damaged, or the cluster key was changed) and
  // REASON_WRITE_LOST: removes the tokens presented. `token` is that of the
  // ErrorInfo, which names what survived; may be "".
  std::vector<std::string> Forget(const Presented& presented,
                                  absl::string_view token) const;

 private:
  explicit SessionCookies(CookieOptions options);

  std::string Set(absl::string_view name, absl::string_view value) const;
  std::string Expire(absl::string_view name) const;
  void AppendToken(absl::string_view family, absl::string_view token,
                   std::vector<std::string>* headers, std::string* name) const;
  void AppendExpiries(const std::vector<std::string>& names,
                      absl::string_view except,
                      std::vector<std::string>* headers) const;

  CookieOptions options_;
  std::string attributes_;    // what follows every value
  std::string token_prefix_;  // "<name>_t"
};

}  // namespace sessionmesh::client

#endif  // CLIENT_COOKIES_H_
