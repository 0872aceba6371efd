#ifndef TESTS_SIM_LEDGER_H_
#define TESTS_SIM_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "replication/context.h"
#include "replication/delta.h"
#include "replication/slot.h"
#include "tests/sim/bits.h"

namespace sessionmesh::sim {

using replication::Delta;
using replication::DeltaPtr;
using replication::Dot;
using replication::SlotId;

// One start of a process; never used again.
using ProcessNumber = uint64_t;

// A delta as it was minted, and what it knew of.
struct Minted {
  DeltaPtr delta;
  ProcessNumber by = 0;
  absl::Time at;     // true time
  size_t index = 0;  // in its slot, in the order of minting
  Bits past;  // indices of all deltas that it depends on, itself included
};

// A life as it must be, computed the dumb way: all ops of all deltas, less what
// they supersede.
struct ExpectedLife {
  struct Entry {
    absl::string_view name;  // of the ledger
    absl::string_view value;
    replication::Hlc hlc = 0;
  };
  absl::Time deadline;
  absl::Duration idle;
  std::map<Dot, Entry> entries;
  std::set<Dot> heads;

  std::set<std::string> Ids() const;
};
using ExpectedLives = std::map<Dot, ExpectedLife>;  // by birth

// What readers of one or several lives see.
struct ExpectedView {
  std::map<std::string, std::string> attributes;
  std::string user;
};

// The Ledger is the ghost of the simulation: it knows every delta that any
// process ever minted, from the moment at which it was minted, whether or not
// any other process ever heard of it. From it follows what every slot and every
// answer must be, without asking the code under test: a second, dumb
// implementation of the slot.
//
// Not thread-safe.
class Ledger {
 public:
  explicit Ledger(size_t slot_count) : slots_(slot_count) {}

  // To be called after every step of a process, before what it sends is sent.
  // What the slot covers and nobody did before was minted here and now. Returns
  // how many deltas were.
  size_t Observe(ProcessNumber process, SlotId slot,
                 const replication::Slot& state, absl::Time now);

  // Null when the dot was never minted.
  const Minted* Find(SlotId slot, const Dot& dot) const;
  const Minted& At(SlotId slot, size_t index) const {
    return *slots_[slot].minted[index];
  }
  size_t size(SlotId slot) const { return slots_[slot].minted.size(); }
  size_t size() const;

  // Deltas that put this value. Values of the workload are unique to one call,
  // so these are its tries.
  std::vector<const Minted*> WithValue(SlotId slot,
                                       const std::string& value) const;
  // KILLs that name this birth.
  const std::vector<const Minted*>& Kills(SlotId slot, const Dot& birth) const;

  // Everything that the dots know of; nothing when one was never minted.
  std::optional<Bits> Past(SlotId slot, absl::Span<const Dot> dots) const;

  // The lives that are left when exactly the deltas that `includes` picks have
  // been applied. Deadlines and idle times play no part.
  ExpectedLives Lives(SlotId slot,
                      const std::function<bool(const Minted&)>& includes) const;

  // Winners by (hlc, dot) over all given lives.
  static ExpectedView View(const std::vector<const ExpectedLife*>& lives);

  // Compares a delta that travels with what was minted, coalesced or not:
  // empty, or how they differ.
  std::string Compare(const Delta& delta) const;

  // Deltas that came to be unseen because the slot's log no longer held them.
  // Zero in a sound simulation.
  uint64_t unseen() const { return unseen_; }

 private:
  struct SlotLedger {
    std::vector<std::unique_ptr<Minted>> minted;
    std::map<Dot, const Minted*> by_dot;  // every dot of every delta
    std::map<std::string, std::vector<const Minted*>> by_value;
    std::map<Dot, std::vector<const Minted*>> kills;
    replication::Context all;
  };

  void Add(SlotLedger* slot, const DeltaPtr& delta, ProcessNumber by,
           absl::Time now);

  std::vector<SlotLedger> slots_;
  uint64_t unseen_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_LEDGER_H_
