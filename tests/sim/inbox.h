#ifndef TESTS_SIM_INBOX_H_
#define TESTS_SIM_INBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "tests/sim/event_queue.h"

namespace sessionmesh::sim {

// Inbox is the order in which one process does its work, and the three ways in
// which a process can be slow:
//
//   stall   nothing runs, time passes (SIGSTOP, a long pause of the virtual
//   machine). What arrives waits. block   messages from the network wait;
//   timers and clients go on (a full send buffer, a held lock) slow    every
//   piece of work takes a while, the rest queues up behind it
//
// Datagrams that wait are bounded as in a socket's buffer: the rest is dropped.
// Everything else waits without bound, as its senders are held back by their
// own windows. Not thread-safe.
class Inbox {
 public:
  using Work = std::function<void()>;
  static constexpr size_t kDatagramsMax = 64;

  explicit Inbox(EventQueue* queue)
      : queue_(queue), alive_(std::make_shared<bool>(true)) {}
  ~Inbox() { *alive_ = false; }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  enum class Kind { kDatagram, kMessage, kLocal };
  void Push(Kind kind, Work work);

  void SetStalled(bool stalled);
  void SetBlocked(bool blocked);
  void SetServiceTime(absl::Duration service_time) {
    service_time_ = service_time;
  }
  bool stalled() const { return stalled_; }
  bool blocked() const { return blocked_; }
  bool idle() const { return waiting_.empty() && held_.empty(); }
  uint64_t dropped() const { return dropped_; }

 private:
  struct Item {
    Kind kind;
    Work work;
  };
  void Drain();

  EventQueue* queue_;
  std::shared_ptr<bool> alive_;
  std::deque<Item> waiting_;
  std::deque<Item> held_;  // by a block
  size_t datagrams_ = 0;
  bool stalled_ = false;
  bool blocked_ = false;
  bool draining_ = false;
  bool scheduled_ = false;
  absl::Duration service_time_ = absl::ZeroDuration();
  absl::Time busy_until_ = absl::InfinitePast();
  uint64_t dropped_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_INBOX_H_
