#ifndef TESTS_E2E_RESIZE_H_
#define TESTS_E2E_RESIZE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "tests/e2e/cluster.h"

// A cluster that grows and shrinks under load, and what that costs.

namespace sessionmesh::e2e {

// A session that was made, and the token of its last change.
struct Made {
  std::string id;
  std::string token;
};

// Makes `count` sessions of one attribute of `bytes` through all these nodes,
// many at a time.
absl::StatusOr<std::vector<Made>> MakeSessions(
    const std::vector<std::string>& addresses, size_t count, size_t bytes);

// Copies of sessions on each of these nodes, by name.
std::map<std::string, uint64_t> Copies(Cluster* cluster,
                                       const std::vector<std::string>& names);

// Browsers that read and change sessions on all nodes, one call after the
// other, each with the token of its last answer, from construction to Stop.
class Visitors {
 public:
  Visitors(const std::vector<std::string>& addresses,
           const std::vector<Made>& sessions, size_t browsers);
  ~Visitors();
  Visitors(const Visitors&) = delete;
  Visitors& operator=(const Visitors&) = delete;

  void Stop();

  // After Stop.
  uint64_t calls() const { return calls_; }
  uint64_t failed() const { return failed_; }
  // Answers that were older than what the browser had seen.
  uint64_t stale() const { return stale_; }
  // Why the first call failed; empty when none did.
  const std::string& first_failure() const { return first_failure_; }
  absl::Duration longest() const { return longest_; }

 private:
  void Browse(size_t number, client::Client* client, Made session);
  void Note(const absl::Status& status, absl::Duration took);

  std::vector<std::unique_ptr<client::Client>> clients_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> stale_{0};
  std::mutex mutex_;  // of the two below
  std::string first_failure_;
  absl::Duration longest_;
  std::vector<std::thread> threads_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_RESIZE_H_
