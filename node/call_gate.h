#ifndef NODE_CALL_GATE_H_
#define NODE_CALL_GATE_H_

#include <atomic>
#include <cstdint>

namespace sessionmesh::node {

// Counts the calls of clients that are under way, and lets no more than a
// number of them in: what a flood of them takes is bounded, and the rest is
// told at once. Thread-safe.
class CallGate {
 public:
  explicit CallGate(int64_t inside_max) : inside_max_(inside_max) {}

  // False when it is full; otherwise Leave must follow.
  bool Enter() {
    if (inside_.fetch_add(1) < inside_max_) return true;
    inside_.fetch_sub(1);
    return false;
  }
  void Leave() { inside_.fetch_sub(1); }

  int64_t inside_max() const { return inside_max_; }
  int64_t inside() const { return inside_.load(); }

 private:
  const int64_t inside_max_;
  std::atomic<int64_t> inside_{0};
};

}  // namespace sessionmesh::node

#endif  // NODE_CALL_GATE_H_
