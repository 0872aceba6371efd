#ifndef TESTS_E2E_FAULTS_SESSION_BOOK_H_
#define TESTS_E2E_FAULTS_SESSION_BOOK_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace sessionmesh::e2e {

// A session as its clients know it together. Thread-safe.
class SharedSession {
 public:
  SharedSession(int number, std::string id, absl::Duration idle)
      : number_(number), idle_(idle), ids_{{std::move(id), ""}} {}

  // The id now, how many there were before, and a token that knows of it (empty
  // for the first one).
  struct Id {
    std::string id;
    int number = 0;
    std::string token;
  };
  Id CurrentId() const;
  std::vector<std::string> FormerIds() const;
  void Rotated(const std::string& id, const std::string& token);

  // Nobody uses it any more: it was ended, or it is not known under which id it
  // lives.
  void Close();
  bool closed() const;

  // What a client had seen when it was done with the session, for the audit.
  void Leave(const std::vector<std::string>& tokens);
  std::vector<std::string> tokens() const;

  int number() const { return number_; }
  // Zero: the server's default.
  absl::Duration idle() const { return idle_; }

 private:
  const int number_;
  const absl::Duration idle_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> ids_;  // with tokens
  std::vector<std::string> tokens_;
  bool closed_ = false;
};

// All sessions of a run. Thread-safe.
class SessionBook {
 public:
  int NewNumber();
  void Add(std::shared_ptr<SharedSession> session);
  std::vector<std::shared_ptr<SharedSession>> All() const;

 private:
  mutable std::mutex mutex_;
  int next_ = 0;
  std::vector<std::shared_ptr<SharedSession>> sessions_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_SESSION_BOOK_H_
