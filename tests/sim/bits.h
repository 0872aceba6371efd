#ifndef TESTS_SIM_BITS_H_
#define TESTS_SIM_BITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sessionmesh::sim {

// A growing set of small numbers.
class Bits {
 public:
  void Set(size_t i) {
    if (i / 64 >= words_.size()) words_.resize(i / 64 + 1);
    words_[i / 64] |= uint64_t{1} << (i % 64);
  }
  bool Test(size_t i) const {
    return i / 64 < words_.size() && (words_[i / 64] >> (i % 64) & 1) != 0;
  }
  void Add(const Bits& other) {
    words_.resize(std::max(words_.size(), other.words_.size()));
    for (size_t i = 0; i < other.words_.size(); ++i)
      words_[i] |= other.words_[i];
  }
  // The numbers that are here and not in `other`, ascending.
  std::vector<size_t> Minus(const Bits& other) const {
    std::vector<size_t> missing;
    for (size_t w = 0; w < words_.size(); ++w) {
      uint64_t left =
          words_[w] & ~(w < other.words_.size() ? other.words_[w] : 0);
      for (size_t bit = 0; left != 0; ++bit, left >>= 1) {
        if ((left & 1) != 0) missing.push_back(w * 64 + bit);
      }
    }
    return missing;
  }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(),
                       [](uint64_t w) { return w == 0; });
  }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_BITS_H_
