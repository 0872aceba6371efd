#include "replication/owners.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {

using membership::Member;
using membership::State;

namespace {

// A node that restarts under new names for ever must not grow the memory of who
// was recent.
constexpr size_t kRecentMax = 4096;

}  // namespace

Owners::Owners(NodeName self, const Config& config)
    : self_(std::move(self)),
      config_(config),
      placement_({{self_, ""}}, config.replicas),
      without_self_({}, config.replicas),
      slots_(config.replicas == kReplicasAll
                 ? 1
                 : config.slot_count / config.lane_count) {
  Place(absl::InfinitePast());
}

size_t Owners::IndexOf(SlotId slot) const {
  return slots_.size() == 1 ? 0 : slot / config_.lane_count;
}

void Owners::SetView(const membership::ViewPtr& view, absl::Time now) {
  CHECK_EQ(view->self(), self_);
  const bool first = view_ == nullptr;
  view_ = view;
  std::vector<NodeName> members;
  dead_count_ = 0;
  for (const Member& member : view->members()) {
    const State state = member.claim.state;
    if (state == State::kDead) {
      ++dead_count_;
      // Whoever was dead before this process began has had its delay.
      died_at_.try_emplace(member.name, first ? absl::InfinitePast() : now);
      continue;
    }
    died_at_.erase(member.name);
    if (state == State::kLeft) {
      for (SlotOwners& slot : slots_) slot.recent.erase(member.name);
    } else if (member.name != self_) {
      members.push_back(member.name);
    }
  }
  for (auto it = died_at_.begin(); it != died_at_.end();) {
    it = Knows(it->first) ? std::next(it) : died_at_.erase(it);
  }
  for (auto it = leaving_.begin(); it != leaving_.end();) {
    const bool stays =
        (it->first == self_ ||
         std::binary_search(members.begin(), members.end(), it->first)) &&
        it->second == GenerationOf(it->first);
    it = stays ? std::next(it) : leaving_.erase(it);
  }
  if (members != members_ || changed_at_ == absl::InfinitePast()) {
    members_ = std::move(members);
    changed_at_ = now;
  }
  Place(now);
}

void Owners::Tick(absl::Time now) {
  if (now >= next_takeover_at_) Place(now);
}

void Owners::SetLeaving(const NodeName& node, bool leaving, absl::Time now) {
  if (node != self_ && !IsMember(node)) leaving = false;
  if (leaving == IsLeaving(node)) return;
  if (leaving) {
    leaving_[node] = GenerationOf(node);
  } else {
    leaving_.erase(node);
  }
  Place(now);
}

void Owners::Place(absl::Time now) {
  next_takeover_at_ = absl::InfiniteFuture();
  std::vector<Placement::Node> nodes;
  if (view_ == nullptr) nodes.push_back({self_, ""});
  for (const Member& member :
       view_ == nullptr ? std::vector<Member>() : view_->members()) {
    const State state = member.claim.state;
    bool counts = member.name == self_ || state == State::kAlive ||
                  state == State::kSuspect;
    if (!counts && state == State::kDead && config_.replicas != kReplicasAll) {
      const absl::Time over = died_at_.at(member.name) + config_.takeover_delay;
      counts = now < over;
      if (counts) next_takeover_at_ = std::min(next_takeover_at_, over);
    }
    if (counts) nodes.push_back({member.name, member.zone});
  }
  const auto leaves = [this](const Placement::Node& node) {
    return IsLeaving(node.name);
  };
  // When all leave, there is nobody to hand over to.
  if (!std::all_of(nodes.begin(), nodes.end(), leaves)) {
    nodes.erase(std::remove_if(nodes.begin(), nodes.end(), leaves),
                nodes.end());
  }
  placement_hash_ = 0;
  for (const Placement::Node& node : nodes) {
    placement_hash_ = Mix64(placement_hash_ + StableHash(node.name));
    placement_hash_ = Mix64(placement_hash_ + StableHash(node.zone));
  }
  placement_ = Placement(nodes, config_.replicas);
  nodes.erase(
      std::remove_if(nodes.begin(), nodes.end(),
                     [this](const auto& node) { return node.name == self_; }),
      nodes.end());
  without_self_ = Placement(std::move(nodes), config_.replicas);
  for (size_t i = 0; i < slots_.size(); ++i) {
    PlaceSlot(static_cast<SlotId>(i * config_.lane_count + config_.lane),
              &slots_[i], now);
  }
}

void Owners::PlaceSlot(SlotId slot, SlotOwners* owners, absl::Time now) {
  std::vector<NodeName> before = std::move(owners->others);
  const bool was_here = owners->here;
  owners->others.clear();
  owners->here = false;
  owners->count = 0;
  owners->hash = 0;
  for (const size_t index : placement_.OwnersOf(slot)) {
    const NodeName& node = placement_.nodes()[index].name;
    ++owners->count;
    owners->hash += Mix64(StableHash(node));
    if (node == self_) {
      owners->here = true;
    } else if (!IsGone(node)) {
      owners->others.push_back(node);
    }
  }
  std::sort(owners->others.begin(), owners->others.end());
  // Whoever stops being an owner now was one until now.
  for (const NodeName& node : before) {
    if (StateOf(node) != State::kLeft) NoteRecent(node, now, owners);
  }
  if (owners->others == before && owners->here == was_here) return;
  ++owners->version;
  ++version_;
  owners->former = std::move(before);
}

std::vector<NodeName> Owners::WithoutSelf(SlotId slot) const {
  std::vector<NodeName> nodes;
  for (const size_t index : without_self_.OwnersOf(slot)) {
    const NodeName& node = without_self_.nodes()[index].name;
    if (!IsGone(node)) nodes.push_back(node);
  }
  return nodes;
}

bool Owners::IsMember(const NodeName& node) const {
  return std::binary_search(members_.begin(), members_.end(), node);
}

bool Owners::IsOtherOf(SlotId slot, const NodeName& node) const {
  const std::vector<NodeName>& others = OthersOf(slot);
  return std::binary_search(others.begin(), others.end(), node);
}

bool Owners::AllMet(const std::vector<membership::Address>& addresses) const {
  std::set<membership::Address> met;
  if (view_ != nullptr) {
    for (const Member& member : view_->members()) {
      if (member.claim.state != State::kDead) met.insert(member.address);
    }
  }
  return std::all_of(
      addresses.begin(), addresses.end(),
      [&met](const membership::Address& a) { return met.count(a) > 0; });
}

bool Owners::Knows(const NodeName& node) const {
  return view_ != nullptr && view_->Find(node) != nullptr;
}

bool Owners::IsLeaving(const NodeName& node) const {
  const auto found = leaving_.find(node);
  return found != leaving_.end() && found->second == GenerationOf(node);
}

membership::Generation Owners::GenerationOf(const NodeName& node) const {
  const Member* member = view_ == nullptr ? nullptr : view_->Find(node);
  return member == nullptr ? 0 : member->claim.generation;
}

State Owners::StateOf(const NodeName& node) const {
  const Member* member = view_ == nullptr ? nullptr : view_->Find(node);
  return member == nullptr ? State::kAlive : member->claim.state;
}

bool Owners::IsGone(const NodeName& node) const {
  const State state = StateOf(node);
  return state == State::kDead || state == State::kLeft;
}

const NodeName& Owners::First(SlotId slot) const {
  const std::vector<size_t> owners = placement_.OwnersOf(slot);
  for (const size_t index : owners) {
    const NodeName& node = placement_.nodes()[index].name;
    if (node == self_ || StateOf(node) == State::kAlive) return node;
  }
  return placement_.nodes()[owners.front()].name;
}

void Owners::NoteRecent(SlotId slot, const NodeName& node, absl::Time now) {
  NoteRecent(node, now, &slots_[IndexOf(slot)]);
}

void Owners::NoteRecent(const NodeName& node, absl::Time now,
                        SlotOwners* owners) const {
  if (node == self_) return;
  std::map<NodeName, absl::Time>& recent = owners->recent;
  if (recent.size() >= kRecentMax && recent.count(node) == 0) {
    const auto oldest = std::min_element(
        recent.begin(), recent.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    recent.erase(oldest);
  }
  absl::Time& noted = recent.try_emplace(node, now).first->second;
  noted = std::max(noted, now);
}

std::vector<RecentOwner> Owners::Recent(SlotId slot, absl::Time now,
                                        absl::Duration window) const {
  const SlotOwners& owners = slots_[IndexOf(slot)];
  std::map<NodeName, absl::Duration> ages;
  for (const auto& [node, noted] : owners.recent) {
    const absl::Duration age = now - noted;
    if (age <= window && StateOf(node) != State::kLeft) ages[node] = age;
  }
  for (const NodeName& node : owners.others) ages[node] = absl::ZeroDuration();
  std::vector<RecentOwner> result;
  result.reserve(ages.size());
  for (const auto& [node, age] : ages) {
    result.push_back({node, absl::Floor(age, absl::Milliseconds(1))});
  }
  return result;
}

bool Owners::Concerns(SlotId slot, const NodeName& node) const {
  return IsOtherOf(slot, node) || slots_[IndexOf(slot)].recent.count(node) > 0;
}

}  // namespace sessionmesh::replication
