#include "proto/wire_delta.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_rules.h"

namespace sessionmesh::wire {
namespace {

using replication::Delta;
using replication::DeltaPtr;
using replication::Dot;
using replication::EndReason;
using replication::Op;

// ---- Encoding

v1::Delta::Kind Encode(Delta::Kind kind) {
  switch (kind) {
    case Delta::Kind::kCreate:
      return v1::Delta::CREATE;
    case Delta::Kind::kUpdate:
      return v1::Delta::UPDATE;
    case Delta::Kind::kRotate:
      return v1::Delta::ROTATE;
    case Delta::Kind::kKill:
      return v1::Delta::KILL;
  }
  return v1::Delta::UPDATE;
}

v1::Op::Kind Encode(Op::Kind kind) {
  switch (kind) {
    case Op::Kind::kPut:
      return v1::Op::PUT;
    case Op::Kind::kDelete:
      return v1::Op::DELETE;
    case Op::Kind::kVoid:
      return v1::Op::VOID;
  }
  return v1::Op::PUT;
}

v1::EndReason Encode(EndReason reason) {
  switch (reason) {
    case EndReason::kDeleted:
      return v1::END_REASON_DELETED;
    case EndReason::kIdle:
      return v1::END_REASON_IDLE;
    case EndReason::kRevoked:
      return v1::END_REASON_REVOKED;
    case EndReason::kDeadline:
      break;  // never carried
  }
  return v1::END_REASON_UNSPECIFIED;
}

void EncodeOp(const Op& op, const Delta& delta, DotCursor start,
              MessageWriter* writer, v1::Op* out) {
  out->set_kind(Encode(op.kind));
  out->set_name(op.name);
  out->set_value(op.value);
  writer->WriteAll(op.superseded, start, out->mutable_superseded());
  out->set_hlc(static_cast<int64_t>(op.hlc - delta.hlc));
}

void EncodeDelta(const Delta& delta, MessageWriter* writer, v1::Delta* out) {
  const DotCursor start = writer->After({delta.actor, delta.first});
  out->set_kind(Encode(delta.kind));
  out->set_slot(delta.slot);
  out->set_actor(start.actor);
  out->set_first(delta.first);
  writer->WriteAll(delta.deps, start, out->mutable_deps());
  uint64_t before = delta.first;
  for (const Dot& head : delta.inner_heads) {
    out->add_inner_heads(head.counter - before);
    before = head.counter;
  }
  const RelativeHlc hlc = EncodeHlc(delta.hlc, delta.actor);
  out->set_hlc_ms(hlc.ms);
  out->set_hlc_logical(hlc.logical);
  for (const Op& op : delta.ops) {
    EncodeOp(op, delta, start, writer, out->add_ops());
  }
  if (delta.kind == Delta::Kind::kCreate) {
    out->set_deadline_ms(
        static_cast<uint64_t>(absl::ToUnixMillis(delta.deadline)));
    out->set_idle_ms(
        static_cast<uint64_t>(absl::ToInt64Milliseconds(delta.idle)));
  } else {
    writer->WriteAll(delta.births, start, out->mutable_births());
  }
  if (delta.kind == Delta::Kind::kKill) out->set_reason(Encode(delta.reason));
}

// ---- Decoding: the fields

std::optional<Delta::Kind> Decode(v1::Delta::Kind kind) {
  switch (kind) {
    case v1::Delta::UPDATE:
      return Delta::Kind::kUpdate;
    case v1::Delta::CREATE:
      return Delta::Kind::kCreate;
    case v1::Delta::ROTATE:
      return Delta::Kind::kRotate;
    case v1::Delta::KILL:
      return Delta::Kind::kKill;
    default:
      return std::nullopt;
  }
}

std::optional<Op::Kind> Decode(v1::Op::Kind kind) {
  switch (kind) {
    case v1::Op::PUT:
      return Op::Kind::kPut;
    case v1::Op::DELETE:
      return Op::Kind::kDelete;
    case v1::Op::VOID:
      return Op::Kind::kVoid;
    default:
      return std::nullopt;
  }
}

std::optional<EndReason> Decode(v1::EndReason reason) {
  switch (reason) {
    case v1::END_REASON_DELETED:
      return EndReason::kDeleted;
    case v1::END_REASON_IDLE:
      return EndReason::kIdle;
    case v1::END_REASON_REVOKED:
      return EndReason::kRevoked;
    default:
      return std::nullopt;
  }
}

// Kind, slot, the first dot and the clock.
absl::Status ReadHead(const v1::Delta& proto, const MessageReader& reader,
                      Delta* delta) {
  const std::optional<Delta::Kind> kind = Decode(proto.kind());
  if (!kind) {
    return absl::InvalidArgumentError(absl::StrCat(
        "kind is ", static_cast<int>(proto.kind()), "; 0 to 3 are known"));
  }
  delta->kind = *kind;
  const absl::StatusOr<replication::SlotId> slot =
      reader.Slot("slot", proto.slot());
  if (!slot.ok()) return slot.status();
  delta->slot = *slot;
  const absl::StatusOr<replication::ActorId> actor =
      reader.Actor("actor", proto.actor());
  if (!actor.ok()) return actor.status();
  delta->actor = *actor;
  WIRE_RETURN_IF_ERROR(CheckNumber("first", proto.first(), 1, kCounterMax));
  delta->first = proto.first();
  const absl::StatusOr<replication::Hlc> hlc =
      DecodeHlc({proto.hlc_ms(), proto.hlc_logical()}, delta->actor);
  if (!hlc.ok()) return hlc.status();
  delta->hlc = *hlc;
  return absl::OkStatus();
}

absl::Status ReadDots(const v1::Delta& proto, const MessageReader& reader,
                      Delta* delta) {
  const DotCursor start{proto.actor(), proto.first()};
  absl::StatusOr<std::vector<Dot>> births = reader.Dots(
      "births", proto.births(), start, kDotsMax, DotOrder::kAscending);
  if (!births.ok()) return births.status();
  absl::StatusOr<std::vector<Dot>> deps =
      reader.Dots("deps", proto.deps(), start, kDotsMax, DotOrder::kAscending);
  if (!deps.ok()) return deps.status();
  delta->births = *std::move(births);
  delta->deps = *std::move(deps);
  if (delta->kind != Delta::Kind::kCreate) return absl::OkStatus();
  WIRE_RETURN_IF_ERROR(CheckAbsent("births", delta->births.empty(),
                                   "a CREATE is its own birth"));
  delta->births = {delta->dot(0)};
  return absl::OkStatus();
}

absl::Status ReadOp(v1::Op* proto, DotCursor start, const MessageReader& reader,
                    const Delta& delta, Op* op) {
  const std::optional<Op::Kind> kind = Decode(proto->kind());
  if (!kind) {
    return absl::InvalidArgumentError(absl::StrCat(
        "kind is ", static_cast<int>(proto->kind()), "; 0 to 2 are known"));
  }
  op->kind = *kind;
  WIRE_RETURN_IF_ERROR(CheckAttributeName(proto->name()));
  op->name = std::move(*proto->mutable_name());
  if (op->kind == Op::Kind::kPut) {
    WIRE_RETURN_IF_ERROR(CheckAttributeValue(op->name, proto->value()));
    op->value = std::move(*proto->mutable_value());
  } else {
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("value", proto->value().empty(), "only a PUT has one"));
  }
  absl::StatusOr<std::vector<Dot>> superseded = reader.Dots(
      "superseded", proto->superseded(), start, kDotsMax, DotOrder::kAny);
  if (!superseded.ok()) return superseded.status();
  op->superseded = *std::move(superseded);
  // Wraps around when the difference leads out of the range on either side, and
  // is then refused as well.
  op->hlc = delta.hlc + static_cast<uint64_t>(proto->hlc());
  return CheckNumber("hlc", op->hlc, 0, kHlcMax);
}

absl::Status ReadOps(v1::Delta* proto, const MessageReader& reader,
                     Delta* delta) {
  const auto count = static_cast<size_t>(proto->ops_size());
  WIRE_RETURN_IF_ERROR(CheckCount("ops", count, kOpsMax));
  if (delta->kind == Delta::Kind::kKill) {
    return CheckAbsent("ops", count == 0, "a KILL has none");
  }
  WIRE_RETURN_IF_ERROR(CheckPresent("ops", count > 0));
  const DotCursor start{proto->actor(), proto->first()};
  delta->ops.resize(count);
  for (size_t i = 0; i < count; ++i) {
    WIRE_RETURN_IF_ERROR(
        WithinElement("ops", i,
                      ReadOp(proto->mutable_ops(static_cast<int>(i)), start,
                             reader, *delta, &delta->ops[i])));
  }
  return Within("last",
                CheckNumber("counter", delta->last().counter, 1, kCounterMax));
}

// REQUIRES: the ops are read.
absl::Status ReadInnerHeads(const v1::Delta& proto, Delta* delta) {
  uint64_t counter = delta->first;
  for (int i = 0; i < proto.inner_heads_size(); ++i) {
    const uint64_t distance = proto.inner_heads(i);
    const uint64_t max = delta->last().counter - counter;
    const uint64_t min = i == 0 ? 0 : 1;
    // Below the last dot, which is the head of the whole group.
    if (distance < min || distance >= max) {
      return absl::InvalidArgumentError(absl::StrCat(
          "inner_heads[", i, "] is ", distance, " after the one before; ", min,
          " or more, and less than ", max, ", is allowed"));
    }
    counter += distance;
    delta->inner_heads.push_back({delta->actor, counter});
  }
  return absl::OkStatus();
}

absl::Status ReadProperties(const v1::Delta& proto, Delta* delta) {
  if (delta->kind == Delta::Kind::kCreate) {
    WIRE_RETURN_IF_ERROR(
        CheckNumber("deadline_ms", proto.deadline_ms(), 1, kMillisMax));
    WIRE_RETURN_IF_ERROR(
        CheckNumber("idle_ms", proto.idle_ms(), 1, kMillisMax));
    delta->deadline =
        absl::FromUnixMillis(static_cast<int64_t>(proto.deadline_ms()));
    delta->idle = absl::Milliseconds(static_cast<int64_t>(proto.idle_ms()));
  } else {
    WIRE_RETURN_IF_ERROR(CheckAbsent("deadline_ms", proto.deadline_ms() == 0,
                                     "only a CREATE has one"));
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("idle_ms", proto.idle_ms() == 0, "only a CREATE has one"));
  }
  if (delta->kind == Delta::Kind::kKill) {
    const std::optional<EndReason> reason = Decode(proto.reason());
    if (!reason) {
      return absl::InvalidArgumentError(
          absl::StrCat("reason is ", static_cast<int>(proto.reason()),
                       "; 1 to 3 are known"));
    }
    delta->reason = *reason;
    return absl::OkStatus();
  }
  return CheckAbsent("reason", proto.reason() == v1::END_REASON_UNSPECIFIED,
                     "only a KILL has one");
}

absl::StatusOr<DeltaPtr> DecodeDelta(v1::Delta* proto,
                                     const MessageReader& reader) {
  auto delta = std::make_shared<Delta>();
  WIRE_RETURN_IF_ERROR(ReadHead(*proto, reader, delta.get()));
  WIRE_RETURN_IF_ERROR(ReadDots(*proto, reader, delta.get()));
  WIRE_RETURN_IF_ERROR(ReadOps(proto, reader, delta.get()));
  WIRE_RETURN_IF_ERROR(ReadInnerHeads(*proto, delta.get()));
  WIRE_RETURN_IF_ERROR(ReadProperties(*proto, delta.get()));
  WIRE_RETURN_IF_ERROR(CheckDelta(*delta));
  return DeltaPtr(std::move(delta));
}

}  // namespace

void EncodeDeltas(const std::vector<DeltaPtr>& deltas, MessageWriter* writer,
                  DeltaProtos* out) {
  for (const DeltaPtr& delta : deltas) EncodeDelta(*delta, writer, out->Add());
}

absl::StatusOr<std::vector<DeltaPtr>> DecodeDeltas(
    absl::string_view field, DeltaProtos* protos, const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(
      CheckCount(field, static_cast<size_t>(protos->size()), kDeltasMax));
  std::vector<DeltaPtr> deltas;
  deltas.reserve(static_cast<size_t>(protos->size()));
  for (v1::Delta& proto : *protos) {
    absl::StatusOr<DeltaPtr> delta = DecodeDelta(&proto, reader);
    if (!delta.ok()) return WithinElement(field, deltas.size(), delta.status());
    deltas.push_back(*std::move(delta));
  }
  return deltas;
}

}  // namespace sessionmesh::wire
