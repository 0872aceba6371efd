#include "proto/wire_gossip.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_member.h"

// The datagrams of wire_gossip.h; the exchanges are in wire_exchange.cc.

namespace sessionmesh::wire {
namespace {

using membership::Ack;
using membership::Gossip;
using membership::Ping;
using membership::PingReq;
using membership::Sender;
using membership::Update;

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

}  // namespace

std::string EncodeDatagram(const membership::Datagram& datagram,
                           uint64_t cluster_hash) {
  v1::Packet packet;
  EncodeSender(datagram.from, packet.mutable_sender());
  std::visit(BodyEncoder{&packet}, datagram.body);
  EncodeUpdates(datagram.updates, packet.mutable_updates());
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
  absl::StatusOr<Sender> from = DecodeSender(packet.sender());
  if (!from.ok()) return Within("sender", from.status());
  absl::StatusOr<membership::DatagramBody> content = DecodeBody(packet);
  if (!content.ok()) return content.status();
  absl::StatusOr<std::vector<Update>> updates =
      DecodeUpdates("updates", packet.updates(), kDatagramUpdatesMax);
  if (!updates.ok()) return updates.status();
  return membership::Datagram{*std::move(from), *std::move(content),
                              *std::move(updates)};
}

}  // namespace sessionmesh::wire
