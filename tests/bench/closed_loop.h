#ifndef TESTS_BENCH_CLOSED_LOOP_H_
#define TESTS_BENCH_CLOSED_LOOP_H_

#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace sessionmesh::bench {

// What a closed loop measured.
struct Loop {
  std::vector<double> latencies_us;  // of the counted calls
  double per_second = 0;
  size_t failed = 0;
};

// Starts one call, number `n` of the run, and calls `done(ok)` when it has been
// answered, on any thread.
using StartCall =
    std::function<void(size_t n, std::function<void(bool ok)> done)>;

// Keeps `in_flight` calls going until `calls` have been made, after a warm-up
// of a tenth of them that is not counted. Blocks.
Loop RunClosedLoop(size_t calls, size_t in_flight, const StartCall& start);

// One call, number `n` of the run, that blocks until it has been answered.
using BlockingCall = std::function<bool(size_t n)>;

// Makes `calls` calls one after the other, after the same warm-up.
Loop RunOneByOne(size_t calls, const BlockingCall& call);

}  // namespace sessionmesh::bench

#endif  // TESTS_BENCH_CLOSED_LOOP_H_
