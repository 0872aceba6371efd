#ifndef TESTS_REPLICATION_SLOT_WORLD_H_
#define TESTS_REPLICATION_SLOT_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "membership/random.h"
#include "replication/slot.h"
#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {

// A rule of the protocol that the world breaks on purpose, to see that the
// checks would notice. Those of the replicas themselves cannot be broken from
// outside; tests/model has them.
enum class Mutant {
  kNone,
  kTornSnapshot,    // some lives of a transfer are missing, its context whole
  kNonAtomic,       // context and lives of a transfer are of different moments
  kForeignFilter,   // a transfer was filtered with a context that is gone
  kNoDeps,          // updates do not name what they depend on
  kCounterReset,    // a restarted process goes on under its old actor
  kRotateKeepsOld,  // a rotation does not name the ids that it replaces
  kRotateRebirth,   // a rotation is a KILL and a CREATE
  kNameOne,         // only one of several lives of an id is named
  kMergeAnyDeps,    // coalescing ignores deps
  kMergeRotate,     // coalescing takes ROTATEs
  kEarlyCover,      // a parked delta is taken for an applied one
};

// SlotWorld runs three replicas of one slot under clients, losses, duplicates,
// any order of delivery, coalescing, transfers that travel, logs and restarts
// with amnesia, all drawn from one seed; and compares each replica with Spec()
// after each step that may have changed it.
class SlotWorld {
 public:
  SlotWorld(uint64_t seed, Mutant mutant);

  // Runs the whole story. Returns what went wrong, or nothing.
  std::string Run();

  // How much happened, to see that a run means something.
  std::map<std::string, int> counts;

 private:
  struct Replica {
    std::unique_ptr<Slot> slot;
    std::unique_ptr<DeltaWriter> writer;
    int generation = 0;
    std::set<Dot> killed;  // births whose KILL it has applied
    uint64_t checked = 0;  // Fingerprint() at the last check
  };
  struct Sent {
    size_t to;
    size_t from;
    DeltaPtr delta;
  };
  struct Travelling {
    size_t to;
    size_t from;
    int generation;  // of the receiver when it asked
    Snapshot snapshot;
  };

  void Step();
  void Client();
  void Mint(size_t at, DeltaPtr delta);
  void Create(size_t at, const std::string& id);
  void Kill(size_t at, const std::string& id);
  std::string NewId();
  void Rotate(size_t at, const std::string& id);
  void Send(size_t from, size_t to, const DeltaPtr& delta);
  DeltaPtr Mutated(const DeltaPtr& delta) const;
  bool MayMerge(const Delta& group, const Delta& next) const;
  void Deliver();
  void Sync(size_t from, size_t to);
  void ArriveSnapshot();
  void Restart();
  void Receive(size_t at, const DeltaPtr& delta, size_t from);
  void Join(size_t at, const Snapshot& snapshot, size_t from);
  void Heal();

  void CheckIfChanged(size_t at);
  void Check(size_t at);
  void CheckIds(size_t at, const std::vector<DeltaPtr>& applied);
  void CheckPair(size_t a, size_t b);
  std::vector<DeltaPtr> Applied(size_t at) const;
  void Fail(const std::string& what);
  AttributeChanges SomeChanges();

  Random random_;
  Mutant mutant_;
  std::vector<Replica> replicas_;
  // Drawn once per world: no single mix meets everything.
  uint64_t foreign_percent_;  // how many calls name a foreign id
  uint64_t deliver_percent_;  // how many steps deliver a message
  uint64_t stay_percent_;     // how many calls stay at the last replica
  size_t client_at_ = 0;
  std::vector<DeltaPtr> minted_;  // none coalesced
  // What clients meant, whatever the deltas say: the CREATE that a life goes
  // back to, and of each logout the CREATEs that it has ended.
  std::map<Dot, Dot> root_;
  std::map<Dot, std::set<Dot>> logouts_;  // by the KILL's dot
  std::vector<std::string> ids_;
  std::map<std::string, std::string> rotated_to_;  // by the latest rotation
  std::vector<Sent> sent_;
  std::vector<Travelling> travelling_;
  uint64_t actors_ = 0;
  int native_ = 0;
  int values_ = 0;
  std::string failure_;
};

}  // namespace sessionmesh::replication

#endif  // TESTS_REPLICATION_SLOT_WORLD_H_
