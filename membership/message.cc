#include "membership/message.h"

#include "membership/limits.h"

namespace sessionmesh::membership {
namespace {

// What a field takes besides its content, see the header.
constexpr size_t kTagBytes = 1;
constexpr size_t kLengthBytesMax = 2;
constexpr size_t kIntegerBytesMax = 10;
constexpr size_t kEnumBytes = 1;
constexpr size_t kFrameHeaderBytes = 12;

size_t StringFieldBytesMax(const std::string& value) {
  return kTagBytes + kLengthBytesMax + value.size();
}

// A varint of `value`, or the eight bytes of a fixed64.
size_t IntegerFieldBytesMax(uint64_t value) {
  size_t varint = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++varint;
  }
  return kTagBytes + (varint > 8 ? kIntegerBytesMax : 8);
}

size_t SenderBytesMax(const Sender& sender) {
  return kTagBytes + kLengthBytesMax + StringFieldBytesMax(sender.name) +
         StringFieldBytesMax(sender.address) +
         IntegerFieldBytesMax(sender.generation) +
         IntegerFieldBytesMax(sender.incarnation) +
         StringFieldBytesMax(sender.zone);
}

// The three bodies with content have the same fields.
size_t BodyBytesMax(const NodeName& name, Generation generation,
                    uint64_t sequence) {
  return IntegerFieldBytesMax(sequence) + StringFieldBytesMax(name) +
         IntegerFieldBytesMax(generation);
}

struct BodySize {
  size_t operator()(const Ping& ping) const {
    return BodyBytesMax(ping.target, ping.target_generation, ping.sequence);
  }
  size_t operator()(const PingReq& request) const {
    return BodyBytesMax(request.target, request.target_generation,
                        request.sequence);
  }
  size_t operator()(const Ack& ack) const {
    return BodyBytesMax(ack.subject, ack.subject_generation, ack.sequence);
  }
  size_t operator()(const Gossip&) const { return 0; }
};

bool IsValidName(const NodeName& name) {
  return !name.empty() && name.size() <= kNameBytesMax;
}

bool IsValidAddress(const Address& address) {
  return !address.empty() && address.size() <= kAddressBytesMax;
}

bool IsValidZone(const Zone& zone) { return zone.size() <= kZoneBytesMax; }

}  // namespace

size_t UpdateBytesMax(const Update& update) {
  return kTagBytes + kLengthBytesMax + StringFieldBytesMax(update.name) +
         StringFieldBytesMax(update.address) +
         IntegerFieldBytesMax(update.claim.generation) +
         IntegerFieldBytesMax(update.claim.incarnation) + kTagBytes +
         kEnumBytes + StringFieldBytesMax(update.accuser) +
         StringFieldBytesMax(update.zone);
}

size_t DatagramOverheadBytesMax(const Datagram& datagram) {
  return kFrameHeaderBytes + SenderBytesMax(datagram.from) + kTagBytes +
         kLengthBytesMax + std::visit(BodySize(), datagram.body);
}

bool IsValid(const Update& update) {
  const Claim& claim = update.claim;
  if (!IsValidName(update.name) || !IsValidAddress(update.address) ||
      !IsValidZone(update.zone)) {
    return false;
  }
  if (claim.generation > kGenerationMax ||
      claim.incarnation > kIncarnationMax) {
    return false;
  }
  switch (claim.state) {
    case State::kAlive:
    case State::kLeft:
      return update.accuser.empty();
    case State::kSuspect:
    case State::kDead:
      return IsValidName(update.accuser);
  }
  return false;
}

bool IsValid(const Sender& sender) {
  return IsValidName(sender.name) && IsValidAddress(sender.address) &&
         IsValidZone(sender.zone) && sender.generation <= kGenerationMax &&
         sender.incarnation <= kIncarnationMax;
}

}  // namespace sessionmesh::membership
