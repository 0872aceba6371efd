#include "node/event_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::node {
namespace {

// The one place where an event becomes a line of the log.
void Log(const NodeEvent& event) {
  std::string line = absl::StrCat(event.area, ".", event.kind);
  if (!event.node.empty()) absl::StrAppend(&line, " node=", event.node);
  for (const auto& [name, value] : event.fields) {
    absl::StrAppend(&line, " ", name, "=", value);
  }
  if (!event.message.empty()) absl::StrAppend(&line, ": ", event.message);
  switch (event.severity) {
    case Severity::kDebug:
      VLOG(1) << line;
      break;
    case Severity::kInfo:
      LOG(INFO) << line;
      break;
    case Severity::kWarning:
      LOG(WARNING) << line;
      break;
    case Severity::kError:
      LOG(ERROR) << line;
      break;
  }
}

}  // namespace

EventLog::EventLog(size_t capacity) : capacity_(capacity) {}

void EventLog::Append(NodeEvent event, uint64_t times) {
  Log(event);
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    MutexLock lock(&mutex_);
    counters_[absl::StrCat(event.area, "_", event.kind)] += times;
    event.number = next_++;
    events_.push_back(std::move(event));
    if (events_.size() > capacity_) events_.pop_front();
    for (const std::weak_ptr<Listener>& listener : listeners_) {
      listeners.push_back(listener.lock());
    }
  }
  for (const std::shared_ptr<Listener>& listener : listeners) {
    if (listener != nullptr) listener->OnEvent();
  }
}

void EventLog::Count(absl::string_view counter, uint64_t times) {
  MutexLock lock(&mutex_);
  const auto found =
      counters_.find(std::string(counter.data(), counter.size()));
  if (found != counters_.end()) {
    found->second += times;
  } else {
    counters_.emplace(std::string(counter), times);
  }
}

EventLog::Batch EventLog::Read(uint64_t from, size_t limit) const {
  MutexLock lock(&mutex_);
  const uint64_t oldest = next_ - events_.size();
  Batch batch;
  batch.next = std::max(from, oldest);
  batch.lost = batch.next - from;
  while (batch.next < next_ && batch.events.size() < limit) {
    batch.events.push_back(events_[batch.next - oldest]);
    ++batch.next;
  }
  return batch;
}

uint64_t EventLog::next_number() const {
  MutexLock lock(&mutex_);
  return next_;
}

std::map<std::string, uint64_t> EventLog::counters() const {
  MutexLock lock(&mutex_);
  return {counters_.begin(), counters_.end()};
}

void EventLog::AddListener(std::weak_ptr<Listener> listener) {
  MutexLock lock(&mutex_);
  listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(),
                                  [](const std::weak_ptr<Listener>& known) {
                                    return known.expired();
                                  }),
                   listeners_.end());
  listeners_.push_back(std::move(listener));
}

}  // namespace sessionmesh::node
