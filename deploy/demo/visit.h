#ifndef DEPLOY_DEMO_VISIT_H_
#define DEPLOY_DEMO_VISIT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/cookies.h"
#include "proto/session.pb.h"

// Not part of our interface, but of the layout of the objects of Debian's
// library.
#include "httplib.h"

namespace sessionmesh::demo {

// What all requests of one demo server share. Must outlive them.
struct Store {
  client::Client* client;
  const client::SessionCookies* cookies;
};

// One HTTP request's use of its session, and the only place where cookies,
// tokens and the headers for scripts are made:
//
//   Visit visit(store, request);
//   auto session = visit.Read();
//   if (session.ok()) visit.Change({.set = {{"a", "1"}}});
//   visit.Finish(&response);
//
// Several calls may follow each other; each presents the token of the one
// before. Finish writes, once,
//   Set-Cookie        the token of the last reply, and a changed session id
//   X-Node            the node that gave the last reply
//   X-Caught-Up       1: a node had to wait or fetch because of the token
//   X-Degraded        1: a reply admitted to fewer guarantees than asked for
//   X-Session         "begun" when this request began a session, "none" when
//                     the one that the cookie names is not there (any more)
//   X-Tokens-Ignored  token cookies too many for one request, if any
//
// A session that is not found leaves the cookies alone: the answer may be late,
// and the browser may have begun another one meanwhile. A Begin or Rotate that
// fails although it is applied (too few nodes have it yet) writes them all the
// same: the old id opens nothing any more. Used by one thread.
class Visit {
 public:
  Visit(const Store& store, const httplib::Request& request);

  bool has_session() const { return !id_.empty(); }
  // The session that the cookie names was not found.
  bool session_is_gone() const { return session_is_gone_; }

  absl::StatusOr<v1::Session> Read();
  absl::Status Change(const client::UpdateOptions& options);
  absl::StatusOr<v1::Session> Begin(const client::CreateOptions& options);
  // The same session under a new id; the old one opens nothing any more.
  absl::StatusOr<v1::Session> Rotate(const client::RotateOptions& options);
  // Ends the session on every live node. OK also when it has ended already, and
  // then, too, the cookies go: whoever logs out wants them gone, and an id that
  // a rotation has ended would have found its session.
  absl::Status End();

  void Finish(httplib::Response* response) const;

  // The token of the last reply, or "": a name for the version seen.
  const std::string& version() const { return last_.token(); }
  const std::string& node() const { return last_.node(); }
  bool caught_up() const { return caught_up_; }
  const std::string& degraded_reason() const { return degraded_reason_; }

 private:
  enum class Outcome { kNothing, kAnswered, kBegun, kRotated, kEnded, kForget };

  void Note(const v1::ReplyInfo& info, Outcome outcome);
  // Lets go of tokens that this store will never be able to satisfy.
  absl::Status NoteError(absl::Status status);
  // Of a Begin or Rotate; `outcome` if it is applied all the same.
  absl::Status NoteMoved(absl::Status status, Outcome outcome);
  std::vector<std::string> SetCookies() const;

  const Store store_;
  const client::Presented presented_;
  std::string id_;
  client::Tokens tokens_;
  Outcome outcome_ = Outcome::kNothing;
  bool session_is_gone_ = false;
  v1::ReplyInfo last_;
  bool caught_up_ = false;
  std::string degraded_reason_;
};

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_VISIT_H_
