#ifndef NODE_IDENTITY_H_
#define NODE_IDENTITY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/member.h"

namespace sessionmesh::node {

// What a node remembers over restarts, in DIR/node-state:
//
//   sessiond node-state 1
//   name NAME
//   generation NUMBER
//   peer HOST:PORT          any number of them
//
// No session is in it. Losing the file does little harm: generations are at
// least the wall clock in milliseconds, so the next one is still higher.
struct NodeState {
  membership::NodeName name;
  membership::Generation generation = 0;
  // Where members of the cluster were last seen: a seed node that restarts
  // without --join finds its cluster again through them.
  std::vector<membership::Address> peers;

  bool operator==(const NodeState&) const = default;
};

inline constexpr size_t kStateFileBytesMax = 1 << 20;
inline constexpr size_t kStatePeersMax = 256;

std::string FormatNodeState(const NodeState& state);
// DATA_LOSS names the line that is wrong.
absl::StatusOr<NodeState> ParseNodeState(absl::string_view text);

// Identity is the state file of a running node. While it lives, it holds a lock
// on DIR/lock, so that no second process can be the same node.
//
// The file is replaced as a whole (written beside, fsync, rename), so a crash
// leaves the old or the new one. Not thread-safe.
class Identity {
 public:
  // Makes the directory and its parents if need be, takes the lock,
  // reads the file, and has written the next generation when it returns.
  //
  // FAILED_PRECONDITION: the directory cannot be used, another process holds
  // the lock, the file belongs to another name, or its generation is so far
  // ahead of `wall_now` that other nodes would not believe it. DATA_LOSS: the
  // file is damaged. Each says what to do.
  static absl::StatusOr<std::unique_ptr<Identity>> Open(
      const std::string& directory, const membership::NodeName& name,
      absl::Time wall_now);

  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const NodeState& state() const { return state_; }

  // Replaces the remembered peers; the first kStatePeersMax are kept. Does
  // nothing when they are the same.
  absl::Status SavePeers(std::vector<membership::Address> peers);

 private:
  Identity(std::string directory, int lock_file);
  absl::Status Load(const membership::NodeName& name, absl::Time wall_now);
  absl::Status Save() const;

  const std::string directory_;
  const int lock_file_;
  NodeState state_;
};

}  // namespace sessionmesh::node

#endif  // NODE_IDENTITY_H_
