#ifndef PROTO_WIRE_DOTS_H_
#define PROTO_WIRE_DOTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "proto/wire_replication.h"
#include "replication/types.h"

namespace sessionmesh::wire {

// What all parts of one lane message share: its table of actors, and the lists
// of dots that refer to it (format: peer.proto, LaneMessage). Used by the
// encoders and decoders of this folder only.

using Numbers = google::protobuf::RepeatedField<uint64_t>;

// The dot before the next one of a list, with its actor as an index. As it
// begins: the origin.
struct DotCursor {
  uint32_t actor = 0;
  uint64_t counter = 0;
};

// Fills the table while a message is written.
class MessageWriter {
 public:
  // Clears `out`, which must outlive this.
  MessageWriter(uint32_t lane, v1::LaneMessage* out);

  v1::LaneMessage* out() { return out_; }

  uint32_t ActorIndex(replication::ActorId actor);

  // A list can begin behind this dot.
  DotCursor After(const replication::Dot& dot) {
    return {ActorIndex(dot.actor), dot.counter};
  }

  // Appends one dot and moves the cursor on to it.
  void Write(const replication::Dot& dot, DotCursor* before, Numbers* list);
  template <typename Dots>
  void WriteAll(const Dots& dots, DotCursor before, Numbers* list) {
    for (const replication::Dot& dot : dots) Write(dot, &before, list);
  }

 private:
  v1::LaneMessage* out_;
  absl::flat_hash_map<replication::ActorId, uint32_t> indices_;
};

enum class DotOrder {
  kAny,
  kAscending,  // and distinct
};

// Looks into the table, and reads and checks what refers to it. Refers to the
// message.
class MessageReader {
 public:
  // Checks lane and table.
  static absl::StatusOr<MessageReader> Make(const v1::LaneMessage& message,
                                            const WireContext& context);

  uint32_t lane() const { return lane_; }

  absl::StatusOr<replication::ActorId> Actor(absl::string_view field,
                                             uint32_t index) const;

  // A slot that exists and belongs to the lane.
  absl::StatusOr<replication::SlotId> Slot(absl::string_view field,
                                           uint32_t slot) const;

  // All dots of a list.
  absl::StatusOr<std::vector<replication::Dot>> Dots(absl::string_view field,
                                                     const Numbers& list,
                                                     DotCursor before,
                                                     size_t max,
                                                     DotOrder order) const;
  // The dot of a list that holds exactly one. The cursor moves on to it.
  absl::StatusOr<replication::Dot> OneDot(absl::string_view field,
                                          const Numbers& list,
                                          DotCursor* before) const;

 private:
  MessageReader(const v1::LaneMessage& message, const WireContext& context)
      : lane_(message.lane()), actors_(&message.actors()), context_(context) {}

  // Reads the dot at list[*at], moves `at` behind it.
  absl::StatusOr<replication::Dot> Next(const Numbers& list, int* at,
                                        DotCursor* before) const;

  uint32_t lane_;
  const Numbers* actors_;
  WireContext context_;
};

// The two parts of a clock, told by the birth of the actor that minted the dot.
struct RelativeHlc {
  int64_t ms = 0;
  uint32_t logical = 0;
};
RelativeHlc EncodeHlc(replication::Hlc hlc, replication::ActorId actor);
absl::StatusOr<replication::Hlc> DecodeHlc(RelativeHlc relative,
                                           replication::ActorId actor);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_DOTS_H_
