#ifndef DEPLOY_DEMO_DRIVER_RUN_H_
#define DEPLOY_DEMO_DRIVER_RUN_H_

#include <functional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "deploy/demo/driver/report.h"
#include "deploy/demo/driver/shopper.h"

namespace sessionmesh::driver {

struct RunOptions {
  int browsers = 200;
  absl::Duration duration = absl::Seconds(15);
  ShopperOptions shopper;  // `number` is set for each
};

// Runs all shoppers, each on a thread of its own, for the duration; then, when
// none has a request in flight any more, all take their last look. `on_phase`
// hears "started", "half" (the middle of the duration; nobody waits),
// "last-look" and "done", each once, in this order, on the calling thread.
Report Run(const RunOptions& options,
           const std::function<void(absl::string_view)>& on_phase);

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_RUN_H_
