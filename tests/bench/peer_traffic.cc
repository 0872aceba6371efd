#include "tests/bench/peer_traffic.h"

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sessionmesh::bench {
namespace {

// The port of "127.0.0.1:7401" or "[::1]:7401"; 0 when there is none.
int PortOf(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    return 0;
  }
  return port;
}

}  // namespace

uint64_t SumSentBytes(absl::string_view ss_output, const std::set<int>& ports) {
  uint64_t total = 0;
  bool ours = false;
  for (absl::string_view line : absl::StrSplit(ss_output, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (!line.empty() &&
        !absl::ascii_isspace(static_cast<unsigned char>(line[0]))) {
      // State Recv-Q Send-Q Local Peer; its numbers follow on the next line.
      ours = words.size() >= 5 && (ports.count(PortOf(words[3])) > 0 ||
                                   ports.count(PortOf(words[4])) > 0);
    }
    if (!ours) continue;
    for (absl::string_view word : words) {
      uint64_t bytes = 0;
      if (absl::ConsumePrefix(&word, "bytes_sent:") &&
          absl::SimpleAtoi(word, &bytes)) {
        total += bytes;
      }
    }
  }
  return total;
}

absl::StatusOr<uint64_t> PeerBytes(const std::set<int>& ports) {
  FILE* ss = popen("ss -tinH 2>/dev/null", "r");
  if (ss == nullptr) return absl::UnavailableError("cannot run ss (iproute2)");
  std::string output;
  char buffer[4096];
  while (const size_t n = fread(buffer, 1, sizeof(buffer), ss)) {
    output.append(buffer, n);
  }
  if (pclose(ss) != 0) {
    return absl::UnavailableError(
        "ss failed; install iproute2 (deploy/setup test)");
  }
  return SumSentBytes(output, ports);
}

}  // namespace sessionmesh::bench
