#ifndef REPLICATION_LIVE_HASH_H_
#define REPLICATION_LIVE_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// LiveHash summarises a set of live dots in 128 bits: the sum of a fixed mix of
// each, so adding and removing one dot is O(1) and order does not matter
// (AdHash, Bellare and Micciancio 1997).
//
// Two replicas of a slot with equal contexts and equal hashes hold the same
// state, because a dot fixes its value. It finds bugs and damage, not
// attackers: the mix is not keyed.
struct LiveHash {
  uint64_t high = 0;
  uint64_t low = 0;

  void Add(const Dot& dot);
  void Remove(const Dot& dot);

  bool operator==(const LiveHash&) const = default;
};

// A strong 64-bit finaliser (splitmix64), shared by the hashes of this folder.
uint64_t Mix64(uint64_t x);

// 64-bit hash of bytes, the same in every process: FNV-1a folded through Mix64.
uint64_t StableHash(absl::string_view bytes);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_LIVE_HASH_H_
