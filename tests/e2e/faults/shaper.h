#ifndef TESTS_E2E_FAULTS_SHAPER_H_
#define TESTS_E2E_FAULTS_SHAPER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "absl/time/time.h"

namespace sessionmesh::e2e {

// Delays what arrives at one node: the packet filter gives packets to a queue
// (NFQUEUE), a thread holds each for `delay` and a random part of `jitter`, and
// lets it go on. Each packet has its own jitter, so they overtake each other.
// The kernels we test on have no netem.
//
// Ends with the object: what is held goes on at once, and the kernel lets
// through what comes later (--queue-bypass). Not thread-safe.
class Shaper {
 public:
  // `enter` puts the calling thread into the network namespace of the node.
  // Works when the constructor has returned.
  Shaper(std::function<void()> enter, absl::Duration delay,
         absl::Duration jitter, uint32_t seed);
  ~Shaper();
  Shaper(const Shaper&) = delete;
  Shaper& operator=(const Shaper&) = delete;

  // Packets that were held so far, and those of them that another overtook.
  int64_t delayed() const { return delayed_; }
  int64_t overtaken() const { return overtaken_; }

 private:
  class Queue;

  void Run(Queue* queue);

  const absl::Duration delay_;
  const absl::Duration jitter_;
  const uint32_t seed_;
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> delayed_ = 0;
  std::atomic<int64_t> overtaken_ = 0;
  std::thread thread_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_SHAPER_H_
