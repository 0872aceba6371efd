#include "membership/member_table.h"

#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "glog/logging.h"

namespace sessionmesh::membership {
namespace {

// FNV-1a over the fields, finished by the mixer of splitmix64 so that sums of
// hashes do not cancel. Lengths are hashed too: "ab" + "c" is not "a" + "bc".
// The same on every machine.
class EntryHash {
 public:
  void Add(absl::string_view bytes) {
    Add(uint64_t{bytes.size()});
    for (const char byte : bytes) AddByte(static_cast<unsigned char>(byte));
  }

  void Add(uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      AddByte((number >> shift) & 0xff);
    }
  }

  uint64_t Finish() const {
    uint64_t z = hash_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  void AddByte(uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3u; }

  uint64_t hash_ = 0xcbf29ce484222325u;
};

uint64_t HashOf(const Member& member) {
  EntryHash hash;
  hash.Add(member.name);
  hash.Add(member.address);
  hash.Add(member.zone);
  hash.Add(member.claim.generation);
  hash.Add(member.claim.incarnation);
  hash.Add(static_cast<uint64_t>(member.claim.state));
  return hash.Finish();
}

}  // namespace

Update UpdateAbout(const Member& member) {
  return Update{member.name, member.address, member.claim, member.accuser,
                member.zone};
}

MemberTable::MemberTable(const Member& self, Instant now) {
  self_ = Insert(self, now);
}

Record* MemberTable::Find(const NodeName& name) {
  const auto it = records_.find(name);
  return it == records_.end() ? nullptr : &it->second;
}

const Record* MemberTable::Find(const NodeName& name) const {
  const auto it = records_.find(name);
  return it == records_.end() ? nullptr : &it->second;
}

Record* MemberTable::Insert(const Member& member, Instant now) {
  Record record;
  record.member = member;
  record.member.since = now.wall;
  record.changed = now.steady;
  const auto [it, inserted] = records_.emplace(member.name, std::move(record));
  CHECK(inserted) << member.name << " is known already";
  Account(it->second.member);
  Touch();
  return &it->second;
}

void MemberTable::Change(Record* record, const Update& update, Instant now) {
  Member& member = record->member;
  CHECK_EQ(member.name, update.name);
  const bool suspicion_ran_out =
      member.claim.state == State::kSuspect &&
      update.claim.state == State::kDead &&
      member.claim.incarnation == update.claim.incarnation;
  Discount(member);
  if (member.claim.state != update.claim.state) {
    member.since = now.wall;
    record->changed = now.steady;
  }
  member.address = update.address;
  member.claim = update.claim;
  member.accuser = update.accuser;
  member.zone = update.zone;
  if (!suspicion_ran_out) member.confirmations = 0;
  Account(member);
  Touch();
}

void MemberTable::AddConfirmation(Record* record) {
  ++record->member.confirmations;
  Touch();
}

void MemberTable::Erase(const NodeName& name) {
  const auto it = records_.find(name);
  CHECK(it != records_.end() && &it->second != self_) << name;
  Discount(it->second.member);
  records_.erase(it);
  Touch();
}

std::optional<NodeName> MemberTable::LongestGone() const {
  const Record* longest = nullptr;
  for (const auto& [name, record] : records_) {
    if (&record == self_ || IsLive(record.member.claim.state)) continue;
    if (longest == nullptr || record.changed < longest->changed) {
      longest = &record;
    }
  }
  if (longest == nullptr) return std::nullopt;
  return longest->member.name;
}

void MemberTable::set_isolated(bool isolated) {
  if (isolated_ == isolated) return;
  isolated_ = isolated;
  Touch();
}

ViewPtr MemberTable::view() const {
  if (view_ == nullptr) {
    std::vector<Member> members;
    members.reserve(records_.size());
    for (const auto& [name, record] : records_) {
      members.push_back(record.member);
    }
    view_ = std::make_shared<View>(self_->member.name, std::move(members),
                                   version_, isolated_);
  }
  return view_;
}

void MemberTable::Account(const Member& member) {
  if (IsLive(member.claim.state)) ++live_;
  if (member.claim.state == State::kDead) dead_.insert(member.name);
  if (member.claim.state != State::kLeft) digest_ += HashOf(member);
}

void MemberTable::Discount(const Member& member) {
  if (IsLive(member.claim.state)) --live_;
  if (member.claim.state == State::kDead) dead_.erase(member.name);
  if (member.claim.state != State::kLeft) digest_ -= HashOf(member);
}

void MemberTable::Touch() {
  ++version_;
  view_ = nullptr;
}

}  // namespace sessionmesh::membership
