#ifndef REPLICATION_ACTOR_DIRECTORY_H_
#define REPLICATION_ACTOR_DIRECTORY_H_

#include <map>
#include <vector>

#include "replication/message.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// ActorDirectory knows which process of which node each actor is, so that an
// error can name the writer that is missing and so that a lost write can be
// told from a late one. Learnt from Hello messages; bounded: the actors with
// the latest epochs stay.
class ActorDirectory {
 public:
  explicit ActorDirectory(size_t entries_max = kActorHomesMax)
      : entries_max_(entries_max) {}

  void Learn(const ActorHome& home);

  // Null when the actor is unknown.
  const ActorHome* Find(ActorId actor) const;

  // All that is known, those of `first` before all others: what a Hello
  // carries.
  std::vector<ActorHome> List(ProcessId first) const;

 private:
  size_t entries_max_;
  std::map<ActorId, ActorHome> homes_;  // an actor id sorts by its epoch
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_ACTOR_DIRECTORY_H_
