#include "proto/wire_gossip.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/wire_check.h"

namespace sessionmesh::wire {
namespace {

using membership::Ack;
using membership::Gossip;
using membership::Ping;
using membership::PingReq;
using membership::Refusal;
using membership::RefusalReason;
using membership::ReliableAck;
using membership::ReliablePing;
using membership::Sender;
using membership::State;
using membership::SyncReply;
using membership::SyncRequest;
using membership::Update;

// ---- Encoding

void Encode(const Sender& sender, v1::Sender* out) {
  out->set_name(sender.name);
  out->set_address(sender.address);
  out->set_generation(sender.generation);
  out->set_incarnation(sender.incarnation);
}

v1::MemberState Encode(State state) {
  switch (state) {
    case State::kAlive:
      return v1::MEMBER_STATE_ALIVE;
    case State::kSuspect:
      return v1::MEMBER_STATE_SUSPECT;
    case State::kDead:
      return v1::MEMBER_STATE_DEAD;
    case State::kLeft:
      return v1::MEMBER_STATE_LEFT;
  }
  return v1::MEMBER_STATE_UNSPECIFIED;
}

void Encode(const Update& update, v1::Update* out) {
  out->set_name(update.name);
  out->set_address(update.address);
  out->set_generation(update.claim.generation);
  out->set_incarnation(update.claim.incarnation);
  out->set_state(Encode(update.claim.state));
  out->set_accuser(update.accuser);
}

void EncodeSubject(const membership::NodeName& name,
                   membership::Generation generation, v1::Subject* out) {
  out->set_name(name);
  out->set_generation(generation);
}

void EncodeSync(uint64_t digest, const std::vector<Update>& members,
                v1::MemberSync* out) {
  out->set_digest(digest);
  for (const Update& member : members) Encode(member, out->add_members());
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

struct BodyEncoder {
  v1::Packet* packet;

  void operator()(const Ping& ping) const {
    packet->mutable_ping()->set_sequence(ping.sequence);
    EncodeSubject(ping.target, ping.target_generation, packet->mutable_ping());
  }
  void operator()(const PingReq& request) const {
    packet->mutable_ping_req()->set_sequence(request.sequence);
    EncodeSubject(request.target, request.target_generation,
                  packet->mutable_ping_req());
  }
  void operator()(const Ack& ack) const {
    packet->mutable_ack()->set_sequence(ack.sequence);
    EncodeSubject(ack.subject, ack.subject_generation, packet->mutable_ack());
  }
  void operator()(const Gossip&) const { packet->mutable_gossip(); }
};

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

absl::StatusOr<Sender> Decode(const v1::Sender& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("address", proto.has_address()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("incarnation", proto.has_incarnation()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  WIRE_RETURN_IF_ERROR(CheckAddress("address", proto.address()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("generation", proto.generation(), 0, kGenerationMax));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("incarnation", proto.incarnation(), 0, kIncarnationMax));
  return Sender{proto.name(), proto.address(), proto.generation(),
                proto.incarnation()};
}

std::optional<State> Decode(v1::MemberState state) {
  switch (state) {
    case v1::MEMBER_STATE_ALIVE:
      return State::kAlive;
    case v1::MEMBER_STATE_SUSPECT:
      return State::kSuspect;
    case v1::MEMBER_STATE_DEAD:
      return State::kDead;
    case v1::MEMBER_STATE_LEFT:
      return State::kLeft;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Update> Decode(const v1::Update& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("address", proto.has_address()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("incarnation", proto.has_incarnation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("state", proto.has_state()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  WIRE_RETURN_IF_ERROR(CheckAddress("address", proto.address()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("generation", proto.generation(), 0, kGenerationMax));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("incarnation", proto.incarnation(), 0, kIncarnationMax));
  const std::optional<State> state = Decode(proto.state());
  if (!state) {
    return absl::InvalidArgumentError(absl::StrCat(
        "state is ", static_cast<int>(proto.state()), "; 1 to 4 are known"));
  }
  if (*state == State::kSuspect || *state == State::kDead) {
    WIRE_RETURN_IF_ERROR(CheckNodeName("accuser", proto.accuser()));
  } else {
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("accuser", proto.accuser().empty(),
                    absl::StrCat("the state is ", StateName(*state))));
  }
  return Update{proto.name(),
                proto.address(),
                {proto.generation(), proto.incarnation(), *state},
                proto.accuser()};
}

absl::StatusOr<std::vector<Update>> DecodeUpdates(
    absl::string_view field,
    const google::protobuf::RepeatedPtrField<v1::Update>& protos, size_t max) {
  const auto count = static_cast<size_t>(protos.size());
  WIRE_RETURN_IF_ERROR(CheckCount(field, count, max));
  std::vector<Update> updates;
  updates.reserve(count);
  for (const v1::Update& proto : protos) {
    absl::StatusOr<Update> update = Decode(proto);
    if (!update.ok())
      return WithinElement(field, updates.size(), update.status());
    updates.push_back(*std::move(update));
  }
  return updates;
}

absl::Status CheckSubject(const v1::Subject& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  return CheckNumber("generation", proto.generation(), 0, kGenerationMax);
}

absl::Status CheckProbe(absl::string_view field, const v1::Subject& proto) {
  WIRE_RETURN_IF_ERROR(
      Within(field, CheckPresent("sequence", proto.has_sequence())));
  return Within(field, CheckSubject(proto));
}

absl::StatusOr<membership::DatagramBody> DecodeBody(const v1::Packet& packet) {
  switch (packet.body_case()) {
    case v1::Packet::kPing:
      WIRE_RETURN_IF_ERROR(CheckProbe("ping", packet.ping()));
      return Ping{packet.ping().sequence(), packet.ping().name(),
                  packet.ping().generation()};
    case v1::Packet::kPingReq:
      WIRE_RETURN_IF_ERROR(CheckProbe("ping_req", packet.ping_req()));
      return PingReq{packet.ping_req().sequence(), packet.ping_req().name(),
                     packet.ping_req().generation()};
    case v1::Packet::kAck:
      WIRE_RETURN_IF_ERROR(CheckProbe("ack", packet.ack()));
      return Ack{packet.ack().sequence(), packet.ack().name(),
                 packet.ack().generation()};
    case v1::Packet::kGossip:
      return Gossip{};
    case v1::Packet::BODY_NOT_SET:
      break;
  }
  return CheckPresent("body", false);
}

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
  absl::StatusOr<Sender> sender = Decode(call.sender());
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

std::string EncodeDatagram(const membership::Datagram& datagram,
                           uint64_t cluster_hash) {
  v1::Packet packet;
  Encode(datagram.from, packet.mutable_sender());
  std::visit(BodyEncoder{&packet}, datagram.body);
  for (const Update& update : datagram.updates)
    Encode(update, packet.add_updates());
  std::string bytes;
  bytes.reserve(kFrameBytes + packet.ByteSizeLong());
  AppendFrame(cluster_hash, &bytes);
  packet.AppendToString(&bytes);
  return bytes;
}

absl::StatusOr<membership::Datagram> DecodeDatagram(absl::string_view bytes,
                                                    uint64_t cluster_hash) {
  absl::StatusOr<absl::string_view> body = OpenFrame(cluster_hash, bytes);
  if (!body.ok()) return body.status();
  v1::Packet packet;
  if (!packet.ParseFromArray(body->data(), static_cast<int>(body->size()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("datagram has a body of ", body->size(),
                     " bytes that is not a Packet"));
  }
  WIRE_RETURN_IF_ERROR(CheckPresent("sender", packet.has_sender()));
  absl::StatusOr<Sender> from = Decode(packet.sender());
  if (!from.ok()) return Within("sender", from.status());
  absl::StatusOr<membership::DatagramBody> content = DecodeBody(packet);
  if (!content.ok()) return content.status();
  absl::StatusOr<std::vector<Update>> updates =
      DecodeUpdates("updates", packet.updates(), kDatagramUpdatesMax);
  if (!updates.ok()) return updates.status();
  return membership::Datagram{*std::move(from), *std::move(content),
                              *std::move(updates)};
}

v1::ExchangeRequest EncodeRequest(const membership::Request& request,
                                  const NodeInfo& mine) {
  v1::ExchangeRequest call;
  *call.mutable_info() = EncodeNodeInfo(mine);
  Encode(request.from, call.mutable_sender());
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
  Encode(reply.from, answer.mutable_sender());
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
