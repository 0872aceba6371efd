#include "replication/live_hash.h"

namespace sessionmesh::replication {
namespace {

// Two halves from unrelated constants, so that dots which collide in one differ
// in the other.
LiveHash MixOf(const Dot& dot) {
  return {
      .high = Mix64(Mix64(dot.actor ^ 0x6a09e667f3bcc908) + dot.counter),
      .low = Mix64(Mix64(dot.actor + 0xbb67ae8584caa73b) ^ dot.counter),
  };
}

}  // namespace

void LiveHash::Add(const Dot& dot) {
  const LiveHash mix = MixOf(dot);
  low += mix.low;
  high += mix.high + (low < mix.low ? 1 : 0);
}

void LiveHash::Remove(const Dot& dot) {
  const LiveHash mix = MixOf(dot);
  high -= mix.high + (low < mix.low ? 1 : 0);
  low -= mix.low;
}

uint64_t Mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint64_t StableHash(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  return Mix64(hash);
}

}  // namespace sessionmesh::replication
