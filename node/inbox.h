#ifndef NODE_INBOX_H_
#define NODE_INBOX_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "glog/logging.h"
#include "node/mutex.h"

namespace sessionmesh::node {

// A bounded queue from many threads to one owner, which sleeps in poll() on
// file(). When it is full, Push refuses: the sender tells whoever asked.
//
// Thread-safe; Drain is for the owner.
template <typename T>
class Inbox {
 public:
  explicit Inbox(size_t capacity)
      : capacity_(capacity), file_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    PCHECK(file_ >= 0) << "eventfd";
  }
  ~Inbox() { close(file_); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Readable when there is something to drain.
  int file() const { return file_; }

  // False, and `item` untouched, when the queue is full or closed.
  bool Push(T&& item) { return Insert(std::move(item), capacity_); }

  // For what the owner itself has asked for and therefore bounds. Dropped when
  // the queue is closed.
  void PushAnyway(T&& item) { Insert(std::move(item), SIZE_MAX); }

  // Everything that is there, oldest first; `items` must be empty.
  void Drain(std::vector<T>* items) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(file_, &count, sizeof(count));
    MutexLock lock(&mutex_);
    items->swap(items_);
  }

  // Takes nothing any more; `items` gets what was left.
  void Close(std::vector<T>* items) {
    MutexLock lock(&mutex_);
    closed_ = true;
    items->swap(items_);
  }
  bool closed() const {
    MutexLock lock(&mutex_);
    return closed_;
  }

 private:
  bool Insert(T&& item, size_t limit) {
    bool was_empty = false;
    {
      MutexLock lock(&mutex_);
      if (closed_ || items_.size() >= limit) return false;
      was_empty = items_.empty();
      items_.push_back(std::move(item));
    }
    if (was_empty) {
      const uint64_t one = 1;
      [[maybe_unused]] const ssize_t put = write(file_, &one, sizeof(one));
    }
    return true;
  }

  const size_t capacity_;
  const int file_;
  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<T> items_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_INBOX_H_
