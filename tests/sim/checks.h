#ifndef TESTS_SIM_CHECKS_H_
#define TESTS_SIM_CHECKS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/checker.h"

// The checkers, one file each, and what several of them ask.

namespace sessionmesh::sim {

// --- session guarantees (Terry and others, 1994), per client and session, for
// calls that presented the tokens
std::unique_ptr<Checker> MakeReadYourWrites();
std::unique_ptr<Checker> MakeMonotonicReads();
std::unique_ptr<Checker> MakeMonotonicWrites();
std::unique_ptr<Checker> MakeWritesFollowReads();

// --- answers
std::unique_ptr<Checker>
MakeTruthfulAnswers();  // exactly what the deltas behind the token make; token
                        // covers tokens
std::unique_ptr<Checker>
MakeHonestAcknowledgements();  // as many owners hold it as the reply says
std::unique_ptr<Checker>
MakeNoLostWrites();  // a write outlives the crashes it was promised to
std::unique_ptr<Checker> MakeNoZombies();  // a deleted session stays deleted
std::unique_ptr<Checker>
MakeCertainNotFound();  // NOT_FOUND only of what is gone
std::unique_ptr<Checker>
MakeCertainDataLoss();  // DATA_LOSS only of what died with its writer
std::unique_ptr<Checker> MakeTimelyExpiry();    // never early, never late
std::unique_ptr<Checker> MakeOncePerRequest();  // a retry changes nothing
std::unique_ptr<Checker>
MakeQuorumReads();  // a QUORUM read shows what QUORUM writes were
std::unique_ptr<Checker> MakeCalmAudit();  // after healing, readers get answers

// --- state
std::unique_ptr<Checker>
MakeSlotStates();  // store == f(set of deltas in the context)
std::unique_ptr<Checker>
MakeCausalClosure();  // contexts are causally closed and only grow
std::unique_ptr<Checker>
MakeLastCopies();  // a slot is dropped only when others have it
std::unique_ptr<Checker>
MakeEqualStates();  // equal contexts, equal live hashes
std::unique_ptr<Checker>
MakeUniqueDots();  // no dot minted twice, no actor shared
std::unique_ptr<Checker>
MakeBounds();  // queues, waiting calls, parked deltas, memory

// --- membership (I1 to I7 of its invariants)
std::unique_ptr<Checker> MakeMemberClaims();
std::unique_ptr<Checker> MakeMemberEvents();

// The life is known there and gone.
bool IsDeadAt(const Process& process, SlotId slot, const Dot& birth);

// Gone there, as good as gone by the node's clock, or rotated away from the id.
bool IsOver(const Process& process, SlotId slot, const Dot& birth,
            const std::string& id);

// How many processes hold this delta or held it when they ended.
struct Holders {
  size_t running = 0;
  size_t ended = 0;
};
Holders CountHolders(const Scene& scene, SlotId slot, const Dot& last);

// What this write of the workload made on the node that answered it; null when
// it made nothing.
const Minted* DeltaOf(const Scene& scene, const Operation& operation);

// In this step the process has ended lives of the slot because their rotations
// raced. The id is then answered by NOT_FOUND, whatever else goes by it.
bool RevokesNow(const Scene& scene, const Process& process, SlotId slot);

// Births of the lives that the dots belong to.
std::vector<Dot> BirthsOf(const Ledger& ledger, SlotId slot,
                          const std::vector<Dot>& dots);

// Births of the lives that ever held this id.
std::vector<Dot> BirthsOfId(const Ledger& ledger, SlotId slot,
                            const std::string& id);

// Empty when every delta that `known` names is in `past`, but for those of
// lives that have ended, at the node or at another that may have told the
// client, or that do not go by the id of the call any more (a foreign id may be
// used again); otherwise the first that is missing.
std::string Missing(const Scene& scene, const Process& process,
                    const Operation& operation, const Bits& known,
                    const Bits& past);

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_CHECKS_H_
