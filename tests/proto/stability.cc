#include "tests/proto/stability.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "proto/wire.h"
#include "replication/session_id.h"
#include "replication/token.h"
#include "tests/proto/random_values.h"
#include "tests/support/fake_keyed_hash.h"

namespace sessionmesh::wire::testing {
namespace {

using replication::Dot;

bool CheckLaneMessageStable(v1::LaneMessage* proto) {
  const absl::StatusOr<LaneMessage> first =
      DecodeLaneMessage(std::move(*proto), kContext);
  if (!first.ok()) {
    CHECK(first.status().code() == absl::StatusCode::kInvalidArgument)
        << first.status();
    return false;
  }
  v1::LaneMessage again;
  EncodeLaneMessage(first->lane, first->message, &again);
  const std::string bytes = again.SerializeAsString();
  const absl::StatusOr<LaneMessage> second =
      DecodeLaneMessage(std::move(again), kContext);
  CHECK(second.ok()) << second.status();
  CHECK(second->lane == first->lane);
  CHECK(Same(first->message, second->message));
  EncodeLaneMessage(second->lane, second->message, &again);
  CHECK(again.SerializeAsString() == bytes);
  return true;
}

bool CheckOneTokenStable(absl::string_view token) {
  const absl::StatusOr<std::vector<Dot>> dots =
      replication::DecodeToken(kTokenSlot, token, TokenKey());
  if (!dots.ok()) {
    CHECK(dots.status().code() == absl::StatusCode::kInvalidArgument)
        << dots.status();
    return false;
  }
  // One token, one spelling.
  CHECK(replication::EncodeToken(kTokenSlot, *dots, TokenKey()) == token)
      << token;
  return true;
}

// What EncodeToken does with a body: the MAC of the slot and the body behind
// it.
std::string Authentic(absl::string_view body) {
  const std::string slot{'\0', static_cast<char>(kTokenSlot)};
  const uint64_t mac = TokenKey().Hash("token", absl::StrCat(slot, body));
  std::string bytes(body);
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(mac >> shift & 0xff));
  }
  return absl::WebSafeBase64Escape(bytes);
}

void CheckIdStable(absl::string_view id) {
  const replication::SessionIds ids(kContext.slot_count, &TokenKey());
  const absl::StatusOr<replication::SlotId> slot = ids.SlotOf(id);
  if (slot.ok()) CHECK(*slot < kContext.slot_count);
  if (ids.CheckForeign(id).ok()) CHECK(slot.ok()) << slot.status();
}

}  // namespace

const replication::KeyedHash& TokenKey() {
  // Never destroyed, so that it can be used until the process ends.
  static const auto* const key = new sessionmesh::testing::FakeKeyedHash(7);
  return *key;
}

bool CheckDatagramStable(absl::string_view bytes) {
  const absl::StatusOr<membership::Datagram> first =
      DecodeDatagram(bytes, kCluster);
  if (!first.ok()) {
    CHECK(first.status().code() == absl::StatusCode::kInvalidArgument ||
          first.status().code() == absl::StatusCode::kFailedPrecondition)
        << first.status();
    return false;
  }
  CHECK(membership::IsValid(first->from));
  for (const membership::Update& update : first->updates)
    CHECK(membership::IsValid(update));
  const std::string again = EncodeDatagram(*first, kCluster);
  const absl::StatusOr<membership::Datagram> second =
      DecodeDatagram(again, kCluster);
  CHECK(second.ok()) << second.status();
  CHECK(*second == *first);
  CHECK(EncodeDatagram(*second, kCluster) == again);
  return true;
}

bool CheckPeerBatchStable(absl::string_view bytes) {
  absl::StatusOr<v1::PeerBatch> batch = ParsePeerBatch(bytes);
  if (!batch.ok()) return false;
  bool accepted = false;
  if (batch->has_info()) {
    const absl::StatusOr<NodeInfo> info = DecodeNodeInfo(batch->info());
    if (info.ok()) CHECK(*DecodeNodeInfo(EncodeNodeInfo(*info)) == *info);
  }
  for (v1::LaneMessage& message : *batch->mutable_messages()) {
    if (CheckLaneMessageStable(&message)) accepted = true;
  }
  return accepted;
}

bool CheckTokenStable(absl::string_view bytes) {
  CheckIdStable(bytes);
  const bool as_it_is = CheckOneTokenStable(bytes);
  return CheckOneTokenStable(Authentic(bytes)) || as_it_is;
}

}  // namespace sessionmesh::wire::testing
