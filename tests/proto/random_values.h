#ifndef TESTS_PROTO_RANDOM_VALUES_H_
#define TESTS_PROTO_RANDOM_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "membership/message.h"
#include "membership/random.h"
#include "proto/wire.h"
#include "replication/message.h"

namespace sessionmesh::wire::testing {

// The constants that all tests of the codec assume.
inline constexpr WireContext kContext{1024, 8};

// RandomValues makes legal core values of every shape that the wire carries:
// small and large numbers, empty and longer lists, siblings, coalesced groups.
// Same seed, same values, on every compiler.
class RandomValues {
 public:
  explicit RandomValues(uint64_t seed);

  // --- membership
  membership::Sender Sender();
  membership::Zone Zone();
  membership::Update Update();
  membership::Datagram Datagram();
  membership::Request Request();
  membership::Reply Reply();
  // What the sender of a request or reply says about itself.
  NodeInfo InfoOf(const membership::Sender& sender);

  // --- replication
  // One of the alternatives of replication::Message, by its index, for `lane`.
  replication::Message Message(size_t alternative, uint32_t lane);
  replication::Delta Delta(replication::Delta::Kind kind,
                           replication::SlotId slot);
  replication::DeltaPtr AnyDelta(replication::SlotId slot);
  replication::Context Context();
  replication::Life Life();

  uint32_t Lane();
  replication::SlotId Slot(uint32_t lane);
  Random& random() { return random_; }

 private:
  std::string Name();
  std::string Bytes(size_t max);
  std::string AttributeName();
  std::string SessionId();
  uint64_t Number(uint64_t max);
  int64_t Millis() { return static_cast<int64_t>(1 + Number(kMillisMax - 1)); }
  replication::ActorId Actor();
  replication::Hlc Clock(replication::ActorId actor);
  replication::Dot Dot();
  // Up to `max`, ascending, distinct; of `actor`, if there are any, only those
  // below `below`.
  std::vector<replication::Dot> Dots(size_t min, size_t max,
                                     replication::Dot below);
  std::vector<replication::DeltaPtr> Deltas(replication::SlotId slot);
  std::vector<replication::SlotDot> SlotDots(uint32_t lane);
  std::vector<replication::SlotId> Slots(uint32_t lane);
  replication::Op Op(const replication::Delta& delta, size_t index);
  replication::SnapshotLife SnapshotLife();
  replication::LastAccess LastAccess();
  replication::PullReply PullReply(uint32_t lane);

  Random random_;
  std::vector<replication::ActorId> actors_;
};

// Whether two messages are the same in everything that the wire carries.
bool Same(const replication::Message& a, const replication::Message& b);

}  // namespace sessionmesh::wire::testing

#endif  // TESTS_PROTO_RANDOM_VALUES_H_
