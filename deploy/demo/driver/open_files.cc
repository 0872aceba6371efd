#include "deploy/demo/driver/open_files.h"

#include <sys/resource.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace sessionmesh::driver {

absl::Status AllowOpenFiles(std::uint64_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "getrlimit(RLIMIT_NOFILE)");
  }
  if (limit.rlim_max < needed) {
    return absl::ResourceExhaustedError(absl::StrCat(
        needed, " open files are needed, and this process may have at most ",
        limit.rlim_max, "; raise it (ulimit -Hn ", needed,
        ", as root) or ask for fewer browsers"));
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "setrlimit(RLIMIT_NOFILE)");
  }
  return absl::OkStatus();
}

}  // namespace sessionmesh::driver
