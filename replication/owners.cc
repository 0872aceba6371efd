#include "replication/owners.h"

#include <algorithm>
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

Owners::Owners(NodeName self) : self_(std::move(self)), firsts_({self_}) {
  hash_ = Mix64(StableHash(self_));
}

void Owners::SetView(const membership::ViewPtr& view, absl::Time now) {
  CHECK_EQ(view->self(), self_);
  view_ = view;
  std::vector<NodeName> others;
  firsts_ = {self_};
  dead_count_ = 0;
  for (const Member& member : view->members()) {
    if (member.claim.state == State::kDead) ++dead_count_;
    if (member.claim.state == State::kLeft) recent_.erase(member.name);
    if (member.name == self_) continue;
    if (member.claim.state == State::kAlive) firsts_.push_back(member.name);
    if (member.claim.state == State::kAlive ||
        member.claim.state == State::kSuspect) {
      others.push_back(member.name);
    }
  }
  // Whoever stops being an owner now was one until now.
  for (const NodeName& node : others_) {
    if (!IsGone(node) || StateOf(node) == State::kDead) NoteRecent(node, now);
  }
  if (others == others_ && changed_at_ != absl::InfinitePast()) return;
  others_ = std::move(others);
  changed_at_ = now;
  hash_ = Mix64(StableHash(self_));
  for (const NodeName& node : others_) hash_ += Mix64(StableHash(node));
}

bool Owners::IsOther(const NodeName& node) const {
  return std::binary_search(others_.begin(), others_.end(), node);
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

State Owners::StateOf(const NodeName& node) const {
  const Member* member = view_ == nullptr ? nullptr : view_->Find(node);
  return member == nullptr ? State::kAlive : member->claim.state;
}

bool Owners::IsGone(const NodeName& node) const {
  const State state = StateOf(node);
  return state == State::kDead || state == State::kLeft;
}

const NodeName& Owners::First(SlotId slot) const {
  const NodeName* first = &firsts_.front();
  uint64_t best = 0;
  for (const NodeName& node : firsts_) {
    const uint64_t weight = Mix64(StableHash(node) ^ Mix64(slot + 1u));
    if (weight > best) {
      best = weight;
      first = &node;
    }
  }
  return *first;
}

void Owners::NoteRecent(const NodeName& node, absl::Time now) {
  if (node == self_) return;
  if (recent_.size() >= kRecentMax && recent_.count(node) == 0) {
    const auto oldest = std::min_element(
        recent_.begin(), recent_.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    recent_.erase(oldest);
  }
  absl::Time& noted = recent_.try_emplace(node, now).first->second;
  noted = std::max(noted, now);
}

std::vector<RecentOwner> Owners::Recent(absl::Time now,
                                        absl::Duration window) const {
  std::map<NodeName, absl::Duration> ages;
  for (const auto& [node, noted] : recent_) {
    const absl::Duration age = now - noted;
    if (age <= window && StateOf(node) != State::kLeft) ages[node] = age;
  }
  for (const NodeName& node : others_) ages[node] = absl::ZeroDuration();
  std::vector<RecentOwner> result;
  result.reserve(ages.size());
  for (const auto& [node, age] : ages) {
    result.push_back({node, absl::Floor(age, absl::Milliseconds(1))});
  }
  return result;
}

}  // namespace sessionmesh::replication
