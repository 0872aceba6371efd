#include "proto/wire_sync.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_context.h"
#include "proto/wire_delta.h"
#include "proto/wire_info.h"
#include "proto/wire_snapshot.h"

namespace sessionmesh::wire {
namespace {

using replication::Context;
using replication::DeltaPtr;
using replication::Digest;
using replication::DropAsk;
using replication::DropConsent;
using replication::LastAccess;
using replication::Phase;
using replication::Pull;
using replication::PullMore;
using replication::PullReply;
using replication::Resync;
using replication::SlotId;
using replication::SlotPhase;
using replication::Snapshot;

uint32_t EncodePhase(const SlotPhase& phase) {
  return static_cast<uint32_t>(phase.phase) * 2 + (phase.degraded ? 1 : 0);
}

// REQUIRES: number <= kPhaseMax.
SlotPhase DecodePhase(uint32_t number) {
  return {static_cast<Phase>(number / 2), number % 2 == 1};
}

constexpr uint32_t kPhaseMax = 7;

v1::PullReply::Kind EncodeKind(PullReply::Kind kind) {
  switch (kind) {
    case PullReply::Kind::kEqual:
      return v1::PullReply::EQUAL;
    case PullReply::Kind::kDeltas:
      return v1::PullReply::DELTAS;
    case PullReply::Kind::kState:
      return v1::PullReply::STATE;
    case PullReply::Kind::kBusy:
      return v1::PullReply::BUSY;
    case PullReply::Kind::kGone:
      return v1::PullReply::GONE;
  }
  return v1::PullReply::KIND_UNSPECIFIED;
}

std::optional<PullReply::Kind> DecodeKind(v1::PullReply::Kind kind) {
  switch (kind) {
    case v1::PullReply::EQUAL:
      return PullReply::Kind::kEqual;
    case v1::PullReply::DELTAS:
      return PullReply::Kind::kDeltas;
    case v1::PullReply::STATE:
      return PullReply::Kind::kState;
    case v1::PullReply::BUSY:
      return PullReply::Kind::kBusy;
    case v1::PullReply::GONE:
      return PullReply::Kind::kGone;
    default:
      return std::nullopt;
  }
}

void EncodeState(const PullReply& reply, MessageWriter* writer,
                 v1::StatePart* out) {
  out->set_part(reply.part);
  out->set_last(reply.last);
  if (reply.part == 0) {
    EncodeContext(reply.state.context, writer, out->mutable_context());
    EncodeLiveHash(reply.state.live_hash, out->mutable_live_hash());
    EncodeDeltas(reply.state.parked, writer, out->mutable_parked());
  }
  EncodeLives(reply.state.lives, writer, out->mutable_lives());
}

absl::StatusOr<std::vector<DeltaPtr>> DecodeDeltasOfSlot(
    absl::string_view field, DeltaProtos* protos, SlotId slot,
    const MessageReader& reader) {
  absl::StatusOr<std::vector<DeltaPtr>> deltas =
      DecodeDeltas(field, protos, reader);
  if (!deltas.ok()) return deltas;
  for (size_t i = 0; i < deltas->size(); ++i) {
    if ((*deltas)[i]->slot == slot) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(field, "[", i, "].slot is ", (*deltas)[i]->slot,
                     "; the reply is about slot ", slot));
  }
  return deltas;
}

// What only the first part of a snapshot has.
absl::Status ReadFirstPart(v1::StatePart* proto, SlotId slot,
                           const MessageReader& reader, Snapshot* state) {
  WIRE_RETURN_IF_ERROR(CheckPresent("context", proto->has_context()));
  WIRE_RETURN_IF_ERROR(CheckPresent("live_hash", proto->has_live_hash()));
  absl::StatusOr<Context> context = DecodeContext(proto->context(), reader);
  if (!context.ok()) return Within("context", context.status());
  state->context = *std::move(context);
  state->live_hash = DecodeLiveHash(proto->live_hash());
  absl::StatusOr<std::vector<DeltaPtr>> parked =
      DecodeDeltasOfSlot("parked", proto->mutable_parked(), slot, reader);
  if (!parked.ok()) return parked.status();
  state->parked = *std::move(parked);
  return absl::OkStatus();
}

absl::Status ReadState(v1::StatePart* proto, const MessageReader& reader,
                       PullReply* reply) {
  WIRE_RETURN_IF_ERROR(
      CheckNumber("part", proto->part(), 0, kStatePartsMax - 1));
  reply->part = proto->part();
  reply->last = proto->last();
  if (reply->part == 0) {
    WIRE_RETURN_IF_ERROR(
        ReadFirstPart(proto, reply->slot, reader, &reply->state));
  } else {
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("context", !proto->has_context(), "this is not part 0"));
    WIRE_RETURN_IF_ERROR(CheckAbsent("live_hash", !proto->has_live_hash(),
                                     "this is not part 0"));
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("parked", proto->parked().empty(), "this is not part 0"));
  }
  absl::StatusOr<std::vector<replication::SnapshotLife>> lives =
      DecodeLives(proto->lives(), reader);
  if (!lives.ok()) return lives.status();
  reply->state.lives = *std::move(lives);
  return absl::OkStatus();
}

absl::Status ReadRecent(v1::PullReply* proto, PullReply* reply) {
  const auto count = static_cast<size_t>(proto->recent_size());
  WIRE_RETURN_IF_ERROR(CheckCount("recent", count, kRecentOwnersMax));
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "recent_age_ms", static_cast<size_t>(proto->recent_age_ms_size()),
      "recent", count));
  reply->recent.reserve(count);
  for (std::string& name : *proto->mutable_recent()) {
    const size_t i = reply->recent.size();
    WIRE_RETURN_IF_ERROR(
        WithinElement("recent", i, CheckNodeName("name", name)));
    const uint64_t age = proto->recent_age_ms(static_cast<int>(i));
    WIRE_RETURN_IF_ERROR(WithinElement(
        "recent_age_ms", i, CheckNumber("age", age, 0, kRecentAgeMsMax)));
    reply->recent.push_back(
        {std::move(name), absl::Milliseconds(static_cast<int64_t>(age))});
  }
  return absl::OkStatus();
}

// What belongs to the kind of reply, and nothing of another kind.
absl::Status ReadContent(v1::PullReply* proto, const MessageReader& reader,
                         PullReply* reply) {
  const bool is_deltas = reply->kind == PullReply::Kind::kDeltas;
  const bool is_state = reply->kind == PullReply::Kind::kState;
  WIRE_RETURN_IF_ERROR(CheckAbsent("deltas",
                                   is_deltas || proto->deltas().empty(),
                                   "the reply is of another kind"));
  WIRE_RETURN_IF_ERROR(CheckAbsent("state", is_state || !proto->has_state(),
                                   "the reply is of another kind"));
  if (is_deltas) {
    absl::StatusOr<std::vector<DeltaPtr>> deltas = DecodeDeltasOfSlot(
        "deltas", proto->mutable_deltas(), reply->slot, reader);
    if (!deltas.ok()) return deltas.status();
    reply->deltas = *std::move(deltas);
  }
  if (!is_state) return absl::OkStatus();
  WIRE_RETURN_IF_ERROR(CheckPresent("state", proto->has_state()));
  return Within("state", ReadState(proto->mutable_state(), reader, reply));
}

// Slot number i of a list that ascends.
absl::StatusOr<SlotId> NextSlot(
    const google::protobuf::RepeatedField<uint32_t>& slots, int i,
    const MessageReader& reader) {
  absl::StatusOr<SlotId> slot = reader.Slot("slot", slots.Get(i));
  if (!slot.ok()) {
    return WithinElement("slots", static_cast<size_t>(i), slot.status());
  }
  if (i > 0 && slots.Get(i) <= slots.Get(i - 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("slots[", i, "] is ", slots.Get(i), ", not above ",
                     slots.Get(i - 1), " before it"));
  }
  return slot;
}

}  // namespace

void Encode(const Pull& pull, MessageWriter* writer) {
  v1::Pull* out = writer->out()->mutable_pull();
  out->set_pull(pull.pull);
  out->set_slot(pull.slot);
  EncodeContext(pull.context, writer, out->mutable_context());
  EncodeLiveHash(pull.live_hash, out->mutable_live_hash());
  out->set_last_access_hash(pull.last_access_hash);
}

void Encode(const PullMore& more, MessageWriter* writer) {
  v1::PullMore* out = writer->out()->mutable_pull_more();
  out->set_pull(more.pull);
  out->set_part(more.part);
}

void Encode(const PullReply& reply, MessageWriter* writer) {
  v1::PullReply* out = writer->out()->mutable_pull_reply();
  out->set_pull(reply.pull);
  out->set_slot(reply.slot);
  out->set_kind(EncodeKind(reply.kind));
  out->set_ready(reply.ready);
  out->set_owners_hash(reply.owners_hash);
  out->set_degraded(reply.degraded);
  out->set_last_access_hash(reply.last_access_hash);
  for (const replication::RecentOwner& owner : reply.recent) {
    out->add_recent(owner.node);
    out->add_recent_age_ms(
        static_cast<uint64_t>(absl::ToInt64Milliseconds(owner.age)));
  }
  if (!reply.last_accesses.empty()) {
    EncodeLastAccesses(reply.last_accesses, writer,
                       out->mutable_last_accesses());
  }
  if (reply.kind == PullReply::Kind::kDeltas) {
    EncodeDeltas(reply.deltas, writer, out->mutable_deltas());
  } else if (reply.kind == PullReply::Kind::kState) {
    EncodeState(reply, writer, out->mutable_state());
  }
}

void Encode(const replication::DigestRequest&, MessageWriter* writer) {
  writer->out()->mutable_digest_request();
}

void Encode(const Digest& digest, MessageWriter* writer) {
  v1::Digest* out = writer->out()->mutable_digest();
  out->set_process(digest.process);
  out->set_complete(digest.complete);
  out->set_leaving(digest.leaving);
  out->set_placement(digest.placement);
  for (const replication::SlotDigest& slot : digest.slots) {
    out->add_slots(slot.slot);
    out->add_context_hashes(slot.context_hash);
    out->add_live_hashes(slot.live_hash);
    out->add_phases(EncodePhase(slot.phase));
  }
}

void Encode(const DropAsk& ask, MessageWriter* writer) {
  v1::DropAsk* out = writer->out()->mutable_drop_ask();
  out->set_slot(ask.slot);
  out->set_attempt(ask.attempt);
  EncodeContext(ask.context, writer, out->mutable_context());
  out->set_last_access_hash(ask.last_access_hash);
}

void Encode(const DropConsent& consent, MessageWriter* writer) {
  v1::DropConsent* out = writer->out()->mutable_drop_consent();
  out->set_slot(consent.slot);
  out->set_attempt(consent.attempt);
}

void Encode(const Resync& resync, MessageWriter* writer) {
  v1::Resync* out = writer->out()->mutable_resync();
  for (SlotId slot : resync.slots) out->add_slots(slot);
}

absl::StatusOr<Pull> Decode(v1::Pull* proto, const MessageReader& reader) {
  const absl::StatusOr<SlotId> slot = reader.Slot("slot", proto->slot());
  if (!slot.ok()) return slot.status();
  WIRE_RETURN_IF_ERROR(CheckPresent("context", proto->has_context()));
  WIRE_RETURN_IF_ERROR(CheckPresent("live_hash", proto->has_live_hash()));
  absl::StatusOr<Context> context = DecodeContext(proto->context(), reader);
  if (!context.ok()) return Within("context", context.status());
  return Pull{proto->pull(), *slot, *std::move(context),
              DecodeLiveHash(proto->live_hash()), proto->last_access_hash()};
}

absl::StatusOr<PullMore> Decode(v1::PullMore* proto, const MessageReader&) {
  WIRE_RETURN_IF_ERROR(
      CheckNumber("part", proto->part(), 0, kStatePartsMax - 1));
  return PullMore{proto->pull(), proto->part()};
}

absl::StatusOr<PullReply> Decode(v1::PullReply* proto,
                                 const MessageReader& reader) {
  PullReply reply;
  reply.pull = proto->pull();
  const absl::StatusOr<SlotId> slot = reader.Slot("slot", proto->slot());
  if (!slot.ok()) return slot.status();
  reply.slot = *slot;
  const std::optional<PullReply::Kind> kind = DecodeKind(proto->kind());
  if (!kind) {
    return absl::InvalidArgumentError(absl::StrCat(
        "kind is ", static_cast<int>(proto->kind()), "; 1 to 5 are known"));
  }
  reply.kind = *kind;
  reply.ready = proto->ready();
  reply.degraded = proto->degraded();
  reply.owners_hash = proto->owners_hash();
  reply.last_access_hash = proto->last_access_hash();
  WIRE_RETURN_IF_ERROR(ReadRecent(proto, &reply));
  absl::StatusOr<std::vector<LastAccess>> accesses =
      DecodeLastAccesses(proto->last_accesses(), reader);
  if (!accesses.ok()) return Within("last_accesses", accesses.status());
  reply.last_accesses = *std::move(accesses);
  WIRE_RETURN_IF_ERROR(ReadContent(proto, reader, &reply));
  return reply;
}

absl::StatusOr<Digest> Decode(v1::Digest* proto, const MessageReader& reader) {
  const auto count = static_cast<size_t>(proto->slots_size());
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "context_hashes", static_cast<size_t>(proto->context_hashes_size()),
      "slots", count));
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "live_hashes", static_cast<size_t>(proto->live_hashes_size()), "slots",
      count));
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "phases", static_cast<size_t>(proto->phases_size()), "slots", count));
  Digest digest{.process = proto->process(),
                .complete = proto->complete(),
                .leaving = proto->leaving(),
                .placement = proto->placement(),
                .slots = {}};
  for (int i = 0; i < proto->slots_size(); ++i) {
    const absl::StatusOr<SlotId> slot = NextSlot(proto->slots(), i, reader);
    if (!slot.ok()) return slot.status();
    WIRE_RETURN_IF_ERROR(CheckNumber(absl::StrCat("phases[", i, "]"),
                                     proto->phases(i), 0, kPhaseMax));
    digest.slots.push_back({*slot, proto->context_hashes(i),
                            proto->live_hashes(i),
                            DecodePhase(proto->phases(i))});
  }
  return digest;
}

absl::StatusOr<DropAsk> Decode(v1::DropAsk* proto,
                               const MessageReader& reader) {
  const absl::StatusOr<SlotId> slot = reader.Slot("slot", proto->slot());
  if (!slot.ok()) return slot.status();
  WIRE_RETURN_IF_ERROR(CheckPresent("context", proto->has_context()));
  absl::StatusOr<Context> context = DecodeContext(proto->context(), reader);
  if (!context.ok()) return Within("context", context.status());
  return DropAsk{*slot, proto->attempt(), *std::move(context),
                 proto->last_access_hash()};
}

absl::StatusOr<DropConsent> Decode(v1::DropConsent* proto,
                                   const MessageReader& reader) {
  const absl::StatusOr<SlotId> slot = reader.Slot("slot", proto->slot());
  if (!slot.ok()) return slot.status();
  return DropConsent{*slot, proto->attempt()};
}

absl::StatusOr<Resync> Decode(v1::Resync* proto, const MessageReader& reader) {
  Resync resync;
  for (int i = 0; i < proto->slots_size(); ++i) {
    const absl::StatusOr<SlotId> slot = NextSlot(proto->slots(), i, reader);
    if (!slot.ok()) return slot.status();
    resync.slots.push_back(*slot);
  }
  return resync;
}

}  // namespace sessionmesh::wire
