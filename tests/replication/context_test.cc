#include "replication/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "membership/random.h"
#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kCounters = 12;

// A context and what it has to be: a plain set of dots.
struct Pair {
  Context context;
  std::set<Dot> dots;
};

std::vector<ActorId> Actors() {
  return {TestActor(1), TestActor(2), TestActor(3)};
}

Pair RandomPair(Random* random) {
  Pair pair;
  for (uint64_t i = random->Below(8); i > 0; --i) {
    const ActorId actor = Actors()[random->Below(3)];
    const uint64_t first = 1 + random->Below(kCounters);
    const uint64_t last = std::min(first + random->Below(4), kCounters);
    pair.context.AddRange({actor, first, last});
    for (uint64_t c = first; c <= last; ++c) pair.dots.insert({actor, c});
  }
  return pair;
}

std::set<Dot> DotsOf(const Context& context) {
  std::set<Dot> dots;
  for (const ActorId actor : Actors()) {
    for (uint64_t c = 1; c <= kCounters + 1; ++c) {
      if (context.Contains({actor, c})) dots.insert({actor, c});
    }
  }
  return dots;
}

std::set<Dot> DotsOf(const std::vector<DotRange>& ranges) {
  std::set<Dot> dots;
  for (const DotRange& range : ranges) {
    for (uint64_t c = range.first; c <= range.last; ++c) {
      EXPECT_TRUE(dots.insert({range.actor, c}).second) << "a dot twice";
    }
  }
  return dots;
}

bool Includes(const std::set<Dot>& all, const std::set<Dot>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

// Entries ascending, ranges ascending and apart: the one form of each set.
void ExpectCompact(const Context& context) {
  const std::vector<Context::Entry>& entries = context.entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(entries[i - 1].actor, entries[i].actor);
    }
    ASSERT_FALSE(entries[i].ranges.empty());
    uint64_t end = 0;
    for (const DotRange& range : entries[i].ranges) {
      EXPECT_EQ(range.actor, entries[i].actor);
      EXPECT_LE(range.first, range.last);
      EXPECT_GT(range.first, end == 0 ? 0 : end + 1);
      end = range.last;
    }
  }
}

Context Joined(Context a, const Context& b) {
  a.Join(b);
  return a;
}

TEST(ContextTest, BehavesAsASetOfDots) {
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    const Pair a = RandomPair(&random);
    const Pair b = RandomPair(&random);
    ASSERT_EQ(DotsOf(a.context), a.dots);
    ExpectCompact(a.context);

    std::set<Dot> both = a.dots;
    both.insert(b.dots.begin(), b.dots.end());
    const Context joined = Joined(a.context, b.context);
    ASSERT_EQ(DotsOf(joined), both);
    ExpectCompact(joined);

    std::set<Dot> difference;
    std::set_difference(a.dots.begin(), a.dots.end(), b.dots.begin(),
                        b.dots.end(),
                        std::inserter(difference, difference.end()));
    ASSERT_EQ(DotsOf(a.context.Minus(b.context)), difference);

    ASSERT_EQ(a.context.Dominates(b.context), Includes(a.dots, b.dots));
    ASSERT_EQ(a.context == b.context, a.dots == b.dots);
    ASSERT_EQ(a.context.Hash() == b.context.Hash(), a.dots == b.dots);
    ASSERT_EQ(a.context.empty(), a.dots.empty());
  }
}

TEST(ContextTest, JoinIsAssociativeCommutativeAndIdempotent) {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const Context a = RandomPair(&random).context;
    const Context b = RandomPair(&random).context;
    const Context c = RandomPair(&random).context;
    ASSERT_EQ(Joined(a, b), Joined(b, a));
    ASSERT_EQ(Joined(Joined(a, b), c), Joined(a, Joined(b, c)));
    ASSERT_EQ(Joined(a, a), a);
    ASSERT_TRUE(Joined(a, b).Dominates(a));
    // What b lacks is what brings it up to a.
    Context caught_up = b;
    for (const DotRange& range : a.Minus(b)) caught_up.AddRange(range);
    ASSERT_EQ(caught_up, Joined(a, b));
  }
}

TEST(ContextTest, FillingTheGapMakesOneRange) {
  Context context;
  const ActorId actor = TestActor(1);
  context.AddRange({actor, 1, 3});
  context.AddRange({actor, 5, 9});
  EXPECT_FALSE(context.Contains({actor, 4}));
  context.Add({actor, 4});
  ASSERT_EQ(context.entries().size(), 1u);
  EXPECT_THAT(context.entries()[0].ranges, ElementsAre(DotRange{actor, 1, 9}));
}

TEST(ContextTest, ContainsNothingAtFirst) {
  const Context context;
  EXPECT_TRUE(context.empty());
  EXPECT_FALSE(context.Contains({TestActor(1), 1}));
  EXPECT_TRUE(context.Dominates(Context()));
  EXPECT_THAT(context.Minus(Context()), IsEmpty());
}

TEST(ContextTest, TheGreatestCounterDoesNotOverflow) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const ActorId actor = TestActor(1);
  Context context;
  context.AddRange({actor, kMax - 1, kMax});
  context.AddRange({actor, 1, 2});
  context.AddRange({actor, kMax - 2, kMax - 2});
  EXPECT_THAT(
      context.entries()[0].ranges,
      ElementsAre(DotRange{actor, 1, 2}, DotRange{actor, kMax - 2, kMax}));
  Context base;
  base.AddRange({actor, 1, 5});
  EXPECT_THAT(context.Minus(base),
              ElementsAre(DotRange{actor, kMax - 2, kMax}));
}

// --- the floor

class ContextFloorTest : public ::testing::Test {
 protected:
  // Actors of the first, second and third day.
  const ActorId first_ = MakeActorId(TestStart(), 1);
  const ActorId second_ = MakeActorId(TestStart() + absl::Hours(24), 1);
  const ActorId third_ = MakeActorId(TestStart() + absl::Hours(48), 1);
  const absl::Time floor_ = TestStart() + absl::Hours(24);
};

TEST_F(ContextFloorTest, ForgottenActorsCountAsCovered) {
  Context context;
  context.Add({first_, 1});
  context.Add({second_, 1});
  context.Prune(floor_);
  EXPECT_EQ(context.floor(), floor_);
  ASSERT_EQ(context.entries().size(), 1u);
  EXPECT_EQ(context.entries()[0].actor, second_);
  EXPECT_TRUE(context.Contains({first_, 1}));
  EXPECT_TRUE(context.Contains({first_, 99}));
  EXPECT_FALSE(context.Contains({second_, 2}));
}

TEST_F(ContextFloorTest, NeverSinks) {
  Context context;
  context.Prune(floor_);
  context.Prune(TestStart());
  EXPECT_EQ(context.floor(), floor_);
  EXPECT_TRUE(context.Contains({first_, 1}));
}

TEST_F(ContextFloorTest, ActorsUnderItDoNotComeBack) {
  Context context;
  context.Prune(floor_);
  context.AddRange({first_, 1, 5});
  Context other;
  other.AddRange({first_, 1, 5});
  other.AddRange({third_, 1, 2});
  context.Join(other);
  ASSERT_EQ(context.entries().size(), 1u);
  EXPECT_EQ(context.entries()[0].actor, third_);
}

TEST_F(ContextFloorTest, DominatesWhatIsUnderIt) {
  Context context;
  context.Prune(floor_);
  Context old;
  old.AddRange({first_, 1, 5});
  EXPECT_TRUE(context.Dominates(old));
  EXPECT_FALSE(old.Dominates([this] {
    Context late;
    late.Add({second_, 1});
    return late;
  }()));
  EXPECT_THAT(old.Minus(context), IsEmpty());
}

TEST_F(ContextFloorTest, DoesNotEnterEqualityOrHash) {
  Context a;
  a.Add({third_, 1});
  Context b = a;
  b.Prune(floor_);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(), b.Hash());
}

}  // namespace
}  // namespace sessionmesh::replication
