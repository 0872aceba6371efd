#include "node/session_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "node/proto_time.h"
#include "node/random_bytes.h"
#include "replication/command_check.h"

namespace sessionmesh::node {
namespace {

using replication::Command;
using replication::Consistency;
using replication::Durability;
using replication::Reason;

constexpr char kErrorInfoUrl[] = "type.googleapis.com/sessionmesh.v1.ErrorInfo";

void Refuse(Reason reason, absl::Status status, DecodedCommand* decoded) {
  if (!decoded->status.ok()) return;  // the first problem is the one reported
  decoded->status = std::move(status);
  decoded->failure.reason = reason;
}

void RefuseField(absl::string_view message, DecodedCommand* decoded) {
  Refuse(Reason::kInvalidField, absl::InvalidArgumentError(message), decoded);
}

void DecodeDurability(v1::Durability durability, Durability fallback,
                      DecodedCommand* decoded) {
  switch (durability) {
    case v1::DURABILITY_DEFAULT:
      decoded->command.durability = fallback;
      return;
    case v1::DURABILITY_LOCAL:
      decoded->command.durability = Durability::kLocal;
      return;
    case v1::DURABILITY_ONE:
      decoded->command.durability = Durability::kOne;
      return;
    case v1::DURABILITY_QUORUM:
      decoded->command.durability = Durability::kQuorum;
      return;
    case v1::DURABILITY_ALL:
      decoded->command.durability = Durability::kAll;
      return;
    default:
      RefuseField(absl::StrCat("durability ", static_cast<int>(durability),
                               " is unknown; known are 0 to 4"),
                  decoded);
  }
}

void DecodeConsistency(v1::Consistency consistency, Consistency fallback,
                       DecodedCommand* decoded) {
  switch (consistency) {
    case v1::CONSISTENCY_DEFAULT:
      decoded->command.consistency = fallback;
      return;
    case v1::CONSISTENCY_LOCAL:
      decoded->command.consistency = Consistency::kLocal;
      return;
    case v1::CONSISTENCY_SESSION:
      decoded->command.consistency = Consistency::kSession;
      return;
    case v1::CONSISTENCY_QUORUM:
      decoded->command.consistency = Consistency::kQuorum;
      return;
    default:
      RefuseField(absl::StrCat("consistency ", static_cast<int>(consistency),
                               " is unknown; known are 0 to 3"),
                  decoded);
  }
}

// A lifetime that is absent stays zero: the default. One that is there must be
// positive.
absl::Duration DecodeLifetime(absl::string_view field, bool there,
                              const google::protobuf::Duration& proto,
                              DecodedCommand* decoded) {
  if (!there) return absl::ZeroDuration();
  const absl::StatusOr<absl::Duration> duration = FromProto(proto);
  if (!duration.ok()) {
    RefuseField(absl::StrCat(field, ": ", duration.status().message()),
                decoded);
    return absl::ZeroDuration();
  }
  if (*duration <= absl::ZeroDuration()) {
    RefuseField(
        absl::StrCat(field, " is ", absl::FormatDuration(*duration),
                     "; it must be positive, or absent for the default"),
        decoded);
  }
  return *duration;
}

template <typename Strings>
std::vector<std::string> ToVector(const Strings& strings) {
  return {strings.begin(), strings.end()};
}

template <typename Map>
std::map<std::string, std::string> ToMap(const Map& map) {
  return {map.begin(), map.end()};
}

void EncodeSession(replication::SessionView view, v1::Session* session) {
  session->set_id(std::move(view.id));
  auto& attributes = *session->mutable_attributes();
  for (auto& [name, value] : view.attributes) {
    attributes[name] = std::move(value);
  }
  session->set_user(std::move(view.user));
  *session->mutable_idle_timeout() = ToProto(view.idle);
  *session->mutable_last_access() = ToProto(view.last_access);
  *session->mutable_absolute_deadline() = ToProto(view.deadline);
}

v1::Reason EncodeReason(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return v1::REASON_UNSPECIFIED;
    case Reason::kSessionNotFound:
      return v1::REASON_SESSION_NOT_FOUND;
    case Reason::kStale:
      return v1::REASON_STALE;
    case Reason::kWriteLost:
      return v1::REASON_WRITE_LOST;
    case Reason::kPreconditionFailed:
      return v1::REASON_PRECONDITION_FAILED;
    case Reason::kAlreadyExists:
      return v1::REASON_ALREADY_EXISTS;
    case Reason::kInvalidToken:
      return v1::REASON_INVALID_TOKEN;
    case Reason::kInvalidId:
      return v1::REASON_INVALID_ID;
    case Reason::kInvalidField:
      return v1::REASON_INVALID_FIELD;
    case Reason::kLimit:
      return v1::REASON_LIMIT;
    case Reason::kNotReady:
      return v1::REASON_NOT_READY;
    case Reason::kDurabilityUnmet:
      return v1::REASON_DURABILITY_UNMET;
    case Reason::kNoQuorum:
      return v1::REASON_NO_QUORUM;
    case Reason::kShuttingDown:
      return v1::REASON_SHUTTING_DOWN;
  }
  return v1::REASON_UNSPECIFIED;
}

v1::SessionEnded::Reason EncodeEnd(replication::WatchUpdate::End end) {
  switch (end) {
    case replication::WatchUpdate::End::kNone:
      return v1::SessionEnded::REASON_UNSPECIFIED;
    case replication::WatchUpdate::End::kDeleted:
      return v1::SessionEnded::DELETED;
    case replication::WatchUpdate::End::kIdle:
      return v1::SessionEnded::IDLE;
    case replication::WatchUpdate::End::kDeadline:
      return v1::SessionEnded::ABSOLUTE_DEADLINE;
    case replication::WatchUpdate::End::kRotated:
      return v1::SessionEnded::ID_ROTATED;
    case replication::WatchUpdate::End::kRevoked:
      return v1::SessionEnded::REVOKED;
  }
  return v1::SessionEnded::REASON_UNSPECIFIED;
}

}  // namespace

SessionCodec::SessionCodec(const Defaults& defaults,
                           const replication::SessionIds* ids,
                           const replication::KeyedHash* key, std::string node,
                           ChooseSlot choose_slot)
    : defaults_(defaults),
      ids_(ids),
      key_(key),
      node_(std::move(node)),
      choose_slot_(std::move(choose_slot)) {}

void SessionCodec::RouteById(absl::string_view id,
                             DecodedCommand* decoded) const {
  decoded->command.session_id = std::string(id);
  const absl::StatusOr<replication::SlotId> slot = ids_->SlotOf(id);
  if (slot.ok()) {
    decoded->command.slot = *slot;
  } else {
    if (decoded->status.ok()) decoded->status = slot.status();
    // Whoever has asked already whether it may be created was told the same.
    if (decoded->status == slot.status()) {
      decoded->failure = replication::FailureOfId(id, slot.status());
    }
  }
}

void SessionCodec::ChooseId(DecodedCommand* decoded) const {
  // A retry has to mean the same session, so slot and id follow from the
  // request id, which is as random as an id; on another node too, as long as
  // both serve the slot.
  const std::string& request = decoded->command.request_id;
  const uint64_t number =
      request.empty() ? RandomUint64() : key_->Hash("create", request);
  const replication::SlotId slot = choose_slot_(number);
  decoded->command.slot = slot;
  decoded->command.session_id =
      ids_->MakeNative(slot, request.empty() ? RandomBytes<16>()
                                             : ids_->EntropyOfRequest(request));
}

DecodedCommand SessionCodec::Decode(const v1::CreateRequest& request) const {
  DecodedCommand decoded;
  Command& command = decoded.command;
  command.kind = Command::Kind::kCreate;
  command.request_id = request.request_id();
  if (request.id().empty()) {
    ChooseId(&decoded);
  } else {
    const absl::Status allowed = ids_->CheckForeign(request.id());
    if (!allowed.ok()) Refuse(Reason::kInvalidId, allowed, &decoded);
    RouteById(request.id(), &decoded);
  }
  command.set = ToMap(request.attributes());
  if (!request.user().empty()) command.user = request.user();
  command.idle = DecodeLifetime("idle_timeout", request.has_idle_timeout(),
                                request.idle_timeout(), &decoded);
  command.absolute_lifetime =
      DecodeLifetime("absolute_lifetime", request.has_absolute_lifetime(),
                     request.absolute_lifetime(), &decoded);
  DecodeDurability(request.durability(), defaults_.durability, &decoded);
  command.strict = request.strict();
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::GetRequest& request) const {
  DecodedCommand decoded;
  Command& command = decoded.command;
  command.kind = Command::Kind::kGet;
  RouteById(request.id(), &decoded);
  command.tokens = ToVector(request.tokens());
  DecodeConsistency(request.consistency(), defaults_.consistency, &decoded);
  command.strict = request.strict();
  command.peek = request.peek();
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::UpdateRequest& request) const {
  DecodedCommand decoded;
  Command& command = decoded.command;
  command.kind = Command::Kind::kUpdate;
  RouteById(request.id(), &decoded);
  command.upsert = request.upsert();
  command.tokens = ToVector(request.tokens());
  command.set = ToMap(request.set());
  command.unset = ToVector(request.unset());
  command.if_version = request.if_version();
  command.if_absent = ToVector(request.if_absent());
  DecodeDurability(request.durability(), defaults_.durability, &decoded);
  command.strict = request.strict();
  command.request_id = request.request_id();
  if (request.has_user()) command.user = request.user();
  command.return_session = request.return_session();
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::TouchRequest& request) const {
  DecodedCommand decoded;
  decoded.command.kind = Command::Kind::kTouch;
  RouteById(request.id(), &decoded);
  decoded.command.tokens = ToVector(request.tokens());
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::DeleteRequest& request) const {
  DecodedCommand decoded;
  Command& command = decoded.command;
  command.kind = Command::Kind::kDelete;
  RouteById(request.id(), &decoded);
  command.tokens = ToVector(request.tokens());
  // A logout has to hold whatever dies next.
  DecodeDurability(request.durability(), Durability::kQuorum, &decoded);
  command.strict = request.strict();
  command.request_id = request.request_id();
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::RotateRequest& request) const {
  DecodedCommand decoded;
  Command& command = decoded.command;
  command.kind = Command::Kind::kRotate;
  RouteById(request.id(), &decoded);
  command.tokens = ToVector(request.tokens());
  command.set = ToMap(request.set());
  command.unset = ToVector(request.unset());
  DecodeDurability(request.durability(), defaults_.durability, &decoded);
  command.strict = request.strict();
  command.request_id = request.request_id();
  if (request.has_user()) command.user = request.user();
  if (decoded.status.ok()) {
    command.new_session_id = ids_->MakeNative(
        *command.slot, request.request_id().empty()
                           ? RandomBytes<16>()
                           : ids_->EntropyOfRequest(request.request_id()));
  }
  return decoded;
}

DecodedCommand SessionCodec::Decode(const v1::WatchRequest& request) const {
  DecodedCommand decoded;
  RouteById(request.id(), &decoded);
  decoded.command.tokens = ToVector(request.tokens());
  return decoded;
}

void SessionCodec::EncodeInfo(replication::Reply* reply,
                              v1::ReplyInfo* out) const {
  out->set_token(std::move(reply->token));
  out->set_node(node_);
  out->set_degraded(reply->degraded);
  out->set_degraded_reason(std::move(reply->degraded_reason));
  out->set_replicas(reply->replicas);
  out->set_caught_up(reply->caught_up);
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::CreateResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
  if (reply.session.has_value()) {
    EncodeSession(*std::move(reply.session), out->mutable_session());
  }
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::GetResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
  if (reply.session.has_value()) {
    EncodeSession(*std::move(reply.session), out->mutable_session());
  }
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::UpdateResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
  out->set_created(reply.created);
  if (reply.session.has_value()) {
    EncodeSession(*std::move(reply.session), out->mutable_session());
  }
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::TouchResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
  if (reply.session.has_value()) {
    *out->mutable_absolute_deadline() = ToProto(reply.session->deadline);
  }
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::DeleteResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
}

void SessionCodec::Encode(replication::Reply reply,
                          v1::RotateResponse* out) const {
  EncodeInfo(&reply, out->mutable_info());
  if (reply.session.has_value()) {
    EncodeSession(*std::move(reply.session), out->mutable_session());
  }
}

v1::WatchResponse SessionCodec::Encode(replication::WatchUpdate update) const {
  v1::WatchResponse response;
  if (update.end != replication::WatchUpdate::End::kNone) {
    response.mutable_ended()->set_reason(EncodeEnd(update.end));
  } else if (update.session.has_value()) {
    EncodeSession(*std::move(update.session), response.mutable_session());
  }
  response.set_token(std::move(update.token));
  return response;
}

v1::ErrorInfo EncodeFailure(const replication::Failure& failure) {
  v1::ErrorInfo info;
  info.set_reason(EncodeReason(failure.reason));
  info.set_applied(failure.applied);
  info.set_missing_writer(failure.missing_writer);
  info.set_missing_writer_alive(failure.missing_writer_alive);
  info.set_behind(failure.behind);
  info.set_limit_name(failure.limit_name);
  info.set_limit(failure.limit);
  info.set_value(failure.value);
  return info;
}

v1::ErrorInfo EncodeFailure(replication::Reply reply) {
  v1::ErrorInfo info = EncodeFailure(reply.failure);
  info.set_replicas(reply.replicas);
  info.set_token(std::move(reply.token));
  if (reply.session.has_value()) {
    EncodeSession(*std::move(reply.session), info.mutable_session());
  }
  return info;
}

grpc::Status FailedCall(const absl::Status& status, const v1::ErrorInfo& info) {
  v1::StatusDetails details;
  details.set_code(static_cast<int32_t>(status.code()));
  details.set_message(std::string(status.message()));
  google::protobuf::Any* any = details.add_details();
  any->set_type_url(kErrorInfoUrl);
  any->set_value(info.SerializeAsString());
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()),
                      details.SerializeAsString());
}

v1::Error FailedCommand(const absl::Status& status, v1::ErrorInfo info) {
  v1::Error error;
  error.set_code(static_cast<int32_t>(status.code()));
  error.set_message(std::string(status.message()));
  *error.mutable_info() = std::move(info);
  return error;
}

}  // namespace sessionmesh::node
