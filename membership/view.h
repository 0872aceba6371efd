#ifndef MEMBERSHIP_VIEW_H_
#define MEMBERSHIP_VIEW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "membership/member.h"

namespace sessionmesh::membership {

// A View is an immutable snapshot of everybody a node knows, itself included,
// sorted by name. It is what the rest of the process may see of membership:
// shared freely between threads.
class View {
 public:
  // REQUIRES: names in `members` are distinct and `self` is among them.
  View(NodeName self, std::vector<Member> members, uint64_t version,
       bool isolated);

  const NodeName& self() const { return self_; }
  const std::vector<Member>& members() const { return members_; }

  // Null when nobody of that name is known.
  const Member* Find(const NodeName& name) const;

  // Grows by one with every change of a member's claim or address on this node.
  // Versions of different nodes cannot be compared.
  uint64_t version() const { return version_; }

  // This node has heard nobody for two probe intervals although it knows others
  // that should live.
  bool isolated() const { return isolated_; }

 private:
  NodeName self_;
  std::vector<Member> members_;
  uint64_t version_;
  bool isolated_;
};

using ViewPtr = std::shared_ptr<const View>;

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_VIEW_H_
