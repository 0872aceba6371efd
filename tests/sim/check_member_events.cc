#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

using membership::Claim;
using membership::Event;
using membership::EventKind;
using membership::Member;

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

// Who replays a node's events knows its view (invariant I7): names, claims and
// addresses.
class MemberEvents : public Checker {
 public:
  MemberEvents() : Checker("member_events") {}

  void OnMembershipEvent(const Scene&, const Process& process,
                         const Event& event) override {
    Replay& replay = replays_[process.number()];
    if (ChangesView(event.kind)) {
      replay[event.member.name] = {event.member.claim, event.member.address};
    } else if (event.kind == EventKind::kForgotten) {
      replay.erase(event.member.name);
    }
  }

  void OnView(const Scene&, const Process& process) override {
    Replay& replay = replays_[process.number()];
    for (const Member& member : process.view()->members()) {
      Checked();
      if (member.name == process.name() && !replay.contains(member.name)) {
        replay[member.name] = {member.claim, member.address};
      }
      const auto found = replay.find(member.name);
      if (found == replay.end()) {
        Fail(absl::StrCat(process.name(), " shows ", member.name,
                          " and never told of it"));
      } else if (found->second != std::pair(member.claim, member.address)) {
        Fail(absl::StrCat(process.name(), " shows ", member.name, " as ",
                          membership::StateName(member.claim.state),
                          " and told of ",
                          membership::StateName(found->second.first.state)));
      }
    }
    if (replay.size() > process.view()->members().size()) {
      Fail(absl::StrCat(process.name(),
                        " told of somebody whom it does not show"));
    }
  }

 private:
  using Replay = std::map<NodeName, std::pair<Claim, Address>>;
  std::map<ProcessNumber, Replay> replays_;
};

}  // namespace

std::unique_ptr<Checker> MakeMemberEvents() {
  return std::make_unique<MemberEvents>();
}

}  // namespace sessionmesh::sim
