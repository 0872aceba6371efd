#ifndef TESTS_E2E_FAULTS_TIMELINE_H_
#define TESTS_E2E_FAULTS_TIMELINE_H_

#include "absl/time/time.h"
#include "tests/e2e/faults/history.h"

namespace sessionmesh::e2e {

// What the faults of a story excuse. It answers questions about one write or
// one access, so that nothing is excused that the fault cannot have hit.
//
// The story must outlive it. Thread-safe.
class Timeline {
 public:
  explicit Timeline(const Story* story) : story_(*story) {}

  // The greatest number of different nodes that crashed in [since, until]
  // without the cluster being whole in between. A write that as many nodes held
  // may be lost with them.
  int CrashesTogether(absl::Time since,
                      absl::Time until = absl::InfiniteFuture()) const;

  // A process ended in [since, until].
  bool AnyCrash(absl::Time since, absl::Time until) const;
  bool AnyEnd(absl::Time since, absl::Time until) const;

  // Somebody who asks at `at` may take a write of `since`, which `holders`
  // nodes held, for lost: so many of them crashed since then; or left, stood
  // still or were not heard not long ago. A cluster that was in two parts not
  // long ago excuses it too, unless every owner held the write.
  bool MayLookLost(absl::Time since, int holders, absl::Time at) const;

  // Connections were cut or nodes gone all the time in [since, until], but for
  // times too short to meet again.
  bool CutAllTheTime(absl::Time since, absl::Time until) const;

 private:
  const Story& story_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_TIMELINE_H_
