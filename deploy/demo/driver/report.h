#ifndef DEPLOY_DEMO_DRIVER_REPORT_H_
#define DEPLOY_DEMO_DRIVER_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "deploy/demo/driver/browser.h"
#include "deploy/demo/driver/checker.h"

namespace sessionmesh::driver {

// The outcome of a run.
struct Report {
  Findings findings;
  Traffic traffic;
  std::uint64_t browsers = 0;  // at the same time
  std::uint64_t sessions = 0;  // one after another in all browsers
  std::uint64_t cut_off = 0;
  // Browsers of which a request got no answer (Traffic::unanswered): each may
  // have been cut off in the middle of a log in, and no other.
  std::uint64_t interrupted = 0;
  // The site promises that its cookies never lose a token (Site::shop()).
  bool cookies_promise = true;
  double seconds = 0;
};

// Why the run does not show what it should: each count that must be zero, or at
// most another one, and is not, and each that must not be zero, because the
// check behind it has tested nothing. Empty: all is well. Whether requests
// reached another server is not judged on a site that does not name its nodes.
std::vector<std::string> Judge(const Report& report);

// For people: aligned lines, then samples of what went wrong.
std::string FormatTable(const Report& report);
// One JSON object with stable keys, all numbers, but for "ok" and "broken".
std::string FormatJson(const Report& report);

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_REPORT_H_
