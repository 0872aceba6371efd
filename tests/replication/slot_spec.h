#ifndef TESTS_REPLICATION_SLOT_SPEC_H_
#define TESTS_REPLICATION_SLOT_SPEC_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/delta.h"
#include "replication/slot.h"

namespace sessionmesh::replication {

// The state of a slot in plain containers, to compare and to print.
struct PlainLife {
  std::set<Dot> heads;
  std::map<std::pair<std::string, Dot>, std::string> entries;
  std::set<EndedId> ended;

  bool operator==(const PlainLife&) const = default;
};
using PlainState = std::map<Dot, PlainLife>;

PlainState StateOf(const Slot& slot);

// What a slot has to hold, as a pure function of the set of deltas it has
// applied: the specification, written without contexts, order or joins.
// `deltas` as they were minted, none coalesced.
PlainState Spec(const std::vector<DeltaPtr>& deltas);

std::string Describe(const PlainState& state);

// What a slot derives and keeps up step by step, worked out anew. Empty when
// all is right, else what is wrong.
std::string CheckDerived(const Slot& slot);

}  // namespace sessionmesh::replication

#endif  // TESTS_REPLICATION_SLOT_SPEC_H_
