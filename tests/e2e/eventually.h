#ifndef TESTS_E2E_EVENTUALLY_H_
#define TESTS_E2E_EVENTUALLY_H_

#include <functional>

#include "absl/time/time.h"

namespace sessionmesh::e2e {

// Asks `condition` again and again until it is true (then true) or `timeout` is
// over (false). Generous time-outs cost nothing when all is well.
bool Eventually(const std::function<bool()>& condition,
                absl::Duration timeout = absl::Seconds(30));

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_EVENTUALLY_H_
