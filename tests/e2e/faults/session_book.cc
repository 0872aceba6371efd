#include "tests/e2e/faults/session_book.h"

namespace sessionmesh::e2e {
namespace {

// A node takes 8 with one call.
constexpr size_t kTokensMax = 8;

}  // namespace

SharedSession::Id SharedSession::CurrentId() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {ids_.back().first, static_cast<int>(ids_.size()) - 1,
          ids_.back().second};
}

std::vector<std::string> SharedSession::FormerIds() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> former;
  for (size_t i = 0; i + 1 < ids_.size(); ++i) former.push_back(ids_[i].first);
  return former;
}

void SharedSession::Rotated(const std::string& id, const std::string& token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ids_.emplace_back(id, token);
}

void SharedSession::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

bool SharedSession::closed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

void SharedSession::Leave(const std::vector<std::string>& tokens) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::string& token : tokens) {
    if (tokens_.size() < kTokensMax) tokens_.push_back(token);
  }
}

std::vector<std::string> SharedSession::tokens() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return tokens_;
}

int SessionBook::NewNumber() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return next_++;
}

void SessionBook::Add(std::shared_ptr<SharedSession> session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.push_back(std::move(session));
}

std::vector<std::shared_ptr<SharedSession>> SessionBook::All() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return sessions_;
}

}  // namespace sessionmesh::e2e
