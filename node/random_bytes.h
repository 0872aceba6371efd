#ifndef NODE_RANDOM_BYTES_H_
#define NODE_RANDOM_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace sessionmesh::node {

// Fills `out` from the kernel's cryptographic generator (getrandom).
// Thread-safe. Blocks only during the first seconds after boot, until the
// kernel has gathered its seed.
void FillRandom(absl::Span<uint8_t> out);

// 64 random bits, for instance a seed.
uint64_t RandomUint64();

// As a value: RandomBytes<16>().
template <size_t N>
std::array<uint8_t, N> RandomBytes() {
  std::array<uint8_t, N> bytes;
  FillRandom(absl::MakeSpan(bytes));
  return bytes;
}

}  // namespace sessionmesh::node

#endif  // NODE_RANDOM_BYTES_H_
