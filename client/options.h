#ifndef CLIENT_OPTIONS_H_
#define CLIENT_OPTIONS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/retry.h"
#include "client/tokens.h"
#include "grpcpp/security/credentials.h"
#include "proto/session.pb.h"

namespace sessionmesh::client {

// What the calls of client.h take. Every field has a default; name those that
// differ:
//
//   client->Update(id, tokens, {.set = {{"cart", "3 apples"}},
//                               .durability = v1::DURABILITY_QUORUM});
//
// The fields mirror proto/session.proto, where their exact meaning stands.
// `timeout` is the budget of the whole call, retries included; absent:
// ClientOptions::timeout. `request_id` is for callers that retry a call
// themselves: 16 bytes, the same for every try; empty: the client makes one.
// (`= {}` on a field keeps -Wextra quiet about lists that leave it out.)

using Attributes = std::map<std::string, std::string>;

struct ClientOptions {
  // "host:port" or "unix:/absolute/path", the most wanted first: normally the
  // node beside the application. The others are asked only when it cannot be
  // reached or says that it cannot serve.
  std::vector<std::string> addresses = {"localhost:7400"};
  absl::Duration timeout = absl::Seconds(2);
  RetryPolicy retry = {};
  // Null: no encryption, as a node listens on loopback and on a Unix socket
  // only.
  std::shared_ptr<grpc::ChannelCredentials> credentials = {};
};

struct CreateOptions {
  std::string id = {};  // empty: the node chooses 128 random bits
  Attributes attributes = {};
  std::string user = {};
  std::optional<absl::Duration> idle_timeout =
      {};  // absent: the server's, 30 minutes
  std::optional<absl::Duration> absolute_lifetime =
      {};  // absent: the server's, 24 hours
  v1::Durability durability = v1::DURABILITY_DEFAULT;
  bool strict = false;
  std::string request_id = {};
  std::optional<absl::Duration> timeout = {};
};

struct GetOptions {
  // SESSION is asked for by name, not left to the server's default, because the
  // cookie helper may drop covered tokens only when the answer is certain to
  // cover them (cookies.h).
  v1::Consistency consistency = v1::CONSISTENCY_SESSION;
  bool strict = false;
  bool peek = false;  // does not count as an access
  std::optional<absl::Duration> timeout = {};
};

struct UpdateOptions {
  Attributes set = {};
  std::vector<std::string> unset = {};
  bool upsert = false;
  std::string if_version =
      {};  // a token; ABORTED unless the session is exactly there
  std::vector<std::string> if_absent = {};
  v1::Durability durability = v1::DURABILITY_DEFAULT;
  bool strict = false;
  std::optional<std::string> user = {};  // absent: unchanged
  bool return_session = false;
  std::string request_id = {};
  std::optional<absl::Duration> timeout = {};
};

struct TouchOptions {
  std::optional<absl::Duration> timeout = {};
};

struct DeleteOptions {
  v1::Durability durability =
      v1::DURABILITY_DEFAULT;  // the server's default for Delete: QUORUM
  bool strict = false;
  std::string request_id = {};
  std::optional<absl::Duration> timeout = {};
};

struct RotateOptions {
  Attributes set = {};
  std::vector<std::string> unset = {};
  v1::Durability durability = v1::DURABILITY_DEFAULT;
  bool strict = false;
  std::optional<std::string> user = {};
  std::string request_id = {};
  std::optional<absl::Duration> timeout = {};
};

}  // namespace sessionmesh::client

#endif  // CLIENT_OPTIONS_H_
