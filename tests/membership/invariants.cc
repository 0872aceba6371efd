#include "tests/membership/invariants.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "membership/limits.h"
#include "membership/message.h"

namespace sessionmesh::membership {
namespace {

constexpr size_t kViolationsKept = 10;

std::string Describe(const NodeName& name, const Claim& claim) {
  return absl::StrCat(name, "@", claim.generation, ".", claim.incarnation, " ",
                      StateName(claim.state));
}

std::string PlaceOf(const Member& member) {
  return absl::StrCat(member.address, " in zone '", member.zone, "'");
}

bool ChangesView(EventKind kind) {
  switch (kind) {
    case EventKind::kJoined:
    case EventKind::kSuspected:
    case EventKind::kRefuted:
    case EventKind::kDied:
    case EventKind::kLeft:
    case EventKind::kRejoined:
    case EventKind::kSelfAccused:
    case EventKind::kLeaving:
      return true;
    default:
      return false;
  }
}

// Whether an event may lead from `previous` to the claim it carries.
bool IsLegal(const Event& event) {
  const Claim& claim = event.member.claim;
  if (event.kind == EventKind::kJoined) {
    return !event.previous.has_value() && claim.state == State::kAlive;
  }
  if (!event.previous.has_value()) {
    return (event.kind == EventKind::kDied && claim.state == State::kDead) ||
           (event.kind == EventKind::kLeft && claim.state == State::kLeft);
  }
  const Claim& previous = *event.previous;
  if (claim <= previous) return false;
  const bool was_gone =
      previous.state == State::kDead || previous.state == State::kLeft;
  const bool same_life = claim.generation == previous.generation &&
                         claim.incarnation == previous.incarnation;
  if (was_gone && same_life && claim.state < previous.state) {
    return false;  // I3
  }
  switch (event.kind) {
    case EventKind::kSuspected:
      return claim.state == State::kSuspect;
    case EventKind::kRefuted:
      return claim.state == State::kAlive && !was_gone &&
             claim.generation == previous.generation;
    case EventKind::kDied:
      return claim.state == State::kDead;
    case EventKind::kLeft:
    case EventKind::kLeaving:
      return claim.state == State::kLeft;
    case EventKind::kRejoined:
      return claim.state == State::kAlive &&
             (was_gone || claim.generation > previous.generation);
    case EventKind::kSelfAccused:
      return claim.state == State::kAlive && previous.state == State::kAlive;
    default:
      return false;
  }
}

}  // namespace

void Invariants::Check(const Config& config, const View& view,
                       const Effects& effects, size_t exchanges_waiting) {
  const Member& self = *view.Find(view.self());
  const Process observer{self.name, self.claim.generation};
  Incarnation& taken = taken_[observer];
  taken = std::max(taken, self.claim.incarnation);
  if (self.claim.state == State::kSuspect || self.claim.state == State::kDead) {
    Violated(observer, "I5: doubts itself");
  }
  CheckEvents(observer, effects);
  if (view.members().size() > config.members_max) {
    Violated(observer, "I8: too many members");
  }
  if (exchanges_waiting > kExchangesMax) {
    Violated(observer, "I8: too many calls");
  }
  for (const Send& send : effects.sends) {
    size_t bytes = DatagramOverheadBytesMax(send.datagram);
    for (const Update& update : send.datagram.updates) {
      bytes += UpdateBytesMax(update);
    }
    if (bytes > config.datagram_bytes_max) {
      Violated(observer, absl::StrCat("I9: datagram of ", bytes, " bytes"));
    }
  }
  uint64_t& version = versions_[observer];
  if (version == view.version()) return;
  version = view.version();
  CheckView(observer, view);
}

void Invariants::CheckEvents(const Process& observer, const Effects& effects) {
  std::map<NodeName, Member>& known = replayed_[observer];
  for (const Event& event : effects.events) {
    if (event.kind == EventKind::kForgotten) {
      known.erase(event.member.name);
      continue;
    }
    if (!ChangesView(event.kind)) continue;
    if (!IsLegal(event)) {
      Violated(observer,
               absl::StrCat("I7: illegal ", EventKindName(event.kind), " to ",
                            Describe(event.member.name, event.member.claim)));
    }
    const auto it = known.find(event.member.name);
    if (it != known.end() && event.member.claim < it->second.claim) {
      Violated(
          observer,
          absl::StrCat("I1: ", Describe(event.member.name, it->second.claim),
                       " back to ",
                       Describe(event.member.name, event.member.claim)));
    }
    known[event.member.name] = event.member;
    CheckClaim(observer, event.member);
  }
}

void Invariants::CheckView(const Process& observer, const View& view) {
  std::map<NodeName, Member>& known = replayed_[observer];
  size_t others = 0;
  for (const Member& member : view.members()) {
    ++claims_checked_;
    CheckClaim(observer, member);
    if (member.name == view.self()) continue;
    ++others;
    const auto it = known.find(member.name);
    if (it == known.end() || it->second.claim != member.claim ||
        PlaceOf(it->second) != PlaceOf(member)) {
      Violated(observer, absl::StrCat("I7: events do not tell of ",
                                      Describe(member.name, member.claim)));
    }
  }
  const size_t told = known.size() - known.count(view.self());
  if (told != others) {
    Violated(observer, "I7: events tell of members that are not in the view");
  }
}

void Invariants::CheckClaim(const Process& observer, const Member& member) {
  const Claim& claim = member.claim;
  const auto subject = taken_.find(Process(member.name, claim.generation));
  if (subject == taken_.end() || claim.incarnation > subject->second) {
    Violated(observer, absl::StrCat("I2: never taken by its subject: ",
                                    Describe(member.name, claim)));
  }
  const std::string place = PlaceOf(member);
  const auto [it, first] = places_.emplace(
      std::make_tuple(member.name, claim.generation, claim.incarnation), place);
  if (!first && it->second != place) {
    Violated(observer, absl::StrCat("I4: ", Describe(member.name, claim),
                                    " at ", it->second, " and ", place));
  }
}

void Invariants::Violated(const Process& observer, const std::string& what) {
  if (violations_.size() >= kViolationsKept) return;
  violations_.push_back(
      absl::StrCat(observer.first, "@", observer.second, ": ", what));
}

}  // namespace sessionmesh::membership
