#include "proto/wire_stream.h"

#include <utility>

#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_delta.h"
#include "proto/wire_info.h"
#include "proto/wire_snapshot.h"

namespace sessionmesh::wire {
namespace {

using replication::ActorHome;
using replication::Dot;
using replication::Frame;
using replication::FrameAck;
using replication::Hello;
using replication::Refuse;
using replication::SlotDot;
using replication::SlotId;
using replication::SlotTouch;
using replication::Touches;

void EncodeSlotDots(const std::vector<SlotDot>& slot_dots,
                    MessageWriter* writer, v1::SlotDots* out) {
  DotCursor cursor;
  for (const SlotDot& slot_dot : slot_dots) {
    out->add_slots(slot_dot.slot);
    writer->Write(slot_dot.dot, &cursor, out->mutable_dots());
  }
}

absl::StatusOr<std::vector<SlotDot>> DecodeSlotDots(
    const v1::SlotDots& proto, const MessageReader& reader) {
  const absl::StatusOr<std::vector<Dot>> dots = reader.Dots(
      "dots", proto.dots(), DotCursor(), kAckDotsMax, DotOrder::kAny);
  if (!dots.ok()) return dots.status();
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "slots", static_cast<size_t>(proto.slots_size()), "dots", dots->size()));
  std::vector<SlotDot> slot_dots;
  slot_dots.reserve(dots->size());
  for (size_t i = 0; i < dots->size(); ++i) {
    const absl::StatusOr<SlotId> slot =
        reader.Slot("slot", proto.slots(static_cast<int>(i)));
    if (!slot.ok()) return WithinElement("slots", i, slot.status());
    slot_dots.push_back({*slot, (*dots)[i]});
  }
  return slot_dots;
}

absl::StatusOr<ActorHome> DecodeHome(v1::ActorHome* proto,
                                     const MessageReader& reader) {
  const absl::StatusOr<replication::ActorId> actor =
      reader.Actor("actor", proto->actor());
  if (!actor.ok()) return actor.status();
  WIRE_RETURN_IF_ERROR(CheckNodeName("node", proto->node()));
  WIRE_RETURN_IF_ERROR(CheckNumber("process", proto->process(), 1, UINT64_MAX));
  return ActorHome{*actor, std::move(*proto->mutable_node()), proto->process()};
}

}  // namespace

void Encode(const Hello& hello, MessageWriter* writer) {
  v1::Hello* out = writer->out()->mutable_hello();
  out->set_process(hello.process);
  out->set_received_process(hello.received_process);
  out->set_received_epoch(hello.received_epoch);
  out->set_received_seq(hello.received_seq);
  for (const ActorHome& home : hello.actors) {
    v1::ActorHome* proto = out->add_actors();
    proto->set_actor(writer->ActorIndex(home.actor));
    proto->set_node(home.node);
    proto->set_process(home.process);
  }
}

void Encode(const Frame& frame, MessageWriter* writer) {
  v1::Frame* out = writer->out()->mutable_frame();
  out->set_epoch(frame.epoch);
  out->set_seq(frame.seq);
  EncodeDeltas(frame.deltas, writer, out->mutable_deltas());
}

void Encode(const FrameAck& ack, MessageWriter* writer) {
  v1::FrameAck* out = writer->out()->mutable_frame_ack();
  out->set_process(ack.process);
  out->set_epoch(ack.epoch);
  out->set_seq(ack.seq);
  if (!ack.parked.empty()) {
    EncodeSlotDots(ack.parked, writer, out->mutable_parked());
  }
  if (!ack.settled.empty()) {
    EncodeSlotDots(ack.settled, writer, out->mutable_settled());
  }
}

void Encode(const Touches& touches, MessageWriter* writer) {
  v1::Touches* out = writer->out()->mutable_touches();
  std::vector<replication::LastAccess> accesses;
  accesses.reserve(touches.touches.size());
  for (const SlotTouch& touch : touches.touches) {
    out->add_slots(touch.slot);
    accesses.push_back(touch.access);
  }
  EncodeLastAccesses(accesses, writer, out->mutable_accesses());
}

void Encode(const Refuse& refuse, MessageWriter* writer) {
  // For people; cut rather than refused at the other end.
  writer->out()->mutable_refuse()->set_why(
      refuse.why.substr(0, kRefuseBytesMax));
}

absl::StatusOr<Hello> Decode(v1::Hello* proto, const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(CheckNumber("process", proto->process(), 1, UINT64_MAX));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("received_seq", proto->received_seq(), 0, kFrameSeqMax));
  const auto count = static_cast<size_t>(proto->actors_size());
  WIRE_RETURN_IF_ERROR(CheckCount("actors", count, kActorHomesMax));
  Hello hello;
  hello.process = proto->process();
  hello.received_process = proto->received_process();
  hello.received_epoch = proto->received_epoch();
  hello.received_seq = proto->received_seq();
  hello.actors.reserve(count);
  for (v1::ActorHome& home_proto : *proto->mutable_actors()) {
    absl::StatusOr<ActorHome> home = DecodeHome(&home_proto, reader);
    if (!home.ok()) {
      return WithinElement("actors", hello.actors.size(), home.status());
    }
    hello.actors.push_back(*std::move(home));
  }
  return hello;
}

absl::StatusOr<Frame> Decode(v1::Frame* proto, const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(CheckNumber("seq", proto->seq(), 1, kFrameSeqMax));
  absl::StatusOr<std::vector<replication::DeltaPtr>> deltas =
      DecodeDeltas("deltas", proto->mutable_deltas(), reader);
  if (!deltas.ok()) return deltas.status();
  return Frame{proto->epoch(), proto->seq(), *std::move(deltas)};
}

absl::StatusOr<FrameAck> Decode(v1::FrameAck* proto,
                                const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(CheckNumber("process", proto->process(), 1, UINT64_MAX));
  WIRE_RETURN_IF_ERROR(CheckNumber("seq", proto->seq(), 0, kFrameSeqMax));
  absl::StatusOr<std::vector<SlotDot>> parked =
      DecodeSlotDots(proto->parked(), reader);
  if (!parked.ok()) return Within("parked", parked.status());
  absl::StatusOr<std::vector<SlotDot>> settled =
      DecodeSlotDots(proto->settled(), reader);
  if (!settled.ok()) return Within("settled", settled.status());
  return FrameAck{proto->process(), proto->epoch(), proto->seq(),
                  *std::move(parked), *std::move(settled)};
}

absl::StatusOr<Touches> Decode(v1::Touches* proto,
                               const MessageReader& reader) {
  const auto accesses = DecodeLastAccesses(proto->accesses(), reader);
  if (!accesses.ok()) return Within("accesses", accesses.status());
  WIRE_RETURN_IF_ERROR(CheckSameCount("slots",
                                      static_cast<size_t>(proto->slots_size()),
                                      "accesses", accesses->size()));
  Touches touches;
  touches.touches.reserve(accesses->size());
  for (size_t i = 0; i < accesses->size(); ++i) {
    const absl::StatusOr<SlotId> slot =
        reader.Slot("slot", proto->slots(static_cast<int>(i)));
    if (!slot.ok()) return WithinElement("slots", i, slot.status());
    touches.touches.push_back({*slot, (*accesses)[i]});
  }
  return touches;
}

absl::StatusOr<Refuse> Decode(v1::Refuse* proto, const MessageReader&) {
  WIRE_RETURN_IF_ERROR(
      CheckBytes("why", proto->why().size(), 0, kRefuseBytesMax));
  return Refuse{std::move(*proto->mutable_why())};
}

}  // namespace sessionmesh::wire
