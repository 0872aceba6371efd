#include "replication/config.h"

#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

bool IsPowerOfTwo(uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

absl::Status Bad(absl::string_view what, absl::string_view value,
                 absl::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is ", value, "; ", rule));
}

}  // namespace

absl::Status Config::Validate() const {
  if (!IsPowerOfTwo(slot_count) || slot_count > 65536) {
    return Bad("slot count", absl::StrCat(slot_count),
               "it must be a power of two, at most 65536");
  }
  if (!IsPowerOfTwo(lane_count) || lane_count > slot_count) {
    return Bad("lane count", absl::StrCat(lane_count),
               "it must be a power of two, at most the slot count");
  }
  if (lane >= lane_count) {
    return Bad("lane", absl::StrCat(lane),
               absl::StrCat("it must be below ", lane_count));
  }
  if (replicas == 0) {
    return Bad("the number of replicas", "0", "it must be at least 1");
  }
  if (takeover_delay < absl::ZeroDuration()) {
    return Bad("the takeover delay", absl::FormatDuration(takeover_delay),
               "it must not be negative");
  }
  if (absolute_lifetime_max <= absl::ZeroDuration()) {
    return Bad("the greatest absolute lifetime",
               absl::FormatDuration(absolute_lifetime_max),
               "it must be positive");
  }
  if (absolute_lifetime_default <= absl::ZeroDuration() ||
      absolute_lifetime_default > absolute_lifetime_max) {
    return Bad("the default absolute lifetime",
               absl::FormatDuration(absolute_lifetime_default),
               absl::StrCat("it must be positive and at most ",
                            absl::FormatDuration(absolute_lifetime_max)));
  }
  if (idle_default < absl::Milliseconds(1) ||
      idle_default > absolute_lifetime_max) {
    return Bad("the default idle timeout", absl::FormatDuration(idle_default),
               absl::StrCat("it must be at least 1ms and at most ",
                            absl::FormatDuration(absolute_lifetime_max)));
  }
  if (clock_offset_max <= absl::ZeroDuration() ||
      clock_offset_max * 8 > absolute_lifetime_max) {
    return Bad("the greatest clock offset",
               absl::FormatDuration(clock_offset_max),
               "it must be positive and at most an eighth of the greatest "
               "absolute lifetime");
  }
  if (session_bytes_max == 0 || attributes_max == 0 || name_bytes_max == 0 ||
      value_bytes_max == 0) {
    return absl::InvalidArgumentError(
        "a size limit of sessions is zero; nothing could be stored");
  }
  // A delta beyond the limits of the wire would be refused by every peer.
  if (name_bytes_max > 1024 || user_bytes_max > (1 << 20) ||
      value_bytes_max > (1 << 20) || attributes_max > 8192 ||
      session_bytes_max > (1 << 20) || frame_bytes_max > (256 << 10) ||
      frame_deltas_max > 16384 || state_part_bytes_max > (1 << 20)) {
    return absl::InvalidArgumentError(
        "a limit is beyond what peers accept: names 1 KiB, attributes 8192, "
        "user, value and session 1 MiB, frames 256 KiB, state parts 1 MiB");
  }
  if (session_bytes_max + (size_t{64} << 10) > queue_bytes_max) {
    return Bad("the session size limit", absl::StrCat(session_bytes_max),
               "a delta of that size must fit into a peer's queue");
  }
  if (parked_lane_bytes_max() < session_bytes_max + (size_t{64} << 10)) {
    return Bad("a lane's share of the parked bytes",
               absl::StrCat(parked_lane_bytes_max()),
               "a delta of the session size limit must fit into it; fewer "
               "lanes, or a higher limit");
  }
  if (frames_in_flight_max == 0 || frame_deltas_max == 0 ||
      pulls_in_flight_max == 0 || transfers_in_flight_max == 0) {
    return absl::InvalidArgumentError(
        "a window is zero; nothing could be sent");
  }
  return absl::OkStatus();
}

}  // namespace sessionmesh::replication
