#include "proto/frame.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/limits.h"

namespace sessionmesh::wire {
namespace {

constexpr uint8_t kMagic = 0xD5;
constexpr uint8_t kNoFlags = 0;
constexpr uint8_t kNotEncrypted = 0;

// Which version of the frame and of the body in it this build writes.
constexpr uint8_t kVersion = kProtocolMax;

uint8_t ByteAt(absl::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

uint64_t HashIn(absl::string_view datagram) {
  uint64_t hash = 0;
  for (size_t i = 4; i < kFrameBytes; ++i) {
    hash = hash << 8 | ByteAt(datagram, i);
  }
  return hash;
}

}  // namespace

void AppendFrame(uint64_t cluster_hash, std::string* out) {
  for (uint8_t byte : {kMagic, kVersion, kNoFlags, kNotEncrypted}) {
    out->push_back(static_cast<char>(byte));
  }
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(cluster_hash >> shift & 0xff));
  }
}

absl::StatusOr<absl::string_view> OpenFrame(uint64_t cluster_hash,
                                            absl::string_view datagram) {
  if (datagram.size() < kFrameBytes || datagram.size() > kDatagramBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("datagram has ", datagram.size(), " bytes; ", kFrameBytes,
                     " to ", kDatagramBytesMax, " are allowed"));
  }
  if (ByteAt(datagram, 0) != kMagic) {
    return absl::InvalidArgumentError(
        absl::StrFormat("datagram begins with 0x%02x, not with 0x%02x: not "
                        "from a node of sessionmesh",
                        ByteAt(datagram, 0), kMagic));
  }
  // Before anything else of the frame: what follows may mean something else in
  // another version.
  const uint8_t version = ByteAt(datagram, 1);
  if (version < kProtocolMin || version > kProtocolMax) {
    return absl::FailedPreconditionError(absl::StrCat(
        "datagram is of protocol version ", version, "; this node speaks ",
        kProtocolMin, " to ", kProtocolMax, ": upgrade the older node"));
  }
  if (HashIn(datagram) != cluster_hash) {
    return absl::FailedPreconditionError(
        absl::StrFormat("datagram is of another cluster, or of a node with "
                        "other constants (hash %016x; ours is %016x): give the "
                        "nodes the same --cluster-id, --slots, "
                        "--absolute-lifetime-max and --key-file, or other "
                        "addresses",
                        HashIn(datagram), cluster_hash));
  }
  if (ByteAt(datagram, 2) != kNoFlags) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "datagram has flags 0x%02x; none is defined", ByteAt(datagram, 2)));
  }
  if (ByteAt(datagram, 3) != kNotEncrypted) {
    return absl::InvalidArgumentError(absl::StrCat(
        "datagram has key id ", ByteAt(datagram, 3), "; only 0 is known"));
  }
  return datagram.substr(kFrameBytes);
}

}  // namespace sessionmesh::wire
