#include "tests/sim/event_queue.h"

#include <algorithm>
#include <utility>

namespace sessionmesh::sim {

void EventQueue::At(absl::Time when, Action action) {
  heap_.push_back({std::max(when, now_), next_order_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

void EventQueue::RunUntil(absl::Time until, const std::function<bool()>& stop) {
  while (!heap_.empty() && heap_.front().when <= until) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    ++executed_;
    event.action();
    if (stop()) return;
  }
  now_ = std::max(now_, until);
}

}  // namespace sessionmesh::sim
