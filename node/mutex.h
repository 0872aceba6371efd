#ifndef NODE_MUTEX_H_
#define NODE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace sessionmesh::node {

// Mutex is std::mutex with the annotations of clang's thread-safety analysis:
// a member marked ABSL_GUARDED_BY(mutex_) cannot be touched without it.
//
// Not absl::Mutex: Debian builds it without ThreadSanitizer, which then reports
// races that do not exist (22 false ones for a correct queue, none with this).
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// A condition variable for a Mutex. Wakes up for no reason now and then, so
// wait in a loop that looks at the condition.
class CondVar {
 public:
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Also returns when the steady clock (Instant::steady) has reached `steady`.
  void WaitUntil(Mutex* mutex, absl::Time steady)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (steady == absl::InfiniteFuture()) {
      Wait(mutex);
      return;
    }
    // libstdc++'s steady_clock is CLOCK_MONOTONIC, the clock behind
    // Instant::steady.
    const std::chrono::steady_clock::time_point until{
        std::chrono::nanoseconds(absl::ToUnixNanos(steady))};
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait_until(lock, until);
    lock.release();
  }

  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace sessionmesh::node

#endif  // NODE_MUTEX_H_
