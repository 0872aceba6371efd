#ifndef TESTS_SIM_EVENT_QUEUE_H_
#define TESTS_SIM_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace sessionmesh::sim {

// EventQueue is the only clock of a simulation: a heap of actions ordered by
// (time, order of insertion). Time stands still while an action runs and jumps
// to the next one after it, so a run depends on nothing but what was put in.
//
// Actions are never cancelled: one that has become pointless finds that out
// itself. Not thread-safe.
class EventQueue {
 public:
  using Action = std::function<void()>;

  explicit EventQueue(absl::Time start) : now_(start) {}

  absl::Time now() const { return now_; }

  // A time in the past means now, behind what is already due.
  void At(absl::Time when, Action action);
  void After(absl::Duration delay, Action action) {
    At(now_ + delay, std::move(action));
  }

  // Runs everything up to and including `until`, which becomes the present;
  // stops after an action when `stop` says so.
  void RunUntil(absl::Time until, const std::function<bool()>& stop);

  uint64_t executed() const { return executed_; }

 private:
  struct Event {
    absl::Time when;
    uint64_t order;
    Action action;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  absl::Time now_;
  uint64_t next_order_ = 0;
  uint64_t executed_ = 0;
  std::vector<Event> heap_;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_EVENT_QUEUE_H_
