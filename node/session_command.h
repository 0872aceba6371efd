#ifndef NODE_SESSION_COMMAND_H_
#define NODE_SESSION_COMMAND_H_

#include "node/session_codec.h"
#include "proto/session.pb.h"
#include "replication/command.h"

namespace sessionmesh::node {

// Calls of SessionService in the form that they have inside of a Pipeline, and
// between nodes: one of several commands, and its result. Thread-safe.

DecodedCommand DecodeCommand(const SessionCodec& codec,
                             const v1::PipelineRequest& request);

// The result of a command of this kind; an error if the reply is one.
v1::PipelineResponse EncodeResult(const SessionCodec& codec,
                                  v1::PipelineRequest::CommandCase command,
                                  replication::Reply reply);

v1::PipelineRequest AsCommand(const v1::CreateRequest& request);
v1::PipelineRequest AsCommand(const v1::GetRequest& request);
v1::PipelineRequest AsCommand(const v1::UpdateRequest& request);
v1::PipelineRequest AsCommand(const v1::TouchRequest& request);
v1::PipelineRequest AsCommand(const v1::DeleteRequest& request);
v1::PipelineRequest AsCommand(const v1::RotateRequest& request);

// Moves out what the command answered. REQUIRES: the result is of that kind.
void TakeResult(v1::PipelineResponse* result, v1::CreateResponse* out);
void TakeResult(v1::PipelineResponse* result, v1::GetResponse* out);
void TakeResult(v1::PipelineResponse* result, v1::UpdateResponse* out);
void TakeResult(v1::PipelineResponse* result, v1::TouchResponse* out);
void TakeResult(v1::PipelineResponse* result, v1::DeleteResponse* out);
void TakeResult(v1::PipelineResponse* result, v1::RotateResponse* out);

// Whether `result` is an error, or answers a command of this kind.
bool Answers(const v1::PipelineResponse& result,
             v1::PipelineRequest::CommandCase command);

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_COMMAND_H_
