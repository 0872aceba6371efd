#include "proto/wire_context.h"

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"

namespace sessionmesh::wire {
namespace {

using replication::ActorId;
using replication::Context;
using replication::DotRange;

absl::Status CheckColumns(const v1::Context& proto) {
  const auto bounds = static_cast<size_t>(proto.bounds_size());
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "range_counts", static_cast<size_t>(proto.range_counts_size()), "actors",
      static_cast<size_t>(proto.actors_size())));
  WIRE_RETURN_IF_ERROR(CheckCount("ranges", bounds / 2, kContextRangesMax));
  uint64_t ranges = 0;
  for (uint32_t count : proto.range_counts()) {
    WIRE_RETURN_IF_ERROR(
        CheckNumber("range_counts", count, 1, kContextRangesMax));
    ranges += count;
  }
  return CheckSameCount("bounds", bounds, "the ranges' sum of ends",
                        2 * ranges);
}

// The range that begins `gap` after `end` and holds `more` dots besides its
// first.
absl::StatusOr<DotRange> DecodeRange(ActorId actor, uint64_t end, uint64_t gap,
                                     uint64_t more) {
  // The first range may begin at 1; the others leave at least one dot out, else
  // they were one.
  WIRE_RETURN_IF_ERROR(CheckNumber("gap", gap, end == 0 ? 1 : 2, kCounterMax));
  const uint64_t first = end + gap;
  WIRE_RETURN_IF_ERROR(CheckNumber("first", first, 1, kCounterMax));
  WIRE_RETURN_IF_ERROR(CheckNumber("length", more, 0, kCounterMax - first));
  return DotRange{actor, first, first + more};
}

}  // namespace

void EncodeContext(const Context& context, MessageWriter* writer,
                   v1::Context* out) {
  for (const Context::Entry& entry : context.entries()) {
    out->add_actors(writer->ActorIndex(entry.actor));
    out->add_range_counts(static_cast<uint32_t>(entry.ranges.size()));
    uint64_t end = 0;
    for (const DotRange& range : entry.ranges) {
      out->add_bounds(range.first - end);
      out->add_bounds(range.last - range.first);
      end = range.last;
    }
  }
}

absl::StatusOr<Context> DecodeContext(const v1::Context& proto,
                                      const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(CheckColumns(proto));
  Context context;
  ActorId before = 0;
  int bound = 0;
  for (int i = 0; i < proto.actors_size(); ++i) {
    const absl::StatusOr<ActorId> actor =
        reader.Actor("actors", proto.actors(i));
    if (!actor.ok()) return actor.status();
    if (*actor <= before) {
      return absl::InvalidArgumentError(
          absl::StrCat("actors[", i, "] is ", absl::Hex(*actor), ", not above ",
                       absl::Hex(before), " before it"));
    }
    before = *actor;
    uint64_t end = 0;
    for (uint32_t k = 0; k < proto.range_counts(i); ++k, bound += 2) {
      const absl::StatusOr<DotRange> range = DecodeRange(
          *actor, end, proto.bounds(bound), proto.bounds(bound + 1));
      if (!range.ok()) {
        return WithinElement("bounds", static_cast<size_t>(bound),
                             range.status());
      }
      context.AddRange(*range);
      end = range->last;
    }
  }
  return context;
}

void EncodeLiveHash(const replication::LiveHash& hash, v1::LiveHash* out) {
  out->set_high(hash.high);
  out->set_low(hash.low);
}

replication::LiveHash DecodeLiveHash(const v1::LiveHash& proto) {
  return {proto.high(), proto.low()};
}

}  // namespace sessionmesh::wire
