#ifndef REPLICATION_OWNERS_H_
#define REPLICATION_OWNERS_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "membership/view.h"
#include "replication/message.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// Owners answers who owns the slots of this lane, from membership's view. In
// this release every member that is alive or suspect owns every slot (replicas
// = all), so the answer is the same for all slots.
//
// A value type; not thread-safe.
class Owners {
 public:
  explicit Owners(NodeName self);

  // REQUIRES: view->self() is the name given at construction.
  void SetView(const membership::ViewPtr& view, absl::Time now);

  // The owners but this node, ascending.
  const std::vector<NodeName>& others() const { return others_; }
  bool IsOther(const NodeName& node) const;
  // Membership has heard of it, whatever it is now.
  bool Knows(const NodeName& node) const;
  bool IsSuspect(const NodeName& node) const {
    return StateOf(node) == membership::State::kSuspect;
  }
  bool IsLeft(const NodeName& node) const {
    return StateOf(node) == membership::State::kLeft;
  }
  // Membership says that it is gone: dead or left. False for a node it never
  // heard of.
  bool IsGone(const NodeName& node) const;
  // Somebody is a member at each of these addresses, and not dead.
  bool AllMet(const std::vector<membership::Address>& addresses) const;
  // Owners, this node included.
  size_t count() const { return others_.size() + 1; }
  // Members that are dead: perhaps they hold what nobody else has.
  size_t dead_count() const { return dead_count_; }
  bool isolated() const { return view_ != nullptr && view_->isolated(); }
  // Hash of the owners' names, to compare lists between nodes.
  uint64_t hash() const { return hash_; }
  // Steady time of the last change of the owner list.
  absl::Time changed_at() const { return changed_at_; }

  // The owner that acts for all where one should (idle expiry): the highest
  // random weight of slot and name among the owners that are not suspect
  // (rendezvous hashing, Thaler and Ravishankar 1998).
  const NodeName& First(SlotId slot) const;

  // --- who may have accepted an access not long ago (rule D)

  // `node` was an owner in this view, or pulled a slot from here, at `now`.
  void NoteRecent(const NodeName& node, absl::Time now);
  // Nodes noted within `window` before `now`, and all owners (of age zero),
  // this node excepted; ascending. Nodes that left are not among them: they
  // handed over.
  std::vector<RecentOwner> Recent(absl::Time now, absl::Duration window) const;

 private:
  membership::State StateOf(const NodeName& node) const;

  NodeName self_;
  membership::ViewPtr view_;
  std::vector<NodeName> others_;
  std::vector<NodeName> firsts_;  // candidates of First()
  size_t dead_count_ = 0;
  uint64_t hash_ = 0;
  absl::Time changed_at_ = absl::InfinitePast();
  std::map<NodeName, absl::Time> recent_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_OWNERS_H_
