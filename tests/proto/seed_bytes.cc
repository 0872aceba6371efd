#include "tests/proto/seed_bytes.h"

#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "proto/wire.h"
#include "replication/token.h"
#include "tests/proto/random_values.h"
#include "tests/proto/stability.h"

namespace sessionmesh::wire::testing {

std::string DatagramBytes(uint64_t seed) {
  return EncodeDatagram(RandomValues(seed).Datagram(), kCluster);
}

std::string PeerBatchBytes(uint64_t seed) {
  RandomValues values(seed);
  v1::PeerBatch batch;
  *batch.mutable_info() = EncodeNodeInfo(values.InfoOf(values.Sender()));
  const uint32_t lane = values.Lane();
  for (size_t i = 0; i < 3; ++i) {
    const size_t alternative =
        (seed + i) % std::variant_size_v<replication::Message>;
    EncodeLaneMessage(lane, values.Message(alternative, lane),
                      batch.add_messages());
  }
  return batch.SerializeAsString();
}

std::string TokenBytes(uint64_t seed) {
  Random random(seed);
  std::vector<replication::Dot> dots;
  for (uint64_t n = 1 + random.Below(3); n > 0; --n) {
    dots.push_back({random.Next(), 1 + random.Below(1000)});
  }
  return replication::EncodeToken(kTokenSlot, dots, TokenKey());
}

std::string TokenBodyBytes(uint64_t seed) {
  std::string bytes;
  absl::WebSafeBase64Unescape(TokenBytes(seed), &bytes);
  bytes.resize(bytes.size() - 8);
  return bytes;
}

}  // namespace sessionmesh::wire::testing
