#ifndef REPLICATION_COMMAND_H_
#define REPLICATION_COMMAND_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "replication/session_id.h"

namespace sessionmesh::replication {

enum class Consistency : uint8_t { kLocal = 1, kSession = 2, kQuorum = 3 };
enum class Durability : uint8_t { kLocal = 1, kOne = 2, kQuorum = 3, kAll = 4 };

// Names one call or one watch between the shell and a lane. Chosen by the
// shell, unique in the lane while it is under way.
using CallHandle = uint64_t;

// One call of a client, already routed to the lane of its session.
struct Command {
  enum class Kind : uint8_t {
    kCreate = 1,
    kGet,
    kUpdate,
    kTouch,
    kDelete,
    kRotate
  };

  CallHandle handle = 0;
  Kind kind = Kind::kGet;
  std::string
      session_id;  // kCreate: chosen already, by the caller or by SessionIds
  // What SessionIds::SlotOf says of it, if whoever routed the call has asked:
  // it spares the lane a keyed hash.
  std::optional<SlotId> slot;
  std::vector<std::string> tokens;
  absl::Time deadline;  // steady clock

  Consistency consistency = Consistency::kSession;  // kGet
  bool peek = false;                                // kGet: not an access
  Durability durability = Durability::kOne;         // writes
  bool strict = false;
  std::string request_id;  // empty, or 16 bytes: the same for each retry
  // Another node that does not serve the slot has given it to this one. It goes
  // no further.
  bool forwarded = false;

  std::map<std::string, std::string> set;  // kCreate, kUpdate, kRotate
  std::vector<std::string> unset;          // kUpdate, kRotate
  std::optional<std::string> user;         // kCreate, kUpdate, kRotate
  absl::Duration idle;                     // kCreate; zero: the default
  absl::Duration absolute_lifetime;        // kCreate; zero: the default
  std::string if_version;                  // kUpdate
  std::vector<std::string> if_absent;      // kUpdate
  bool upsert = false;                     // kUpdate
  bool return_session = false;             // kUpdate
  // kRotate: the id that the session gets, native and of the same slot. For a
  // command with a request_id it comes from SessionIds::EntropyOfRequest.
  std::string new_session_id;
};

// A session as a client sees it: the winner of each attribute.
struct SessionView {
  std::string id;
  std::map<std::string, std::string> attributes;
  std::string user;
  absl::Duration idle;
  absl::Time last_access;
  absl::Time deadline;
};

// Why a call failed, for machines; the same words as sessionmesh.v1.Reason.
enum class Reason : uint8_t {
  kNone = 0,
  kSessionNotFound,
  kStale,
  kWriteLost,
  kPreconditionFailed,
  kAlreadyExists,
  kInvalidToken,
  kInvalidId,
  kInvalidField,
  kLimit,
  kNotReady,
  kDurabilityUnmet,
  kNoQuorum,
  kShuttingDown,
};

struct Failure {
  Reason reason = Reason::kNone;
  // Nothing was done here: these owners of the session's slot may be given the
  // call as it is, the first of them first. Empty for calls that were
  // forwarded.
  std::vector<membership::NodeName> forward_to;
  bool applied =
      false;  // the change is in effect here although the call failed
  membership::NodeName missing_writer;
  bool missing_writer_alive = false;
  uint64_t behind = 0;  // changes of that writer that are missing in the slot
  std::string limit_name;
  uint64_t limit = 0;
  uint64_t value = 0;
};

// The answer to one Command.
struct Reply {
  CallHandle handle = 0;
  absl::Status status;
  Failure failure;  // when !status.ok()
  // Successful calls but kDelete and plain kUpdate; also with
  // kPreconditionFailed and kWriteLost.
  std::optional<SessionView> session;
  std::string token;
  uint32_t replicas = 0;  // writes: owners known to hold it, this one included
  bool degraded = false;
  std::string degraded_reason;
  bool caught_up = false;  // had to wait for or to fetch what the token names
  bool created = false;    // kUpdate with upsert
};

// What a watcher is told: the session, or its end (then the watch is over).
struct WatchUpdate {
  enum class End : uint8_t {
    kNone = 0,
    kDeleted,
    kIdle,
    kDeadline,
    kRotated,
    kRevoked
  };
  CallHandle handle = 0;
  std::optional<SessionView> session;
  std::string token;
  End end = End::kNone;
  absl::Status status;  // not OK: the watch could not begin, or go on here
  // With such a status: where it may.
  std::vector<membership::NodeName> forward_to;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_COMMAND_H_
