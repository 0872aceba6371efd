#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

using membership::Claim;
using membership::Member;
using membership::State;

// Views of membership, compared with each other and with the truth (invariants
// I1 to I6):
//
//   I1, I3  what an observer knows of a subject never goes back: (generation,
//   incarnation, state) grows I2      only the subject raises its own
//   incarnation I4      one address for one (name, generation) I5      a node
//   never doubts itself I6      who has left is not suspected or declared dead
//   afterwards
class MemberClaims : public Checker {
 public:
  MemberClaims() : Checker("member_claims") {}

  void OnView(const Scene&, const Process& process) override {
    const membership::ViewPtr& view = process.view();
    // Its own claim first: what it says of itself is true by definition.
    if (const Member* self = view->Find(process.name()))
      CheckSelf(process, *self);
    for (const Member& member : view->members()) {
      Checked();
      CheckOrder(process, member);
      CheckTruth(process, member);
    }
  }

 private:
  void CheckSelf(const Process& process, const Member& self) {
    auto& highest = own_[{self.name, self.claim.generation}];
    highest = std::max(highest, self.claim.incarnation);
    const bool doubts =
        self.claim.state == State::kSuspect || self.claim.state == State::kDead;
    if (doubts || (self.claim.state == State::kLeft && !process.leaving())) {
      Fail(absl::StrCat(process.name(), " takes itself for ",
                        membership::StateName(self.claim.state)));
    }
  }

  void CheckOrder(const Process& process, const Member& member) {
    const auto [known, fresh] =
        claims_.emplace(std::pair(process.number(), member.name), member.claim);
    const Claim before = known->second;
    known->second = member.claim;
    if (member.claim < before) {
      Fail(absl::StrCat(process.name(), " went back on ", member.name,
                        ": from ", Text(before), " to ", Text(member.claim)));
    }
    const bool same_life = member.claim.generation == before.generation;
    const bool doubted = member.claim.state == State::kSuspect ||
                         member.claim.state == State::kDead;
    if (before.state == State::kLeft && same_life && doubted) {
      Fail(absl::StrCat(process.name(), " doubts ", member.name,
                        ", which had left"));
    }
  }

  void CheckTruth(const Process& process, const Member& member) {
    const std::pair key(member.name, member.claim.generation);
    const auto own = own_.find(key);
    if (own == own_.end() || member.claim.incarnation > own->second) {
      Fail(absl::StrCat(process.name(), " knows ", member.name, " at ",
                        Text(member.claim), ", which it never said"));
    }
    const auto [address, fresh] = addresses_.emplace(key, member.address);
    if (address->second == member.address) return;
    Fail(absl::StrCat(process.name(), " knows ", member.name, " at ",
                      member.address, " and somebody knew it at ",
                      address->second));
  }

  static std::string Text(const Claim& claim) {
    return absl::StrCat("generation ", claim.generation, " incarnation ",
                        claim.incarnation, " ",
                        membership::StateName(claim.state));
  }

  std::map<std::pair<NodeName, Generation>, membership::Incarnation> own_;
  std::map<std::pair<ProcessNumber, NodeName>, Claim> claims_;
  std::map<std::pair<NodeName, Generation>, Address> addresses_;
};

}  // namespace

std::unique_ptr<Checker> MakeMemberClaims() {
  return std::make_unique<MemberClaims>();
}

}  // namespace sessionmesh::sim
