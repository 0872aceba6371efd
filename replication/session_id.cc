#include "replication/session_id.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {
namespace {

constexpr size_t kSlotBytes = 2;
constexpr size_t kBodyBytes = kSlotBytes + std::tuple_size_v<IdEntropy>;
constexpr size_t kMacBytes = 4;
constexpr size_t kNativeChars = 30;

bool LooksNative(absl::string_view id) {
  return id.size() == kNativeChars &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '_';
         });
}

// The first bytes of the hash of slot and random.
std::string Mac(absl::string_view body, const KeyedHash& key) {
  const uint64_t hash = key.Hash("id", body);
  std::string mac;
  for (size_t i = 0; i < kMacBytes; ++i) {
    mac.push_back(static_cast<char>(hash >> (56 - 8 * i)));
  }
  return mac;
}

absl::Status CheckLength(absl::string_view id) {
  if (id.size() >= SessionIds::kForeignBytesMin &&
      id.size() <= SessionIds::kForeignBytesMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "session id has ", id.size(), " bytes; use ",
      SessionIds::kForeignBytesMin, " to ", SessionIds::kForeignBytesMax,
      " bytes, or create without an id and take the one of the reply"));
}

}  // namespace

SessionIds::SessionIds(uint32_t slot_count, const KeyedHash* key)
    : slot_count_(slot_count), key_(key) {
  CHECK(slot_count >= 1 && slot_count <= 65536 &&
        (slot_count & (slot_count - 1)) == 0)
      << slot_count;
}

std::string SessionIds::MakeNative(SlotId slot,
                                   const IdEntropy& entropy) const {
  CHECK_LT(slot, slot_count_);
  std::string bytes;
  bytes.reserve(kBodyBytes + kMacBytes);
  bytes.push_back(static_cast<char>(slot >> 8));
  bytes.push_back(static_cast<char>(slot));
  bytes.append(entropy.begin(), entropy.end());
  bytes.append(Mac(bytes, *key_));
  return absl::WebSafeBase64Escape(bytes);
}

IdEntropy SessionIds::EntropyOfRequest(absl::string_view request_id) const {
  const uint64_t halves[] = {key_->Hash("rotate-high", request_id),
                             key_->Hash("rotate-low", request_id)};
  IdEntropy entropy;
  for (size_t i = 0; i < entropy.size(); ++i) {
    entropy[i] = static_cast<uint8_t>(halves[i / 8] >> (56 - 8 * (i % 8)));
  }
  return entropy;
}

absl::StatusOr<SlotId> SessionIds::SlotOf(absl::string_view id) const {
  if (absl::Status status = CheckLength(id); !status.ok()) return status;
  if (!LooksNative(id)) {
    return static_cast<SlotId>(StableHash(id) & (slot_count_ - 1));
  }
  const absl::Status unknown = absl::NotFoundError(
      "session id was not made by this cluster; create a session");
  std::string bytes;
  // The last character has four bits to spare: one id, one spelling.
  if (!absl::WebSafeBase64Unescape(id, &bytes) ||
      absl::WebSafeBase64Escape(bytes) != id) {
    return unknown;
  }
  const absl::string_view all(bytes);
  if (all.substr(kBodyBytes) != Mac(all.substr(0, kBodyBytes), *key_)) {
    return unknown;
  }
  const auto slot = static_cast<SlotId>(static_cast<uint8_t>(bytes[0]) << 8 |
                                        static_cast<uint8_t>(bytes[1]));
  // Authentic, but made when the cluster had more slots.
  if (slot >= slot_count_) return unknown;
  return slot;
}

absl::Status SessionIds::CheckForeign(absl::string_view id) const {
  if (absl::Status status = CheckLength(id); !status.ok()) return status;
  if (LooksNative(id)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "session id has ", kNativeChars,
        " characters of base64url, which is kept for the ids that this cluster "
        "makes; use another "
        "length, or create without an id and take the one of the reply"));
  }
  return absl::OkStatus();
}

std::string SessionHash(absl::string_view id) {
  return absl::StrFormat("%012x", Mix64(StableHash(id)) >> 16);
}

}  // namespace sessionmesh::replication
