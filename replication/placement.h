#ifndef REPLICATION_PLACEMENT_H_
#define REPLICATION_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "membership/member.h"
#include "replication/types.h"

namespace sessionmesh::replication {

using membership::NodeName;

// As many owners as there are nodes.
inline constexpr uint32_t kReplicasAll = std::numeric_limits<uint32_t>::max();

// Placement says which nodes own a slot, from nothing but their names and
// zones: whoever knows the same nodes comes to the same answer.
//
// Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
// increase hit rates", 1998): each node has a weight for each slot, and the
// heaviest own it. A node that comes takes only the slots where it is among the
// heaviest; one that goes gives its place to the next. Names count and not
// processes, so a restart moves nothing.
//
// Zones come first: no zone has two owners of a slot while another, of which
// the slot has none, has a node; none has three while another has one and a
// node to spare, and so on. Nodes without a zone are in one together. Inside of
// this rule weight decides. Where there are fewer zones than replicas, a node
// that comes or goes can move one more copy of a slot than the one it takes.
//
// Immutable; safe to share between threads.
class Placement {
 public:
  struct Node {
    NodeName name;
    std::string zone;

    bool operator==(const Node&) const = default;
  };

  // REQUIRES: `replicas` >= 1; names ascending and distinct.
  Placement(std::vector<Node> nodes, uint32_t replicas);

  const std::vector<Node>& nodes() const { return nodes_; }

  // The owners of the slot as indices of nodes(), in the order in which they
  // were chosen: the first is the heaviest of all. min(replicas, nodes) of
  // them. Takes time proportional to the number of nodes, and of owners.
  std::vector<size_t> OwnersOf(SlotId slot) const;

 private:
  std::vector<Node> nodes_;
  size_t replicas_;
  std::vector<uint64_t> hashes_;  // of the names
  std::vector<size_t> zones_;     // by node: the number of its zone
  size_t zone_count_ = 0;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_PLACEMENT_H_
