#ifndef TESTS_SIM_TRACE_H_
#define TESTS_SIM_TRACE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::sim {

// Trace is the conversation of one run: as a hash always, and as lines for
// people when asked for. Two runs with equal hashes had the same faults,
// messages, bytes and answers in the same order at the same times.
class Trace {
 public:
  explicit Trace(absl::Time start) : start_(start) {}

  void Print() { printing_ = true; }
  bool printing() const { return printing_; }

  // One thing that happened: `what` names its kind, `bytes` is all of it that
  // must repeat. `describe` is called only when somebody reads.
  void Note(absl::Time now, absl::string_view what, absl::string_view bytes,
            const std::function<std::string()>& describe);
  // Whose describing is free anyway: `text` is both what is hashed and what is
  // shown.
  void Note(absl::Time now, absl::string_view what, const std::string& text);

  uint64_t hash() const { return hash_; }

 private:
  void Add(uint64_t word);

  absl::Time start_;
  bool printing_ = false;
  uint64_t hash_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_TRACE_H_
