#include "node/random_bytes.h"

#include <sys/random.h>

#include <cerrno>

#include "glog/logging.h"

namespace sessionmesh::node {

void FillRandom(absl::Span<uint8_t> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = getrandom(out.data() + filled, out.size() - filled, 0);
    if (got < 0) {
      // Only EINTR can happen to a valid call; anything else is our bug.
      PCHECK(errno == EINTR) << "getrandom";
      continue;
    }
    filled += static_cast<size_t>(got);
  }
}

uint64_t RandomUint64() {
  uint64_t value = 0;
  FillRandom(absl::MakeSpan(reinterpret_cast<uint8_t*>(&value), sizeof(value)));
  return value;
}

}  // namespace sessionmesh::node
