#ifndef REPLICATION_OWNERS_H_
#define REPLICATION_OWNERS_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "membership/view.h"
#include "replication/config.h"
#include "replication/message.h"
#include "replication/placement.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// Owners answers who owns the slots of this lane, from membership's view: of
// the members that are alive or suspect, for each slot those that Placement
// chooses. One that died stays an owner for the takeover delay, so that a quick
// restart moves nothing; where every member owns every slot there is nobody to
// take over, and it goes at once.
//
// A value type; not thread-safe. Where a slot is asked for: REQUIRES: it is one
// of this lane.
class Owners {
 public:
  Owners(NodeName self, const Config& config);

  // REQUIRES: view->self() is the name given at construction.
  void SetView(const membership::ViewPtr& view, absl::Time now);
  // Whose takeover delay is over is no owner any more.
  void Tick(absl::Time now);
  // When Tick has something to do, steady; InfiniteFuture if never.
  absl::Time next_takeover_at() const { return next_takeover_at_; }

  // The node, this one perhaps, hands over: it owns nothing, unless nobody else
  // is there. Forgotten when it is no member any more, or another process of it
  // is.
  void SetLeaving(const NodeName& node, bool leaving, absl::Time now);

  // --- members

  // Those that are alive or suspect, but this node; ascending.
  const std::vector<NodeName>& members() const { return members_; }
  bool IsMember(const NodeName& node) const;
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
  // Members that are dead: perhaps they hold what nobody else has.
  size_t dead_count() const { return dead_count_; }
  bool isolated() const { return view_ != nullptr && view_->isolated(); }
  // Steady time of the last change of members().
  absl::Time changed_at() const { return changed_at_; }

  // --- owners of a slot

  // This node is one.
  bool IsOwnedHere(SlotId slot) const { return slots_[IndexOf(slot)].here; }
  // Its owners but this node that are members; ascending.
  const std::vector<NodeName>& OthersOf(SlotId slot) const {
    return slots_[IndexOf(slot)].others;
  }
  // The node is one of OthersOf().
  bool IsOtherOf(SlotId slot, const NodeName& node) const;
  // All its owners: this node, and those that died not long ago, counted.
  size_t CountOf(SlotId slot) const { return slots_[IndexOf(slot)].count; }
  // Hash of the owners' names, to compare lists between nodes.
  uint64_t HashOf(SlotId slot) const { return slots_[IndexOf(slot)].hash; }
  // Grows with every change of the owners that are members; of any slot.
  uint64_t version() const { return version_; }
  uint64_t VersionOf(SlotId slot) const {
    return slots_[IndexOf(slot)].version;
  }
  // OthersOf() before the last such change.
  const std::vector<NodeName>& FormerOf(SlotId slot) const {
    return slots_[IndexOf(slot)].former;
  }
  // Who would own the slot if this node were not there.
  std::vector<NodeName> WithoutSelf(SlotId slot) const;
  // Of the members that are placed: who has the same sees the same owners
  // everywhere.
  uint64_t placement_hash() const { return placement_hash_; }
  // The owner that acts for all where one should (idle expiry): the first of
  // the placement that is alive, else the first.
  const NodeName& First(SlotId slot) const;

  // --- who may have accepted an access not long ago (rule D)

  // `node` was an owner of the slot in this view, or pulled it from here, at
  // `now`.
  void NoteRecent(SlotId slot, const NodeName& node, absl::Time now);
  // Nodes noted within `window` before `now`, and all owners (of age zero),
  // this node excepted; ascending. Nodes that left are not among them: they
  // handed over.
  std::vector<RecentOwner> Recent(SlotId slot, absl::Time now,
                                  absl::Duration window) const;
  // The node was ever noted for the slot, or is an owner of it.
  bool Concerns(SlotId slot, const NodeName& node) const;

 private:
  struct SlotOwners {
    bool here = true;
    uint64_t version = 0;
    std::vector<NodeName> others;
    std::vector<NodeName> former;
    size_t count = 1;
    uint64_t hash = 0;
    std::map<NodeName, absl::Time> recent;  // and when it was last so
  };

  membership::State StateOf(const NodeName& node) const;
  bool IsLeaving(const NodeName& node) const;
  // Of a node's claim; zero while nothing is known of it.
  membership::Generation GenerationOf(const NodeName& node) const;
  size_t IndexOf(SlotId slot) const;
  // Places every slot anew, from the nodes that count now.
  void Place(absl::Time now);
  void PlaceSlot(SlotId slot, SlotOwners* owners, absl::Time now);
  void NoteRecent(const NodeName& node, absl::Time now,
                  SlotOwners* owners) const;

  NodeName self_;
  const Config& config_;
  membership::ViewPtr view_;
  std::vector<NodeName> members_;
  size_t dead_count_ = 0;
  uint64_t version_ = 0;
  uint64_t placement_hash_ = 0;
  absl::Time changed_at_ = absl::InfinitePast();
  // Which generation of it.
  std::map<NodeName, membership::Generation> leaving_;
  std::map<NodeName, absl::Time> died_at_;  // steady
  absl::Time next_takeover_at_ = absl::InfiniteFuture();
  Placement placement_;
  Placement without_self_;
  // By slot / lane_count; only one, for all slots, where every member owns
  // them.
  std::vector<SlotOwners> slots_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_OWNERS_H_
