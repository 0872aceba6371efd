#ifndef DEPLOY_DEMO_PROBLEM_H_
#define DEPLOY_DEMO_PROBLEM_H_

#include <string>

#include "absl/status/status.h"

namespace sessionmesh::demo {

// An error of the session store as HTTP.
//
//   NOT_FOUND             404 "NONE"   certain: the session has ended or never
//                                      was
//   DATA_LOSS             410 "LOST"   a change that this browser has seen died
//                                      with its node; the answer's cookies
//                                      forget it, so that a reload goes on with
//                                      what survived
//   UNAVAILABLE (STALE),  503 reason   with Retry-After: another try, or
//   DEADLINE_EXCEEDED,                 another server, may do
//   RESOURCE_EXHAUSTED
//   INVALID_ARGUMENT,     400 reason
//   ALREADY_EXISTS,
//   FAILED_PRECONDITION
//   other                 500 reason
struct Problem {
  int http_status = 500;
  std::string
      word;  // the first word of a plain body: "NONE", "LOST", "STALE", ...
  std::string sentence;  // for people
  bool retry = false;    // a Retry-After header belongs to it
};

// REQUIRES: !status.ok()
Problem DescribeProblem(const absl::Status& status);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_PROBLEM_H_
