#ifndef NODE_NODE_EVENTS_H_
#define NODE_NODE_EVENTS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/effects.h"
#include "node/event_log.h"
#include "replication/effects.h"

namespace sessionmesh::node {

// What the cores report, as events of the node: with a severity and a sentence
// that a person understands. Pure functions.

NodeEvent DescribeEvent(const membership::Event& event);
NodeEvent DescribeEvent(const replication::Event& event, absl::Time wall);

// An event of area "node".
NodeEvent MakeNodeEvent(absl::Time wall, Severity severity,
                        absl::string_view kind, std::string message);

}  // namespace sessionmesh::node

#endif  // NODE_NODE_EVENTS_H_
