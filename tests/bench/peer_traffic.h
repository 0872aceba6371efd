#ifndef TESTS_BENCH_PEER_TRAFFIC_H_
#define TESTS_BENCH_PEER_TRAFFIC_H_

#include <cstdint>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::bench {

// Bytes on all TCP connections of this machine with one of `ports` at either
// end, as `ss` (iproute2) reports them: what each end has sent, HTTP/2 framing
// and acknowledging messages included, headers of TCP and IP not. UNAVAILABLE
// without `ss`.
absl::StatusOr<uint64_t> PeerBytes(const std::set<int>& ports);

// The sum over the output of `ss -tinH`; for tests apart from it.
uint64_t SumSentBytes(absl::string_view ss_output, const std::set<int>& ports);

}  // namespace sessionmesh::bench

#endif  // TESTS_BENCH_PEER_TRAFFIC_H_
