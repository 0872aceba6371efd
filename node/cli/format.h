#ifndef NODE_CLI_FORMAT_H_
#define NODE_CLI_FORMAT_H_

#include <string>

#include "absl/time/time.h"
#include "proto/cluster.pb.h"
#include "proto/session.pb.h"

namespace sessionmesh::cli {

// Replies as text for people. Pure: same reply, same style, same text. Session
// ids are credentials and appear only in CreatedText, whose caller asked for
// one. The texts may change; scripts use json.h.

struct Style {
  bool color = false;
  absl::Time now = absl::UnixEpoch();  // ages count from here
};

std::string StatusText(const v1::ClusterStatusResponse& reply,
                       const Style& style);
std::string MembersText(const v1::MembersResponse& reply, const Style& style);
std::string LagText(const v1::ReplicationResponse& reply, const Style& style);
std::string WhereText(const v1::WhereIsResponse& reply, const Style& style);
std::string EventText(const v1::Event& event, const Style& style);

std::string SessionText(const v1::Session& session, const v1::ReplyInfo& info,
                        const Style& style);
// Create and Rotate: the id first.
std::string CreatedText(const v1::Session& session, const v1::ReplyInfo& info);
// Update, Touch and Delete.
std::string WrittenText(const v1::ReplyInfo& info);
std::string WatchText(const v1::WatchResponse& event);

// "healthy" and so on -> how good: 0 unavailable or unknown, 1 degraded, 2.
int VerdictRank(const std::string& verdict);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_FORMAT_H_
