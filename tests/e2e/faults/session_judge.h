#ifndef TESTS_E2E_FAULTS_SESSION_JUDGE_H_
#define TESTS_E2E_FAULTS_SESSION_JUDGE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/judge.h"
#include "tests/e2e/faults/knowledge.h"
#include "tests/e2e/faults/timeline.h"

namespace sessionmesh::e2e {

// Judges what was said of one session.
//
// What a client knows is what its tokens stand for, so knowledge belongs to
// tokens: that of an answer's token is all that the presented ones stood for
// and what the answer itself showed or made. Handing tokens from one client to
// another needs nothing more.
//
// A try of a write that got no answer may be applied later, by a node that was
// stopped or cut off, and win over what was written since: it did not know of
// that (README.md, MayBeApplied). The value of such a write "floats": that it
// is shown proves nothing.
class SessionJudge {
 public:
  // `records`: all of this session, ascending. All must outlive it.
  SessionJudge(std::vector<const Record*> records, const Timeline* timeline,
               Verdict* verdict);

  void Run();

 private:
  struct Write {
    const Record* first = nullptr;         // its first try
    const Record* acknowledged = nullptr;  // the first answer of success
    int replicas = 0;
    bool floats = false;
  };

  void Collect();
  void Learn();
  Knowledge Presented(const Record& record) const;
  // With all that the writers of what is shown knew.
  void AddShown(const Record& record, Knowledge* knowledge) const;
  Knowledge PastOf(const Write& write) const;
  bool Floats(const Value& value) const;

  void JudgeOrder(const Record& record);
  void JudgeShown(const Record& record, const Value& value,
                  const Knowledge& presented, const Knowledge& all);
  void JudgeAcknowledgement(const Record& record);
  void JudgeEnded(const Record& record);
  void JudgeNotFound(const Record& record);
  void JudgeDataLoss(const Record& record);
  // What this token names may be taken for lost by who is asked now.
  bool MayLookLost(int token, const Record& record) const;
  bool MayHaveEnded(const Record& record) const;
  bool Excused(const Record& write, int replicas) const;

  void JudgeTheEnd();
  void JudgeLost(const Record& audit, const Knowledge& must_be_there,
                 const Knowledge& acknowledged);
  void JudgeEndedInTheEnd(const Record& audit);
  void JudgeSame(const std::vector<const Record*>& audits);

  // The records of the writes of this attribute that replace the value, as
  // far as the knowledge goes; and its own.
  std::vector<const Record*> Proof(const Record& record, const Value& value,
                                   const Knowledge& knowledge) const;

  const std::vector<const Record*> records_;
  const Timeline& timeline_;
  Verdict* const verdict_;

  const Record* create_ = nullptr;  // the answer of success
  bool create_in_doubt_ = false;    // there may be a twin under the same id
  std::map<Value, Write> writes_;
  std::vector<const Record*> deletes_;  // tries that may have been applied
  std::vector<const Record*> rotates_;
  std::map<int, Knowledge> by_token_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_SESSION_JUDGE_H_
