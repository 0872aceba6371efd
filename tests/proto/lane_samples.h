#ifndef TESTS_PROTO_LANE_SAMPLES_H_
#define TESTS_PROTO_LANE_SAMPLES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/wire.h"
#include "replication/message.h"

namespace sessionmesh::wire::testing {

// Small, fixed messages about one slot of the cluster kContext
// (random_values.h), for the tests of limits and for the golden bytes.

inline constexpr uint32_t kLane = 1;
inline constexpr replication::SlotId kSlot = 17;  // 17 % 8 == 1
// Born on 2026-01-01T00:00:00Z, and an hour later.
inline const replication::ActorId kAda =
    replication::MakeActorId(absl::FromUnixSeconds(1767225600), 0xada);
inline const replication::ActorId kBob =
    replication::MakeActorId(absl::FromUnixSeconds(1767229200), 0xb0b);
// Ten minutes after that.
inline const replication::Hlc kNow = replication::MakeHlc(1767229800000, 0);

replication::Delta CreateSample();  // (ada, 10): id and one attribute
replication::Delta UpdateSample();  // (ada, 12): one attribute of 32 bytes,
                                    // name of 8, replaces (ada, 11)
replication::Delta RotateSample();  // (bob, 3)
replication::Delta KillSample();    // (bob, 5)

replication::Life LifeSample();
// All eleven alternatives, in the order of the variant; of PullReply, a state.
std::vector<replication::Message> MessageSamples();

v1::LaneMessage Encoded(const replication::Message& message);
v1::LaneMessage Encoded(const replication::Delta& delta);  // in a Frame

// What the decoder says of a valid message that was changed.
absl::Status Refused(v1::LaneMessage message,
                     const std::function<void(v1::LaneMessage*)>& change);

}  // namespace sessionmesh::wire::testing

#endif  // TESTS_PROTO_LANE_SAMPLES_H_
