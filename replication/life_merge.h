#ifndef REPLICATION_LIFE_MERGE_H_
#define REPLICATION_LIFE_MERGE_H_

#include "replication/context.h"
#include "replication/delta.h"
#include "replication/life.h"

namespace sessionmesh::replication {

// What a delta and what a state transfer make of one life: the CRDT's two
// rules, as pure functions. Which life, whether it is dead, and whether the
// delta has to wait is decided by the Slot.
//
// An id that leaves the life on either way goes to its ended ids (rule A4), so
// that at every replica
//
//   ended = dots of all ids ever given to it - dots of "\0id" now
//
// of which the greatest kEndedIdsMax are kept.

// The life that a CREATE (or a group that begins with one) makes. REQUIRES:
// create.kind == kCreate and its birth is not in `covered`.
Life CreatedLife(const Delta& create, const Context& covered);

// `life` after the ops of `delta`. Ops whose own dot is in `covered` are
// skipped: a coalesced group may overlap what came before it (invariant I14).
// REQUIRES: the deps of `delta` are in `covered`.
Life UpdatedLife(const Life& life, const Delta& delta, const Context& covered);

// The join of two replicas' versions of one life, where a context says what
// each replica has seen: keeps (A and B) or (A minus ctxB) or (B minus ctxA),
// for heads and for entries apart. A dot may be a head or a birth and no longer
// an entry, so one list of live dots is not enough to decide this.
Life JoinedLife(const Life& mine, const Context& my_context, const Life& theirs,
                const Context& their_context);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_LIFE_MERGE_H_
