#include "node/session_command.h"

#include <utility>

namespace sessionmesh::node {
namespace {

using Command = v1::PipelineRequest::CommandCase;
using Result = v1::PipelineResponse::ResultCase;

DecodedCommand Unknown() {
  DecodedCommand decoded;
  decoded.status = absl::InvalidArgumentError(
      "the request has no command, or one that this node does not know");
  decoded.failure.reason = replication::Reason::kInvalidField;
  return decoded;
}

void Encode(const SessionCodec& codec, Command command,
            replication::Reply reply, v1::PipelineResponse* out) {
  switch (command) {
    case Command::kCreate:
      codec.Encode(std::move(reply), out->mutable_create());
      return;
    case Command::kGet:
      codec.Encode(std::move(reply), out->mutable_get());
      return;
    case Command::kUpdate:
      codec.Encode(std::move(reply), out->mutable_update());
      return;
    case Command::kTouch:
      codec.Encode(std::move(reply), out->mutable_touch());
      return;
    case Command::kDelete:
      codec.Encode(std::move(reply), out->mutable_delete_());
      return;
    case Command::kRotate:
      codec.Encode(std::move(reply), out->mutable_rotate());
      return;
    case Command::COMMAND_NOT_SET:
      return;
  }
}

}  // namespace

DecodedCommand DecodeCommand(const SessionCodec& codec,
                             const v1::PipelineRequest& request) {
  switch (request.command_case()) {
    case Command::kCreate:
      return codec.Decode(request.create());
    case Command::kGet:
      return codec.Decode(request.get());
    case Command::kUpdate:
      return codec.Decode(request.update());
    case Command::kTouch:
      return codec.Decode(request.touch());
    case Command::kDelete:
      return codec.Decode(request.delete_());
    case Command::kRotate:
      return codec.Decode(request.rotate());
    case Command::COMMAND_NOT_SET:
      break;
  }
  return Unknown();
}

v1::PipelineResponse EncodeResult(const SessionCodec& codec, Command command,
                                  replication::Reply reply) {
  v1::PipelineResponse response;
  if (reply.status.ok()) {
    Encode(codec, command, std::move(reply), &response);
  } else {
    const absl::Status status = reply.status;
    *response.mutable_error() =
        FailedCommand(status, EncodeFailure(std::move(reply)));
  }
  return response;
}

v1::PipelineRequest AsCommand(const v1::CreateRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_create() = request;
  return command;
}

v1::PipelineRequest AsCommand(const v1::GetRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_get() = request;
  return command;
}

v1::PipelineRequest AsCommand(const v1::UpdateRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_update() = request;
  return command;
}

v1::PipelineRequest AsCommand(const v1::TouchRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_touch() = request;
  return command;
}

v1::PipelineRequest AsCommand(const v1::DeleteRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_delete_() = request;
  return command;
}

v1::PipelineRequest AsCommand(const v1::RotateRequest& request) {
  v1::PipelineRequest command;
  *command.mutable_rotate() = request;
  return command;
}

void TakeResult(v1::PipelineResponse* result, v1::CreateResponse* out) {
  *out = std::move(*result->mutable_create());
}

void TakeResult(v1::PipelineResponse* result, v1::GetResponse* out) {
  *out = std::move(*result->mutable_get());
}

void TakeResult(v1::PipelineResponse* result, v1::UpdateResponse* out) {
  *out = std::move(*result->mutable_update());
}

void TakeResult(v1::PipelineResponse* result, v1::TouchResponse* out) {
  *out = std::move(*result->mutable_touch());
}

void TakeResult(v1::PipelineResponse* result, v1::DeleteResponse* out) {
  *out = std::move(*result->mutable_delete_());
}

void TakeResult(v1::PipelineResponse* result, v1::RotateResponse* out) {
  *out = std::move(*result->mutable_rotate());
}

bool Answers(const v1::PipelineResponse& result, Command command) {
  const Result kind = result.result_case();
  if (kind == Result::kError) return true;
  switch (command) {
    case Command::kCreate:
      return kind == Result::kCreate;
    case Command::kGet:
      return kind == Result::kGet;
    case Command::kUpdate:
      return kind == Result::kUpdate;
    case Command::kTouch:
      return kind == Result::kTouch;
    case Command::kDelete:
      return kind == Result::kDelete;
    case Command::kRotate:
      return kind == Result::kRotate;
    case Command::COMMAND_NOT_SET:
      return false;
  }
  return false;
}

}  // namespace sessionmesh::node
