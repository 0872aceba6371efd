#include "client/request_id.h"

#include <sys/random.h>

#include <cerrno>

#include "absl/status/status.h"

namespace sessionmesh::client {

absl::StatusOr<std::string> NewRequestId() {
  std::string id(kRequestIdSize, '\0');
  ssize_t got = 0;
  do {
    got = getrandom(id.data(), id.size(),
                    0);  // up to 256 bytes are never cut short
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(id.size())) {
    return absl::ErrnoToStatus(
        errno, "getrandom gave no random bytes for a request id");
  }
  return id;
}

}  // namespace sessionmesh::client
