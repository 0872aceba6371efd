#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_gossip.h"
#include "proto/wire_member.h"

// The exchanges of wire_gossip.h.

namespace sessionmesh::wire {
namespace {

using membership::Refusal;
using membership::RefusalReason;
using membership::ReliableAck;
using membership::ReliablePing;
using membership::Sender;
using membership::SyncReply;
using membership::SyncRequest;
using membership::Update;

// ---- Encoding

void EncodeSync(uint64_t digest, const std::vector<Update>& members,
                v1::MemberSync* out) {
  out->set_digest(digest);
  EncodeUpdates(members, out->mutable_members());
}

v1::Refusal::Reason Encode(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kNotForMe:
      return v1::Refusal::NOT_FOR_ME;
    case RefusalReason::kNameConflict:
      return v1::Refusal::NAME_CONFLICT;
    case RefusalReason::kSuperseded:
      return v1::Refusal::SUPERSEDED;
    case RefusalReason::kTableFull:
      return v1::Refusal::TABLE_FULL;
    case RefusalReason::kLeft:
      return v1::Refusal::LEFT;
  }
  return v1::Refusal::REASON_UNSPECIFIED;
}

// Only these two say who holds the sender's name.
bool NamesHolder(RefusalReason reason) {
  return reason == RefusalReason::kNameConflict ||
         reason == RefusalReason::kSuperseded;
}

struct RequestEncoder {
  v1::ExchangeRequest* call;

  void operator()(const ReliablePing& ping) const {
    EncodeSubject(ping.target, ping.target_generation, call->mutable_ping());
  }
  void operator()(const SyncRequest& sync) const {
    EncodeSync(sync.digest, sync.push, call->mutable_sync());
  }
};

struct ReplyEncoder {
  v1::ExchangeResponse* answer;

  void operator()(const ReliableAck&) const { answer->mutable_ack(); }
  void operator()(const SyncReply& sync) const {
    EncodeSync(sync.digest, sync.members, answer->mutable_sync());
  }
  void operator()(const Refusal& refusal) const {
    v1::Refusal* out = answer->mutable_refusal();
    out->set_reason(Encode(refusal.reason));
    if (!NamesHolder(refusal.reason)) return;
    out->set_holder_address(refusal.holder_address);
    out->set_holder_generation(refusal.holder_generation);
  }
};

// ---- Decoding

absl::Status CheckDigest(const v1::MemberSync& proto) {
  return Within("sync", CheckPresent("digest", proto.has_digest()));
}

absl::StatusOr<membership::RequestBody> DecodeBody(
    const v1::ExchangeRequest& call) {
  switch (call.body_case()) {
    case v1::ExchangeRequest::kPing:
      WIRE_RETURN_IF_ERROR(Within("ping", CheckSubject(call.ping())));
      return ReliablePing{call.ping().name(), call.ping().generation()};
    case v1::ExchangeRequest::kSync: {
      WIRE_RETURN_IF_ERROR(CheckDigest(call.sync()));
      absl::StatusOr<std::vector<Update>> members = DecodeUpdates(
          "sync.members", call.sync().members(), kExchangeMembersMax);
      if (!members.ok()) return members.status();
      return SyncRequest{call.sync().digest(), *std::move(members)};
    }
    case v1::ExchangeRequest::BODY_NOT_SET:
      break;
  }
  return CheckPresent("body", false);
}

std::optional<RefusalReason> Decode(v1::Refusal::Reason reason) {
  switch (reason) {
    case v1::Refusal::NOT_FOR_ME:
      return RefusalReason::kNotForMe;
    case v1::Refusal::NAME_CONFLICT:
      return RefusalReason::kNameConflict;
    case v1::Refusal::SUPERSEDED:
      return RefusalReason::kSuperseded;
    case v1::Refusal::TABLE_FULL:
      return RefusalReason::kTableFull;
    case v1::Refusal::LEFT:
      return RefusalReason::kLeft;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Refusal> Decode(const v1::Refusal& proto) {
  const std::optional<RefusalReason> reason = Decode(proto.reason());
  if (!reason) {
    return absl::InvalidArgumentError(absl::StrCat(
        "reason is ", static_cast<int>(proto.reason()), "; 1 to 5 are known"));
  }
  if (!NamesHolder(*reason)) {
    WIRE_RETURN_IF_ERROR(CheckAbsent(
        "holder", !proto.has_holder_address() && !proto.has_holder_generation(),
        "only NAME_CONFLICT and SUPERSEDED name one"));
    return Refusal{*reason, "", 0};
  }
  WIRE_RETURN_IF_ERROR(
      CheckPresent("holder_address", proto.has_holder_address()));
  WIRE_RETURN_IF_ERROR(
      CheckPresent("holder_generation", proto.has_holder_generation()));
  WIRE_RETURN_IF_ERROR(CheckAddress("holder_address", proto.holder_address()));
  WIRE_RETURN_IF_ERROR(CheckNumber(
      "holder_generation", proto.holder_generation(), 0, kGenerationMax));
  return Refusal{*reason, proto.holder_address(), proto.holder_generation()};
}

absl::StatusOr<membership::ReplyBody> DecodeBody(
    const v1::ExchangeResponse& answer) {
  switch (answer.body_case()) {
    case v1::ExchangeResponse::kAck:
      return ReliableAck{};
    case v1::ExchangeResponse::kSync: {
      WIRE_RETURN_IF_ERROR(CheckDigest(answer.sync()));
      absl::StatusOr<std::vector<Update>> members = DecodeUpdates(
          "sync.members", answer.sync().members(), kExchangeMembersMax);
      if (!members.ok()) return members.status();
      return SyncReply{answer.sync().digest(), *std::move(members)};
    }
    case v1::ExchangeResponse::kRefusal: {
      absl::StatusOr<Refusal> refusal = Decode(answer.refusal());
      if (!refusal.ok()) return Within("refusal", refusal.status());
      return *std::move(refusal);
    }
    case v1::ExchangeResponse::BODY_NOT_SET:
      break;
  }
  return CheckPresent("body", false);
}

// What sender and info say twice.
template <typename Value>
absl::Status CheckEqual(absl::string_view field, const Value& value,
                        const Value& in_info) {
  if (value == in_info) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, ", but info says otherwise"));
}

// The sender of a call, or of its answer, is the node that its NodeInfo
// describes.
template <typename Call>
absl::StatusOr<Sender> DecodeCaller(const Call& call) {
  WIRE_RETURN_IF_ERROR(CheckPresent("sender", call.has_sender()));
  absl::StatusOr<Sender> sender = DecodeSender(call.sender());
  if (!sender.ok()) return Within("sender", sender.status());
  const v1::NodeInfo& info = call.info();
  WIRE_RETURN_IF_ERROR(CheckEqual("sender.name", sender->name, info.name()));
  WIRE_RETURN_IF_ERROR(
      CheckEqual("sender.generation", sender->generation, info.generation()));
  WIRE_RETURN_IF_ERROR(
      CheckEqual("sender.address", sender->address, info.peer_address()));
  return sender;
}

}  // namespace

v1::ExchangeRequest EncodeRequest(const membership::Request& request,
                                  const NodeInfo& mine) {
  v1::ExchangeRequest call;
  *call.mutable_info() = EncodeNodeInfo(mine);
  EncodeSender(request.from, call.mutable_sender());
  std::visit(RequestEncoder{&call}, request.body);
  return call;
}

absl::StatusOr<membership::Request> DecodeRequest(
    const v1::ExchangeRequest& call) {
  absl::StatusOr<Sender> from = DecodeCaller(call);
  if (!from.ok()) return from.status();
  absl::StatusOr<membership::RequestBody> body = DecodeBody(call);
  if (!body.ok()) return body.status();
  return membership::Request{*std::move(from), *std::move(body)};
}

v1::ExchangeResponse EncodeReply(const membership::Reply& reply,
                                 const NodeInfo& mine) {
  v1::ExchangeResponse answer;
  *answer.mutable_info() = EncodeNodeInfo(mine);
  EncodeSender(reply.from, answer.mutable_sender());
  std::visit(ReplyEncoder{&answer}, reply.body);
  return answer;
}

absl::StatusOr<membership::Reply> DecodeReply(
    const v1::ExchangeResponse& answer) {
  absl::StatusOr<Sender> from = DecodeCaller(answer);
  if (!from.ok()) return from.status();
  absl::StatusOr<membership::ReplyBody> body = DecodeBody(answer);
  if (!body.ok()) return body.status();
  return membership::Reply{*std::move(from), *std::move(body)};
}

}  // namespace sessionmesh::wire
