#ifndef NODE_CLI_JSON_H_
#define NODE_CLI_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "proto/cluster.pb.h"
#include "proto/session.pb.h"

namespace sessionmesh::cli {

// Replies as JSON for scripts. Pure. Keys never change and are always there,
// also for zero and empty values; new ones may be added. Times are RFC 3339 in
// UTC, durations are numbers with the unit in the key; null is "not known".
// Attributes that are not printable UTF-8 stand in `attributes_base64` instead
// of `attributes`.
//
// Written with nlohmann::json, not with protobuf's own printer: that one leaves
// out zero values, writes 64-bit numbers as strings and follows every renaming
// of a field, so scripts could not rely on its keys.
//
// Each returns one object and a line feed: indented for replies, on one line
// for what comes in a stream. Session ids appear in CreatedJson, and in
// ErrorJson when a create or rotate failed although it is applied (`id`,
// otherwise null).

std::string StatusJson(const v1::ClusterStatusResponse& reply);
std::string MembersJson(const v1::MembersResponse& reply);
std::string LagJson(const v1::ReplicationResponse& reply);
std::string WhereJson(const v1::WhereIsResponse& reply);
std::string EventJson(const v1::Event& event);

std::string SessionJson(const v1::Session& session, const v1::ReplyInfo& info);
std::string AttributeJson(const std::string& name, const std::string& value,
                          const v1::ReplyInfo& info);
std::string CreatedJson(const v1::Session& session, const v1::ReplyInfo& info);
std::string WrittenJson(const v1::ReplyInfo& info);
std::string WatchJson(const v1::WatchResponse& event);
std::string JoinJson(const v1::JoinResponse& reply);
std::string LeaveJson(const v1::LeaveResponse& reply);
std::string ErrorJson(const absl::Status& status);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_JSON_H_
