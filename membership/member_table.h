#ifndef MEMBERSHIP_MEMBER_TABLE_H_
#define MEMBERSHIP_MEMBER_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "absl/time/time.h"
#include "membership/instant.h"
#include "membership/member.h"
#include "membership/message.h"
#include "membership/view.h"

namespace sessionmesh::membership {

// Alive or suspect: to be probed, gossiped to and counted.
inline bool IsLive(State state) {
  return state == State::kAlive || state == State::kSuspect;
}

// A member and what this node remembers of its own dealings with it. `member`
// is changed by MemberTable alone.
struct Record {
  Member member;
  // Steady time of the last change of state.
  absl::Time changed;
  // Steady time when it was last told, unasked, what is known of it.
  absl::Time told = absl::InfinitePast();
  // Steady time of the last kNameConflict event.
  absl::Time conflict_reported = absl::InfinitePast();
  // Probes in a row that were answered on the reliable plane alone.
  int reliable_only_probes = 0;
};

// The Update that passes on what is known of a member.
Update UpdateAbout(const Member& member);

// Everybody that a node knows, itself included, with the digest for
// anti-entropy. It stores what it is told; which claim wins is decided by its
// caller (swim_merge.cc).
class MemberTable {
 public:
  MemberTable(const Member& self, Instant now);

  const Record& self() const { return *self_; }
  // Null when not known.
  Record* Find(const NodeName& name);
  const Record* Find(const NodeName& name) const;
  const std::map<NodeName, Record>& records() const { return records_; }
  size_t size() const { return records_.size(); }
  // How many are alive or suspect, this node included unless it has left.
  size_t live() const { return live_; }
  const std::set<NodeName>& dead() const { return dead_; }

  // REQUIRES: the name is not known.
  Record* Insert(const Member& member, Instant now);
  // Sets claim, address, zone and accuser. `since` and `changed` move only if
  // the state changes; confirmations start again at 0, except that a death
  // keeps those of the suspicion that ran out.
  void Change(Record* record, const Update& update, Instant now);
  // One more member has confirmed the suspicion.
  void AddConfirmation(Record* record);
  // REQUIRES: not this node itself.
  void Erase(const NodeName& name);
  // Who died or left longest ago; nobody if all live.
  std::optional<NodeName> LongestGone() const;

  void set_isolated(bool isolated);
  bool isolated() const { return isolated_; }

  // A number that two nodes share if they know the same: the sum, modulo 2^64,
  // of a hash of the name, the address, the zone and the claim of every member
  // that has not left. (The memory of those that left fades, on every node at
  // its own time.)
  uint64_t digest() const { return digest_; }

  ViewPtr view() const;
  uint64_t version() const { return version_; }

 private:
  // Everything derived from a record is taken out before it changes and put
  // back after.
  void Account(const Member& member);
  void Discount(const Member& member);
  void Touch();

  std::map<NodeName, Record> records_;
  Record* self_;
  std::set<NodeName> dead_;
  size_t live_ = 0;
  uint64_t digest_ = 0;
  bool isolated_ = false;
  uint64_t version_ = 1;
  mutable ViewPtr view_;  // of version_; made when asked for
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_MEMBER_TABLE_H_
