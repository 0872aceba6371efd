#ifndef NODE_LANE_TIMER_H_
#define NODE_LANE_TIMER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "node/clock.h"
#include "node/mutex.h"

namespace sessionmesh::node {

// One thread that ticks each of `count` lanes when its deadline has come.
//
// Deadlines are set after every call into a lane, from many threads, so setting
// one is two atomic operations; only one that is earlier than what the thread
// sleeps for takes a lock and wakes it. Thread-safe.
class LaneTimer {
 public:
  // `tick` is called with the number of a lane, on the timer's thread, and must
  // set the lane's next deadline.
  LaneTimer(size_t count, const Clock* clock, std::function<void(size_t)> tick);
  ~LaneTimer();  // stops
  LaneTimer(const LaneTimer&) = delete;
  LaneTimer& operator=(const LaneTimer&) = delete;

  void Start();
  void Stop();

  // On the steady clock.
  void SetDeadline(size_t lane, absl::Time deadline);

 private:
  void Run();
  int64_t Earliest() const;

  const Clock* const clock_;
  const std::function<void(size_t)> tick_;
  // Nanoseconds of the steady clock; kNever when there is nothing to do.
  std::vector<std::atomic<int64_t>> deadlines_;
  std::atomic<int64_t> sleeps_until_;

  Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sessionmesh::node

#endif  // NODE_LANE_TIMER_H_
