#ifndef TESTS_E2E_FAULTS_JUDGE_H_
#define TESTS_E2E_FAULTS_JUDGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/e2e/faults/history.h"

namespace sessionmesh::e2e {

// What was promised (README.md, replication/DESIGN.md), one rule each:
enum class Rule {
  // A call that presents tokens shows nothing that was replaced by a write that
  // the tokens know of: one of the client's own; one it has read.
  kReadYourWrites,
  kMonotonicReads,
  // What an answer shows is complete: who is shown a write is shown nothing
  // that was replaced by what its writer knew; wrote itself; had read.
  kMonotonicWrites,
  kWritesFollowReads,
  // An acknowledged write that so many nodes held is there in the end, or what
  // replaced it, unless so many crashed together.
  kLostWrite,
  // A session whose deletion was acknowledged is never shown to who presents
  // the token of that, and in the end to nobody.
  kDeletedShown,
  // The same for an id that a rotation has ended.
  kRotatedIdShown,
  // NOT_FOUND to who presents tokens: the session has ended, or was rotated
  // away from the id.
  kWrongNotFound,
  // DATA_LOSS: the nodes that held it crashed, or looked so.
  kWrongDataLoss,
  // A session that was used in time is not expired.
  kEarlyExpiry,
  // A value that nobody wrote.
  kInventedValue,
  // As many nodes as the durability asked for, or `degraded`.
  kDishonestAcknowledgement,
  // No process ends but by a fault, and each leaves in time that is asked to.
  kEndedByItself,
  // In the end all nodes show the same.
  kDiverged,
  // When the faults are over no node and no call fails for longer than 10 s.
  kNotHealed,
};
inline constexpr int kRules = static_cast<int>(Rule::kNotHealed) + 1;
const char* Name(Rule rule);

struct Violation {
  Rule rule;
  std::string what;
  std::vector<int64_t> records;  // that prove it, by number, ascending
};

struct Verdict {
  struct Count {
    int64_t checked = 0;  // how often it could have been broken
    int64_t excused = 0;  // of what looked broken: by faults
    int64_t violations = 0;
  };
  Count counts[kRules];
  std::vector<Violation> violations;

  Count& of(Rule rule) { return counts[static_cast<int>(rule)]; }
  const Count& of(Rule rule) const { return counts[static_cast<int>(rule)]; }
  void Add(Rule rule, std::string what, std::vector<const Record*> records);
  bool good() const { return violations.empty(); }
};

// Pure: the same story, the same verdict.
Verdict Judge(const Story& story);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_JUDGE_H_
