#ifndef TESTS_NODE_WAITER_H_
#define TESTS_NODE_WAITER_H_

#include <functional>

#include "absl/time/time.h"
#include "node/clock.h"
#include "node/mutex.h"

namespace sessionmesh::testing {

// Where threads of a test meet: some change state under the mutex and signal,
// one waits for a condition.
class Waiter {
 public:
  // Changes what the test looks at.
  void Do(const std::function<void()>& change) {
    node::MutexLock lock(&mutex_);
    change();
    changed_.SignalAll();
  }

  // Whether `condition`, looked at under the mutex, came true in time.
  bool Await(const std::function<bool()>& condition,
             absl::Duration timeout = absl::Seconds(20)) {
    const absl::Time until = node::RealClock().Now().steady + timeout;
    node::MutexLock lock(&mutex_);
    while (!condition()) {
      if (node::RealClock().Now().steady >= until) return false;
      changed_.WaitUntil(&mutex_, until);
    }
    return true;
  }

 private:
  node::Mutex mutex_;
  node::CondVar changed_;
};

}  // namespace sessionmesh::testing

#endif  // TESTS_NODE_WAITER_H_
