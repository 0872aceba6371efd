#include "replication/puller.h"

#include <algorithm>
#include <iterator>

namespace sessionmesh::replication {
namespace {

// A source that was busy is asked again after this.
constexpr absl::Duration kBusyPause = absl::Milliseconds(20);
// A pull that has made no progress for so long takes no place from other peers:
// a few that hang must not keep a lane from asking those that answer.
constexpr absl::Duration kStuckAfter = absl::Milliseconds(100);

}  // namespace

void Puller::Want(const NodeName& from, SlotId slot, bool urgent) {
  const Key key{from, slot};
  const bool is_new = wanted_.insert(key).second;
  blocked_ = false;
  if (urgent) {
    if (std::find(urgent_.begin(), urgent_.end(), key) == urgent_.end()) {
      urgent_.push_back(key);
    }
  } else if (is_new) {
    normal_.push_back(key);
  }
}

std::optional<Puller::Start> Puller::Next(absl::Time now) {
  if (wanted_.empty() || (blocked_ && now < retry_at())) return std::nullopt;
  looked_at_ = now;
  blocked_ = true;  // unless one starts
  if (paused_until_ != absl::InfiniteFuture()) {
    if (now < paused_until_) return std::nullopt;
    paused_until_ = absl::InfiniteFuture();
  }
  const auto moving = std::count_if(
      running_.begin(), running_.end(),
      [now](const auto& r) { return now - r.second.progress < kStuckAfter; });
  if (static_cast<size_t>(moving) >= config_.pulls_in_flight_max) {
    return std::nullopt;
  }
  const size_t per_peer_max =
      std::max<size_t>(1, config_.pulls_in_flight_max / 2);
  for (std::deque<Key>* queue : {&urgent_, &normal_}) {
    for (auto it = queue->begin(); it != queue->end();) {
      const Key key = *it;
      if (wanted_.count(key) ==
          0) {  // served through the other queue, or forgotten
        it = queue->erase(it);
        continue;
      }
      // One peer that hangs must not hold all places.
      if (running_by_key_.count(key) > 0 ||
          RunningFrom(key.first) >= per_peer_max) {
        ++it;
        continue;
      }
      queue->erase(it);
      wanted_.erase(key);
      const uint64_t pull = next_pull_++;
      Running& running = running_[pull];
      running.from = key.first;
      running.slot = key.second;
      running.progress = now;
      running_by_key_[key] = pull;
      blocked_ = false;
      return Start{key.first, key.second, pull};
    }
  }
  return std::nullopt;
}

std::optional<Puller::Done> Puller::OnReply(const NodeName& from,
                                            const PullReply& reply,
                                            absl::Time now,
                                            std::optional<PullMore>* more) {
  const auto it = running_.find(reply.pull);
  if (it == running_.end() || it->second.from != from) return std::nullopt;
  blocked_ = false;
  Running& running = it->second;
  if (reply.kind == PullReply::Kind::kBusy ||
      reply.kind == PullReply::Kind::kGone) {
    const SlotId slot =
        running.slot;  // a source that forgot the transfer does not know it
    running_by_key_.erase({from, slot});
    running_.erase(it);
    paused_until_ = now + kBusyPause;
    Want(from, slot, /*urgent=*/false);
    return std::nullopt;
  }
  if (running.slot != reply.slot) return std::nullopt;
  running.progress = now;
  if (reply.kind == PullReply::Kind::kState) {
    if (reply.part != running.parts) return std::nullopt;  // a repeated part
    for (const SnapshotLife& life : reply.state.lives) {
      running.staged_bytes += sizeof(life) +
                              life.live_dots.size() * sizeof(Dot) +
                              (life.full ? life.full->memory_bytes() : 0);
    }
    if (running.staged_bytes > config_.lane_bytes_max) {
      // No slot of a lane can be that large.
      running_by_key_.erase({from, running.slot});
      running_.erase(it);
      return std::nullopt;
    }
    if (running.parts++ == 0) {
      running.staged = reply;
    } else {
      std::vector<SnapshotLife>& lives = running.staged.state.lives;
      lives.insert(lives.end(), reply.state.lives.begin(),
                   reply.state.lives.end());
    }
    if (!reply.last) {
      *more = PullMore{reply.pull, running.parts};
      return std::nullopt;
    }
  } else {
    running.staged = reply;
  }
  Done done{from, reply.pull, reply.slot, std::move(running.staged)};
  running_by_key_.erase({from, reply.slot});
  running_.erase(it);
  return done;
}

void Puller::ForgetIf(const std::function<bool(const Key&)>& picked) {
  blocked_ = false;
  for (auto it = wanted_.begin(); it != wanted_.end();) {
    it = picked(*it) ? wanted_.erase(it) : std::next(it);
  }
  for (auto it = running_.begin(); it != running_.end();) {
    const Key key{it->second.from, it->second.slot};
    if (picked(key)) {
      running_by_key_.erase(key);
      it = running_.erase(it);
    } else {
      ++it;
    }
  }
}

void Puller::Forget(const NodeName& from) {
  ForgetIf([&from](const Key& key) { return key.first == from; });
}

void Puller::Forget(SlotId slot) {
  ForgetIf([slot](const Key& key) { return key.second == slot; });
}

size_t Puller::Expire(absl::Time now) {
  std::vector<Key> expired;
  for (auto it = running_.begin(); it != running_.end();) {
    if (now - it->second.progress >= config_.pull_timeout) {
      expired.push_back({it->second.from, it->second.slot});
      running_by_key_.erase(expired.back());
      it = running_.erase(it);
    } else {
      ++it;
    }
  }
  for (const Key& key : expired) {
    Want(key.first, key.second, /*urgent=*/false);
  }
  return expired.size();
}

bool Puller::Pending(const NodeName& from, SlotId slot, uint64_t since) const {
  const Key key{from, slot};
  if (wanted_.count(key) > 0) return true;
  const auto it = running_by_key_.find(key);
  return it != running_by_key_.end() && it->second >= since;
}

size_t Puller::RunningFrom(const NodeName& from) const {
  return static_cast<size_t>(
      std::count_if(running_.begin(), running_.end(),
                    [&](const auto& r) { return r.second.from == from; }));
}

uint32_t Puller::CountFrom(const NodeName& from) const {
  uint32_t count = 0;
  for (const Key& key : wanted_) count += key.first == from ? 1u : 0u;
  for (const auto& [key, pull] : running_by_key_) {
    count += key.first == from ? 1u : 0u;
  }
  return count;
}

absl::Time Puller::retry_at() const {
  if (wanted_.empty()) return absl::InfiniteFuture();
  absl::Time at = paused_until_;
  for (const auto& [pull, running] : running_) {
    const absl::Time stuck = running.progress + kStuckAfter;
    if (stuck > looked_at_) at = std::min(at, stuck);
  }
  return at;
}

absl::Time Puller::next_timeout() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [pull, running] : running_) {
    next = std::min(next, running.progress + config_.pull_timeout);
  }
  return next;
}

}  // namespace sessionmesh::replication
