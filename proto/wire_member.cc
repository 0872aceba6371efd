#include "proto/wire_member.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_info.h"

namespace sessionmesh::wire {
namespace {

using membership::Sender;
using membership::State;
using membership::Update;

v1::MemberState Encode(State state) {
  switch (state) {
    case State::kAlive:
      return v1::MEMBER_STATE_ALIVE;
    case State::kSuspect:
      return v1::MEMBER_STATE_SUSPECT;
    case State::kDead:
      return v1::MEMBER_STATE_DEAD;
    case State::kLeft:
      return v1::MEMBER_STATE_LEFT;
  }
  return v1::MEMBER_STATE_UNSPECIFIED;
}

void EncodeUpdate(const Update& update, v1::Update* out) {
  out->set_name(update.name);
  out->set_address(update.address);
  out->set_generation(update.claim.generation);
  out->set_incarnation(update.claim.incarnation);
  out->set_state(Encode(update.claim.state));
  out->set_accuser(update.accuser);
  out->set_zone(update.zone);
}

std::optional<State> Decode(v1::MemberState state) {
  switch (state) {
    case v1::MEMBER_STATE_ALIVE:
      return State::kAlive;
    case v1::MEMBER_STATE_SUSPECT:
      return State::kSuspect;
    case v1::MEMBER_STATE_DEAD:
      return State::kDead;
    case v1::MEMBER_STATE_LEFT:
      return State::kLeft;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Update> DecodeUpdate(const v1::Update& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("address", proto.has_address()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("incarnation", proto.has_incarnation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("state", proto.has_state()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  WIRE_RETURN_IF_ERROR(CheckAddress("address", proto.address()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("generation", proto.generation(), 0, kGenerationMax));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("incarnation", proto.incarnation(), 0, kIncarnationMax));
  const std::optional<State> state = Decode(proto.state());
  if (!state) {
    return absl::InvalidArgumentError(absl::StrCat(
        "state is ", static_cast<int>(proto.state()), "; 1 to 4 are known"));
  }
  if (*state == State::kSuspect || *state == State::kDead) {
    WIRE_RETURN_IF_ERROR(CheckNodeName("accuser", proto.accuser()));
  } else {
    WIRE_RETURN_IF_ERROR(
        CheckAbsent("accuser", proto.accuser().empty(),
                    absl::StrCat("the state is ", StateName(*state))));
  }
  WIRE_RETURN_IF_ERROR(CheckZone("zone", proto.zone()));
  return Update{proto.name(),
                proto.address(),
                {proto.generation(), proto.incarnation(), *state},
                proto.accuser(),
                proto.zone()};
}

}  // namespace

void EncodeSender(const Sender& sender, v1::Sender* out) {
  out->set_name(sender.name);
  out->set_address(sender.address);
  out->set_generation(sender.generation);
  out->set_incarnation(sender.incarnation);
  out->set_zone(sender.zone);
}

absl::StatusOr<Sender> DecodeSender(const v1::Sender& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("address", proto.has_address()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("incarnation", proto.has_incarnation()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  WIRE_RETURN_IF_ERROR(CheckAddress("address", proto.address()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("generation", proto.generation(), 0, kGenerationMax));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("incarnation", proto.incarnation(), 0, kIncarnationMax));
  WIRE_RETURN_IF_ERROR(CheckZone("zone", proto.zone()));
  return Sender{proto.name(), proto.address(), proto.generation(),
                proto.incarnation(), proto.zone()};
}

void EncodeUpdates(const std::vector<Update>& updates, UpdateProtos* out) {
  for (const Update& update : updates) EncodeUpdate(update, out->Add());
}

absl::StatusOr<std::vector<Update>> DecodeUpdates(absl::string_view field,
                                                  const UpdateProtos& protos,
                                                  size_t max) {
  const auto count = static_cast<size_t>(protos.size());
  WIRE_RETURN_IF_ERROR(CheckCount(field, count, max));
  std::vector<Update> updates;
  updates.reserve(count);
  for (const v1::Update& proto : protos) {
    absl::StatusOr<Update> update = DecodeUpdate(proto);
    if (!update.ok()) {
      return WithinElement(field, updates.size(), update.status());
    }
    updates.push_back(*std::move(update));
  }
  return updates;
}

void EncodeSubject(const membership::NodeName& name,
                   membership::Generation generation, v1::Subject* out) {
  out->set_name(name);
  out->set_generation(generation);
}

absl::Status CheckSubject(const v1::Subject& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  return CheckNumber("generation", proto.generation(), 0, kGenerationMax);
}

}  // namespace sessionmesh::wire
