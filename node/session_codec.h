#ifndef NODE_SESSION_CODEC_H_
#define NODE_SESSION_CODEC_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"
#include "proto/session.pb.h"
#include "replication/command.h"
#include "replication/session_id.h"

namespace sessionmesh::node {

// Between the calls of proto/session.proto and the commands of replication.
// Pure but for new session ids. Thread-safe.

// What is to be done, or why not.
struct DecodedCommand {
  replication::Command command;  // without handle and deadline
  absl::Status status;           // not OK: the call is refused with `failure`
  replication::Failure failure;
};

class SessionCodec {
 public:
  // What a call gets that does not say.
  struct Defaults {
    replication::Consistency consistency = replication::Consistency::kSession;
    replication::Durability durability = replication::Durability::kOne;
  };

  // `ids` and `key` must outlive the codec. `node` is this node's name.
  // `choose_slot` gives a slot for a new session, for a number that is random
  // or follows from the request; the caller may prefer what this node serves.
  using ChooseSlot = std::function<replication::SlotId(uint64_t number)>;
  SessionCodec(const Defaults& defaults, const replication::SessionIds* ids,
               const replication::KeyedHash* key, std::string node,
               ChooseSlot choose_slot);

  DecodedCommand Decode(const v1::CreateRequest& request) const;
  DecodedCommand Decode(const v1::GetRequest& request) const;
  DecodedCommand Decode(const v1::UpdateRequest& request) const;
  DecodedCommand Decode(const v1::TouchRequest& request) const;
  DecodedCommand Decode(const v1::DeleteRequest& request) const;
  DecodedCommand Decode(const v1::RotateRequest& request) const;
  // Fills in the slot of a watch.
  DecodedCommand Decode(const v1::WatchRequest& request) const;

  // REQUIRES: reply.status.ok().
  void Encode(replication::Reply reply, v1::CreateResponse* out) const;
  void Encode(replication::Reply reply, v1::GetResponse* out) const;
  void Encode(replication::Reply reply, v1::UpdateResponse* out) const;
  void Encode(replication::Reply reply, v1::TouchResponse* out) const;
  void Encode(replication::Reply reply, v1::DeleteResponse* out) const;
  void Encode(replication::Reply reply, v1::RotateResponse* out) const;
  v1::WatchResponse Encode(replication::WatchUpdate update) const;

 private:
  void EncodeInfo(replication::Reply* reply, v1::ReplyInfo* out) const;
  // A slot and an id for a session that the caller gave none.
  void ChooseId(DecodedCommand* decoded) const;
  void RouteById(absl::string_view id, DecodedCommand* decoded) const;

  const Defaults defaults_;
  const replication::SessionIds* const ids_;
  const replication::KeyedHash* const key_;
  const std::string node_;
  const ChooseSlot choose_slot_;
};

// The machine-readable part of a failed call.
v1::ErrorInfo EncodeFailure(const replication::Failure& failure);
// Of a reply, with the session and the token that may come with it.
v1::ErrorInfo EncodeFailure(replication::Reply reply);

// The one place where a failure becomes a status of gRPC: code and message as
// they are, `info` as the detail of a google.rpc.Status.
grpc::Status FailedCall(const absl::Status& status, const v1::ErrorInfo& info);
// The same inside a Pipeline.
v1::Error FailedCommand(const absl::Status& status, v1::ErrorInfo info);

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_CODEC_H_
