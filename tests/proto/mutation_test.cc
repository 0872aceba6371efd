#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "membership/random.h"
#include "tests/proto/seed_bytes.h"
#include "tests/proto/stability.h"

// What the fuzzers do, in small, for every compiler: damaged versions of valid
// bytes. A fixed number of them, so that the test does the same on every
// machine.

namespace sessionmesh::wire {
namespace {

using testing::DatagramBytes;
using testing::PeerBatchBytes;
using testing::TokenBodyBytes;
using testing::TokenBytes;

constexpr uint64_t kSamples = 100;
constexpr uint64_t kMutations = 20000;

// Changes some bytes, or cuts, removes, repeats or inserts some.
std::string Mutated(std::string bytes, Random* random) {
  for (uint64_t n = 1 + random->Below(3); n > 0 && !bytes.empty(); --n) {
    const size_t at = random->Below(bytes.size());
    switch (random->Below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random->Below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random->Below(256));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, 1 + random->Below(4));
        break;
      case 4:
        bytes.insert(at, bytes.substr(at / 2, 1 + random->Below(8)));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(0xff));
    }
  }
  return bytes;
}

template <typename Make>
std::vector<std::string> Samples(Make make) {
  std::vector<std::string> samples;
  for (uint64_t seed = 0; seed < kSamples; ++seed)
    samples.push_back(make(seed));
  return samples;
}

// Returns how many of the damaged ones were accepted all the same.
template <typename Check>
uint64_t Attack(const std::vector<std::string>& samples, Check check) {
  uint64_t accepted = 0;
  Random random(20260101);
  for (uint64_t i = 0; i < kMutations; ++i) {
    if (check(Mutated(samples[i % samples.size()], &random))) ++accepted;
  }
  return accepted;
}

TEST(MutationTest, DamagedDatagramsAreRefusedOrStable) {
  EXPECT_TRUE(testing::CheckDatagramStable(DatagramBytes(1)));
  EXPECT_GT(Attack(Samples(DatagramBytes), testing::CheckDatagramStable),
            kMutations / 100);
}

TEST(MutationTest, DamagedPeerBatchesAreRefusedOrStable) {
  EXPECT_TRUE(testing::CheckPeerBatchStable(PeerBatchBytes(1)));
  EXPECT_GT(Attack(Samples(PeerBatchBytes), testing::CheckPeerBatchStable),
            kMutations / 100);
}

TEST(MutationTest, DamagedTokensAreRefused) {
  EXPECT_TRUE(testing::CheckTokenStable(TokenBytes(1)));
  // Not counting those that the mutation left as they were.
  const std::vector<std::string> samples = Samples(TokenBytes);
  const std::set<absl::string_view> valid(samples.begin(), samples.end());
  EXPECT_EQ(Attack(samples,
                   [&valid](const std::string& token) {
                     return valid.count(token) == 0 &&
                            testing::CheckTokenStable(token);
                   }),
            0u);
}

TEST(MutationTest, TokenBodiesAreRefusedOrStable) {
  EXPECT_TRUE(testing::CheckTokenStable(TokenBodyBytes(1)));
  EXPECT_GT(Attack(Samples(TokenBodyBytes), testing::CheckTokenStable),
            kMutations / 100);
}

TEST(MutationTest, TruncationAtEveryByteIsRefusedOrStable) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::string datagram = DatagramBytes(seed);
    for (size_t size = 0; size < datagram.size(); ++size) {
      testing::CheckDatagramStable(absl::string_view(datagram).substr(0, size));
    }
    const std::string batch = PeerBatchBytes(seed);
    for (size_t size = 0; size < batch.size(); ++size) {
      testing::CheckPeerBatchStable(absl::string_view(batch).substr(0, size));
    }
  }
}

}  // namespace
}  // namespace sessionmesh::wire
