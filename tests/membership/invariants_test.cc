// The tests of the checker: it must catch each mutant.

#include "tests/membership/invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Member MemberOf(const Update& update) {
  Member member;
  member.name = update.name;
  member.address = update.address;
  member.claim = update.claim;
  member.accuser = update.accuser;
  return member;
}

class InvariantsTest : public ::testing::Test {
 protected:
  InvariantsTest() {
    // The subject has taken the incarnations 0 to 3.
    Observe("a", {Alive("a", 1, 3)}, {});
  }

  Event MakeEvent(EventKind kind, const Update& update,
                  std::optional<Claim> previous = {}) {
    Event event;
    event.kind = kind;
    event.member = MemberOf(update);
    event.previous = previous;
    return event;
  }

  void Observe(const NodeName& self, const std::vector<Update>& view,
               std::vector<Event> events, std::vector<Send> sends = {}) {
    std::vector<Member> members;
    for (const Update& update : view) members.push_back(MemberOf(update));
    Effects effects;
    effects.events = std::move(events);
    effects.sends = std::move(sends);
    checker_.Check(Config::Lan(), View(self, members, ++version_, false),
                   effects, 0);
  }

  Invariants checker_;
  uint64_t version_ = 0;
};

TEST_F(InvariantsTest, LegalHistoryPasses) {
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 0)},
          {MakeEvent(EventKind::kJoined, Alive("a", 1, 0))});
  Observe("b", {Alive("b", 1, 0), Suspected("a", 1, 0, "b")},
          {MakeEvent(EventKind::kSuspected, Suspected("a", 1, 0, "b"),
                     Claim{1, 0, State::kAlive})});
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 1)},
          {MakeEvent(EventKind::kRefuted, Alive("a", 1, 1),
                     Claim{1, 0, State::kSuspect})});
  EXPECT_THAT(checker_.violations(), IsEmpty());
  EXPECT_GT(checker_.claims_checked(), 0);
}

TEST_F(InvariantsTest, CatchesAClaimThatGoesBack) {
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 3)},
          {MakeEvent(EventKind::kJoined, Alive("a", 1, 3))});
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 2)},
          {MakeEvent(EventKind::kRefuted, Alive("a", 1, 2),
                     Claim{1, 1, State::kAlive})});
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I1:")));
}

TEST_F(InvariantsTest, CatchesAnIncarnationThatWasInvented) {
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 4)},
          {MakeEvent(EventKind::kJoined, Alive("a", 1, 4))});
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I2:")));
}

TEST_F(InvariantsTest, CatchesAResurrection) {
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 2)},
          {MakeEvent(EventKind::kDied, Dead("a", 1, 2, "b")),
           MakeEvent(EventKind::kRejoined, Alive("a", 1, 2),
                     Claim{1, 2, State::kDead})});
  EXPECT_THAT(checker_.violations(),
              Contains(HasSubstr("I7: illegal rejoined")));
}

TEST_F(InvariantsTest, CatchesTwoAddressesOfOneLife) {
  Update elsewhere = Alive("a", 1, 3);
  elsewhere.address = "elsewhere:7401";
  Observe("b", {Alive("b", 1, 0), elsewhere},
          {MakeEvent(EventKind::kJoined, elsewhere)});
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I4:")));
}

TEST_F(InvariantsTest, CatchesDoubtAboutOneself) {
  Observe("b", {Suspected("b", 1, 0, "a")}, {});
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I5:")));
}

TEST_F(InvariantsTest, CatchesAChangeWithoutAnEvent) {
  Observe("b", {Alive("b", 1, 0), Alive("a", 1, 0)}, {});
  EXPECT_THAT(checker_.violations(),
              Contains(HasSubstr("I7: events do not tell")));
}

TEST_F(InvariantsTest, CatchesAnEventWithoutAChange) {
  Observe("b", {Alive("b", 1, 0)},
          {MakeEvent(EventKind::kJoined, Alive("a", 1, 0))});
  EXPECT_THAT(checker_.violations(),
              Contains(HasSubstr("I7: events tell of members")));
}

TEST_F(InvariantsTest, CatchesAnOversizedDatagram) {
  Send send;
  send.datagram.from = Sender{"b", "b:7401", 1, 0};
  for (int i = 0; i < 40; ++i) {
    send.datagram.updates.push_back(Alive(absl::StrCat("member-", i), 1, 0));
  }
  Observe("b", {Alive("b", 1, 0)}, {}, {send});
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I9:")));
}

TEST_F(InvariantsTest, CatchesTooManyCalls) {
  checker_.Check(Config::Lan(),
                 View("b", {MemberOf(Alive("b", 1, 0))}, 99, false), Effects(),
                 1000);
  EXPECT_THAT(checker_.violations(), Contains(HasSubstr("I8:")));
}

}  // namespace
}  // namespace sessionmesh::membership
