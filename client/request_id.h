#ifndef CLIENT_REQUEST_ID_H_
#define CLIENT_REQUEST_ID_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace sessionmesh::client {

inline constexpr std::size_t kRequestIdSize = 16;

// 16 bytes from the kernel's generator (getrandom(2)). Random and not counted,
// because two clients of one node must never share an id: a Rotate derives the
// new session id from it. INTERNAL when the kernel gives none (a seccomp filter
// without the call). Thread-safe.
absl::StatusOr<std::string> NewRequestId();

}  // namespace sessionmesh::client

#endif  // CLIENT_REQUEST_ID_H_
