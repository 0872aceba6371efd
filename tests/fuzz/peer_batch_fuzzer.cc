#include <cstddef>
#include <cstdint>

#include "tests/proto/stability.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sessionmesh::wire::testing::CheckPeerBatchStable(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
