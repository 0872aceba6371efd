#include "tests/bench/closed_loop.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/time/clock.h"

namespace sessionmesh::bench {
namespace {

// Hands out call numbers and collects answers under one lock; the calls
// themselves run outside it. Shared by its callbacks: one of them may still
// look for a next call when the last answer has released Run().
class Runner : public std::enable_shared_from_this<Runner> {
 public:
  Runner(size_t calls, const StartCall& start)
      : calls_(calls), warm_up_(calls / 10), start_(start) {
    loop_.latencies_us.reserve(calls);
  }

  Loop Run(size_t in_flight) {
    for (size_t i = 0; i < in_flight; ++i) StartNext();
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [this] { return answered_ == warm_up_ + calls_; });
    const double seconds = absl::ToDoubleSeconds(last_ - first_);
    loop_.per_second = static_cast<double>(calls_) / seconds;
    return std::move(loop_);
  }

 private:
  void StartNext() {
    size_t number = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (started_ == warm_up_ + calls_) return;
      number = started_++;
      if (number == warm_up_) first_ = absl::Now();
    }
    const absl::Time begun = absl::Now();
    start_(number, [this, self = shared_from_this(), number, begun](bool ok) {
      const absl::Time now = absl::Now();
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (number >= warm_up_) {
          loop_.latencies_us.push_back(absl::ToDoubleMicroseconds(now - begun));
        }
        if (!ok) ++loop_.failed;
        last_ = now;
        ++answered_;
        if (answered_ == warm_up_ + calls_) finished_.notify_all();
      }
      StartNext();
    });
  }

  const size_t calls_;
  const size_t warm_up_;
  const StartCall& start_;
  std::mutex mutex_;
  std::condition_variable finished_;
  size_t started_ = 0;
  size_t answered_ = 0;
  absl::Time first_;
  absl::Time last_;
  Loop loop_;
};

}  // namespace

Loop RunClosedLoop(size_t calls, size_t in_flight, const StartCall& start) {
  return std::make_shared<Runner>(calls, start)->Run(in_flight);
}

Loop RunOneByOne(size_t calls, const BlockingCall& call) {
  Loop loop;
  loop.latencies_us.reserve(calls);
  const size_t warm_up = calls / 10;
  absl::Time first;
  for (size_t i = 0; i < warm_up + calls; ++i) {
    const absl::Time begun = absl::Now();
    if (i == warm_up) first = begun;
    if (!call(i)) ++loop.failed;
    if (i < warm_up) continue;
    loop.latencies_us.push_back(
        absl::ToDoubleMicroseconds(absl::Now() - begun));
  }
  loop.per_second =
      static_cast<double>(calls) / absl::ToDoubleSeconds(absl::Now() - first);
  return loop;
}

}  // namespace sessionmesh::bench
