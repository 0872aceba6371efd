#ifndef DEPLOY_DEMO_DRIVER_OPEN_FILES_H_
#define DEPLOY_DEMO_DRIVER_OPEN_FILES_H_

#include <cstdint>

#include "absl/status/status.h"

namespace sessionmesh::driver {

// Raises this process's soft limit of open files (RLIMIT_NOFILE) to the hard
// one: a shell gives 1,024, and every browser has two connections.
// RESOURCE_EXHAUSTED, with the number to raise, when even the hard limit is
// below `needed`.
absl::Status AllowOpenFiles(std::uint64_t needed);

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_OPEN_FILES_H_
