#include "membership/view.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"

namespace sessionmesh::membership {

View::View(NodeName self, std::vector<Member> members, uint64_t version,
           bool isolated)
    : self_(std::move(self)),
      members_(std::move(members)),
      version_(version),
      isolated_(isolated) {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  for (size_t i = 1; i < members_.size(); ++i) {
    CHECK_NE(members_[i - 1].name, members_[i].name)
        << "two members of one name";
  }
  CHECK(Find(self_) != nullptr) << self_ << " is missing in its own view";
}

const Member* View::Find(const NodeName& name) const {
  const auto it = std::lower_bound(
      members_.begin(), members_.end(), name,
      [](const Member& m, const NodeName& wanted) { return m.name < wanted; });
  return it != members_.end() && it->name == name ? &*it : nullptr;
}

}  // namespace sessionmesh::membership
