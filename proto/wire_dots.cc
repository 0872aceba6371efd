#include "proto/wire_dots.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/limits.h"
#include "proto/wire_check.h"

namespace sessionmesh::wire {
namespace {

using replication::ActorId;
using replication::Dot;
using replication::Hlc;

// Small numbers of either sign as small numbers (Protocol Buffers' sint64).
uint64_t ZigZag(uint64_t difference) {
  return difference << 1 ^ (difference >> 63 == 0 ? 0 : ~uint64_t{0});
}
uint64_t UnZigZag(uint64_t number) {
  return number >> 1 ^ ((number & 1) == 0 ? 0 : ~uint64_t{0});
}

int64_t BirthMillis(ActorId actor) {
  return absl::ToUnixMillis(replication::ActorEpoch(actor));
}

}  // namespace

MessageWriter::MessageWriter(uint32_t lane, v1::LaneMessage* out) : out_(out) {
  out->Clear();
  out->set_lane(lane);
}

uint32_t MessageWriter::ActorIndex(ActorId actor) {
  const auto [it, is_new] =
      indices_.try_emplace(actor, static_cast<uint32_t>(out_->actors_size()));
  if (is_new) out_->add_actors(actor);
  return it->second;
}

void MessageWriter::Write(const Dot& dot, DotCursor* before, Numbers* list) {
  const uint32_t actor = ActorIndex(dot.actor);
  const bool other = actor != before->actor;
  // Differences wrap around; so does the decoder's sum.
  list->Add(ZigZag(before->counter - dot.counter) << 1 | (other ? 1 : 0));
  if (other) list->Add(actor);
  *before = {actor, dot.counter};
}

absl::StatusOr<MessageReader> MessageReader::Make(
    const v1::LaneMessage& message, const WireContext& context) {
  WIRE_RETURN_IF_ERROR(
      CheckNumber("lane", message.lane(), 0, context.lane_count - 1));
  const auto count = static_cast<size_t>(message.actors_size());
  WIRE_RETURN_IF_ERROR(CheckCount("actors", count, kActorsMax));
  for (size_t i = 0; i < count; ++i) {
    if (message.actors(static_cast<int>(i)) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("actors[", i, "] is 0, which is no actor"));
    }
  }
  return MessageReader(message, context);
}

absl::StatusOr<ActorId> MessageReader::Actor(absl::string_view field,
                                             uint32_t index) const {
  if (index < static_cast<uint32_t>(actors_->size())) {
    return actors_->Get(static_cast<int>(index));
  }
  return absl::InvalidArgumentError(absl::StrCat(field, " is index ", index,
                                                 "; the message has ",
                                                 actors_->size(), " actors"));
}

absl::StatusOr<replication::SlotId> MessageReader::Slot(absl::string_view field,
                                                        uint32_t slot) const {
  WIRE_RETURN_IF_ERROR(CheckNumber(field, slot, 0, context_.slot_count - 1));
  if (slot % context_.lane_count != lane_) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, " is ", slot, ", which is of lane ", slot % context_.lane_count,
        "; the message is of lane ", lane_));
  }
  return static_cast<replication::SlotId>(slot);
}

absl::StatusOr<Dot> MessageReader::Next(const Numbers& list, int* at,
                                        DotCursor* before) const {
  const uint64_t number = list.Get((*at)++);
  if ((number & 1) != 0) {
    if (*at == list.size()) {
      return absl::InvalidArgumentError(
          "actor is missing: the list ends before its index");
    }
    const uint64_t index = list.Get((*at)++);
    WIRE_RETURN_IF_ERROR(CheckNumber("actor", index, 0, UINT32_MAX));
    before->actor = static_cast<uint32_t>(index);
  }
  const absl::StatusOr<ActorId> actor = Actor("actor", before->actor);
  if (!actor.ok()) return actor.status();
  before->counter -= UnZigZag(number >> 1);
  WIRE_RETURN_IF_ERROR(CheckNumber("counter", before->counter, 1, kCounterMax));
  return Dot{*actor, before->counter};
}

absl::StatusOr<std::vector<Dot>> MessageReader::Dots(absl::string_view field,
                                                     const Numbers& list,
                                                     DotCursor before,
                                                     size_t max,
                                                     DotOrder order) const {
  std::vector<Dot> dots;
  dots.reserve(std::min(max, static_cast<size_t>(list.size())));
  for (int at = 0; at < list.size();) {
    if (dots.size() == max) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, " has more than ", max, " elements, which is the limit"));
    }
    const absl::StatusOr<Dot> dot = Next(list, &at, &before);
    if (!dot.ok()) return WithinElement(field, dots.size(), dot.status());
    if (order == DotOrder::kAscending && !dots.empty() && *dot <= dots.back()) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, "[", dots.size(), "] is ", DotName(*dot),
                       ", not above ", DotName(dots.back()), " before it"));
    }
    dots.push_back(*dot);
  }
  return dots;
}

absl::StatusOr<Dot> MessageReader::OneDot(absl::string_view field,
                                          const Numbers& list,
                                          DotCursor* before) const {
  WIRE_RETURN_IF_ERROR(CheckPresent(field, !list.empty()));
  int at = 0;
  absl::StatusOr<Dot> dot = Next(list, &at, before);
  if (!dot.ok()) return Within(field, dot.status());
  if (at != list.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, " has more than one element"));
  }
  return dot;
}

RelativeHlc EncodeHlc(Hlc hlc, ActorId actor) {
  return {replication::HlcMillis(hlc) - BirthMillis(actor),
          static_cast<uint32_t>(hlc & 0xffff)};
}

absl::StatusOr<Hlc> DecodeHlc(RelativeHlc relative, ActorId actor) {
  WIRE_RETURN_IF_ERROR(CheckNumber("hlc_logical", relative.logical, 0, 0xffff));
  // Both below 2^48, so the sum cannot overflow.
  if (relative.ms >= -kMillisMax && relative.ms <= kMillisMax) {
    const int64_t ms = BirthMillis(actor) + relative.ms;
    if (ms >= 0 && ms <= kMillisMax) {
      return replication::MakeHlc(ms, static_cast<uint16_t>(relative.logical));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "hlc_ms is ", relative.ms, " after the birth of its actor, at ",
      BirthMillis(actor), "; the clock must be from 0 to ", kMillisMax));
}

}  // namespace sessionmesh::wire
