#include "replication/token.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::replication {
namespace {

constexpr uint8_t kVersion = 1;
constexpr int kCountBits = 5;
constexpr size_t kMacBytes = 8;

void PutBigEndian(uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

// Takes 8 bytes off the front. REQUIRES: there are 8.
uint64_t TakeBigEndian(absl::string_view* in) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = value << 8 | static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
  }
  return value;
}

// False for what ends early, does not fit 64 bits or is longer than it needs
// to be.
bool TakeVarint(absl::string_view* in, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !in->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return byte != 0 || shift == 0;
  }
  return false;
}

uint64_t Mac(SlotId slot, absl::string_view body, const KeyedHash& key) {
  std::string data;
  data.reserve(2 + body.size());
  PutBigEndian(slot, 2, &data);
  data.append(body.data(), body.size());
  return key.Hash("token", data);
}

// The dots behind byte 0, or nothing if it is not what EncodeToken writes.
bool ParseDots(absl::string_view body, std::vector<Dot>* dots) {
  const auto head = static_cast<uint8_t>(body.front());
  const size_t count = head & ((1 << kCountBits) - 1);
  if (head >> kCountBits != kVersion || count < 1 || count > kTokenDotsMax) {
    return false;
  }
  body.remove_prefix(1);
  for (size_t i = 0; i < count; ++i) {
    Dot dot;
    if (body.size() < 8) return false;
    dot.actor = TakeBigEndian(&body);
    if (!TakeVarint(&body, &dot.counter) || dot.counter == 0) return false;
    if (!dots->empty() && dot <= dots->back()) return false;
    dots->push_back(dot);
  }
  return body.empty();
}

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "token ", why, "; read without a token and use the one of the reply"));
}

}  // namespace

std::string EncodeToken(SlotId slot, absl::Span<const Dot> dots,
                        const KeyedHash& key) {
  CHECK(!dots.empty() && dots.size() <= kTokenDotsMax) << dots.size();
  std::vector<Dot> sorted(dots.begin(), dots.end());
  SortUnique(&sorted);

  std::string bytes;
  bytes.push_back(static_cast<char>(kVersion << kCountBits | sorted.size()));
  for (const Dot& dot : sorted) {
    PutBigEndian(dot.actor, 8, &bytes);
    PutVarint(dot.counter, &bytes);
  }
  PutBigEndian(Mac(slot, bytes, key), kMacBytes, &bytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::vector<Dot>> DecodeToken(SlotId slot,
                                             absl::string_view token,
                                             const KeyedHash& key) {
  if (token.size() > kTokenCharsMax) {
    return Refused(absl::StrCat("has ", token.size(),
                                " characters, the limit is ", kTokenCharsMax));
  }
  if (token.size() < kTokenCharsMin) {
    return Refused(absl::StrCat("has only ", token.size(),
                                " characters, the least is ", kTokenCharsMin));
  }
  std::string bytes;
  // Encoding it again refuses the padding, the spaces and the stray last bits
  // that the decoder lets pass: one token, one spelling.
  if (!absl::WebSafeBase64Unescape(token, &bytes) ||
      absl::WebSafeBase64Escape(bytes) != token) {
    return Refused("is not base64url");
  }
  absl::string_view body(bytes);
  absl::string_view mac = body.substr(body.size() - kMacBytes);
  body.remove_suffix(kMacBytes);
  if (Mac(slot, body, key) != TakeBigEndian(&mac)) {
    return Refused("is damaged or belongs to another session");
  }
  std::vector<Dot> dots;
  if (!ParseDots(body, &dots)) return Refused("is of an unknown version");
  return dots;
}

}  // namespace sessionmesh::replication
