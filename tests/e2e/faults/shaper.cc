#include "tests/e2e/faults/shaper.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "glog/logging.h"
#include "tests/e2e/faults/history.h"

extern "C" {
#include <libnetfilter_queue/libnetfilter_queue.h>
}

namespace sessionmesh::e2e {
namespace {

constexpr uint32_t kHeldMax = 20000;  // packets
constexpr int kPollMsMax = 20;        // how late the end may be noticed

}  // namespace

// The kernel's side.
class Shaper::Queue {
 public:
  Queue() : handle_(nfq_open()) {
    PCHECK(handle_ != nullptr) << "NFQUEUE";
    queue_ = nfq_create_queue(handle_, 0, &Queue::OnPacket, this);
    PCHECK(queue_ != nullptr) << "NFQUEUE";
    PCHECK(nfq_set_mode(queue_, NFQNL_COPY_META, 0) == 0);
    PCHECK(nfq_set_queue_maxlen(queue_, kHeldMax) == 0);
  }

  ~Queue() {
    nfq_destroy_queue(queue_);
    nfq_close(handle_);
  }

  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // The packets that come within `wait`, by their numbers.
  std::vector<uint32_t> Read(absl::Duration wait) {
    arrived_.clear();
    const int file = nfq_fd(handle_);
    pollfd poll_file{file, POLLIN, 0};
    const timespec patience = absl::ToTimespec(wait);
    if (ppoll(&poll_file, 1, &patience, nullptr) > 0) {
      alignas(8) char buffer[65536];
      for (;;) {
        const ssize_t got = recv(file, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (got <= 0) break;
        nfq_handle_packet(handle_, buffer, static_cast<int>(got));
      }
    }
    return std::exchange(arrived_, {});
  }

  void LetGo(uint32_t packet) {
    nfq_set_verdict(queue_, packet, NF_ACCEPT, 0, nullptr);
  }

 private:
  static int OnPacket(nfq_q_handle*, nfgenmsg*, nfq_data* data, void* self) {
    if (const nfqnl_msg_packet_hdr* header = nfq_get_msg_packet_hdr(data)) {
      static_cast<Queue*>(self)->arrived_.push_back(ntohl(header->packet_id));
    }
    return 0;
  }

  nfq_handle* const handle_;
  nfq_q_handle* queue_ = nullptr;
  std::vector<uint32_t> arrived_;
};

Shaper::Shaper(std::function<void()> enter, absl::Duration delay,
               absl::Duration jitter, uint32_t seed)
    : delay_(delay), jitter_(jitter), seed_(seed) {
  std::promise<void> ready;
  std::future<void> is_ready = ready.get_future();
  thread_ = std::thread(
      [this, enter = std::move(enter), ready = std::move(ready)]() mutable {
        enter();
        Queue queue;
        ready.set_value();
        Run(&queue);
      });
  is_ready.wait();
}

Shaper::~Shaper() {
  stop_ = true;
  thread_.join();
}

void Shaper::Run(Queue* queue) {
  using Held = std::pair<absl::Time, uint32_t>;  // when it goes on, which
  std::priority_queue<Held, std::vector<Held>, std::greater<Held>> held;
  std::minstd_rand random(seed_);
  std::uniform_real_distribution<double> part(0, 1);
  uint32_t last_gone = 0;
  while (!stop_) {
    absl::Duration wait = absl::Milliseconds(kPollMsMax);
    if (!held.empty()) {
      wait = std::clamp(held.top().first - SteadyNow(), absl::ZeroDuration(),
                        wait);
    }
    for (const uint32_t packet : queue->Read(wait)) {
      held.emplace(SteadyNow() + delay_ + part(random) * jitter_, packet);
      ++delayed_;
    }
    while (!held.empty() && held.top().first <= SteadyNow()) {
      const uint32_t packet = held.top().second;
      if (packet < last_gone) ++overtaken_;
      last_gone = packet;
      queue->LetGo(packet);
      held.pop();
    }
  }
  while (!held.empty()) {
    queue->LetGo(held.top().second);
    held.pop();
  }
}

}  // namespace sessionmesh::e2e
