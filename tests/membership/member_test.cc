#include "membership/member.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace sessionmesh::membership {
namespace {

TEST(ClaimTest, OrderIsGenerationThenIncarnationThenState) {
  const Claim low{1, 9, State::kLeft};
  EXPECT_LT(low, (Claim{2, 0, State::kAlive}));
  EXPECT_LT((Claim{2, 0, State::kDead}), (Claim{2, 1, State::kAlive}));
  EXPECT_LT((Claim{2, 1, State::kAlive}), (Claim{2, 1, State::kSuspect}));
  EXPECT_LT((Claim{2, 1, State::kSuspect}), (Claim{2, 1, State::kDead}));
  EXPECT_LT((Claim{2, 1, State::kDead}), (Claim{2, 1, State::kLeft}));
}

// The greater of two claims is a join: whatever the order in which claims
// arrive, all end the same.
TEST(ClaimTest, OrderAgreesWithTuplesForAllSmallClaims) {
  std::vector<Claim> claims;
  for (Generation generation = 0; generation < 3; ++generation) {
    for (Incarnation incarnation = 0; incarnation < 3; ++incarnation) {
      for (const State state :
           {State::kAlive, State::kSuspect, State::kDead, State::kLeft}) {
        claims.push_back(Claim{generation, incarnation, state});
      }
    }
  }
  for (const Claim& a : claims) {
    for (const Claim& b : claims) {
      EXPECT_EQ(a < b, std::tie(a.generation, a.incarnation, a.state) <
                           std::tie(b.generation, b.incarnation, b.state));
    }
  }
}

TEST(StateTest, NamesAreLowerCaseWords) {
  EXPECT_EQ(StateName(State::kAlive), "alive");
  EXPECT_EQ(StateName(State::kSuspect), "suspect");
  EXPECT_EQ(StateName(State::kDead), "dead");
  EXPECT_EQ(StateName(State::kLeft), "left");
}

}  // namespace
}  // namespace sessionmesh::membership
