#include "node/lane_timer.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sessionmesh::node {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kAwake = std::numeric_limits<int64_t>::min();

int64_t ToNanos(absl::Time time) {
  return time == absl::InfiniteFuture() ? kNever : absl::ToUnixNanos(time);
}

}  // namespace

LaneTimer::LaneTimer(size_t count, const Clock* clock,
                     std::function<void(size_t)> tick)
    : clock_(clock),
      tick_(std::move(tick)),
      deadlines_(count),
      sleeps_until_(kAwake) {
  for (std::atomic<int64_t>& deadline : deadlines_) deadline = kNever;
}

LaneTimer::~LaneTimer() { Stop(); }

void LaneTimer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LaneTimer::Stop() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void LaneTimer::SetDeadline(size_t lane, absl::Time deadline) {
  const int64_t nanos = ToNanos(deadline);
  deadlines_[lane].store(nanos);
  // The thread publishes what it will sleep for and then looks at the deadlines
  // once more, so either it sees this one or this sees that it is too late.
  if (nanos >= sleeps_until_.load()) return;
  MutexLock lock(&mutex_);
  sleeps_until_.store(kAwake);
  changed_.Signal();
}

int64_t LaneTimer::Earliest() const {
  int64_t earliest = kNever;
  for (const std::atomic<int64_t>& deadline : deadlines_) {
    earliest = std::min(earliest, deadline.load());
  }
  return earliest;
}

void LaneTimer::Run() {
  for (;;) {
    {
      MutexLock lock(&mutex_);
      for (;;) {
        if (stopped_) return;
        const int64_t until = Earliest();
        sleeps_until_.store(until);
        if (Earliest() < until) continue;
        const absl::Time time = until == kNever ? absl::InfiniteFuture()
                                                : absl::FromUnixNanos(until);
        if (time <= clock_->Now().steady) break;
        changed_.WaitUntil(&mutex_, time);
      }
      sleeps_until_.store(kAwake);
    }
    const int64_t now = ToNanos(clock_->Now().steady);
    for (size_t lane = 0; lane < deadlines_.size(); ++lane) {
      if (deadlines_[lane].load() <= now) tick_(lane);
    }
  }
}

}  // namespace sessionmesh::node
