#ifndef MEMBERSHIP_RANDOM_H_
#define MEMBERSHIP_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sessionmesh {

// Random is a small seeded generator with its own distributions, so that one
// seed means one run on every compiler and library (std:: distributions are
// implementation-defined). Not for secrets.
//
// Algorithm: xoshiro256** 1.0, seeded through splitmix64 (Blackman and Vigna,
// 2018). Below() is Lemire's unbiased multiply-and-reject (2019).
//
// A value type; not thread-safe.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next();

  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);

  // Uniform in [low, high]. REQUIRES: low <= high.
  int64_t Between(int64_t low, int64_t high);

  // True in `numerator` of `denominator` cases. REQUIRES: denominator > 0.
  bool Chance(uint64_t numerator, uint64_t denominator);

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>* items) {
    for (size_t i = items->size(); i > 1; --i) {
      std::swap((*items)[i - 1], (*items)[Below(i)]);
    }
  }

 private:
  uint64_t state_[4];
};

}  // namespace sessionmesh

#endif  // MEMBERSHIP_RANDOM_H_
