#include "tests/sim/inbox.h"

#include <utility>

namespace sessionmesh::sim {

void Inbox::Push(Kind kind, Work work) {
  if (kind == Kind::kDatagram) {
    if (datagrams_ >= kDatagramsMax) {
      ++dropped_;
      return;
    }
    ++datagrams_;
  }
  const bool hold = blocked_ && kind != Kind::kLocal;
  (hold ? held_ : waiting_).push_back({kind, std::move(work)});
  Drain();
}

void Inbox::SetStalled(bool stalled) {
  stalled_ = stalled;
  Drain();
}

void Inbox::SetBlocked(bool blocked) {
  blocked_ = blocked;
  if (blocked) return;
  while (!held_.empty()) {
    waiting_.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  Drain();
}

void Inbox::Drain() {
  if (draining_ || stalled_) return;
  draining_ = true;
  const std::shared_ptr<bool> alive = alive_;
  while (!waiting_.empty() && !stalled_) {
    if (queue_->now() < busy_until_) {
      if (!scheduled_) {
        scheduled_ = true;
        queue_->At(busy_until_, [this, alive] {
          if (!*alive) return;
          scheduled_ = false;
          Drain();
        });
      }
      break;
    }
    Item item = std::move(waiting_.front());
    waiting_.pop_front();
    if (item.kind == Kind::kDatagram) --datagrams_;
    busy_until_ = queue_->now() + service_time_;
    item.work();
    if (!*alive) return;
  }
  draining_ = false;
}

}  // namespace sessionmesh::sim
