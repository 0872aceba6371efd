#include "tests/sim/trace.h"

#include <cstdio>

#include "replication/live_hash.h"

namespace sessionmesh::sim {

void Trace::Add(uint64_t word) { hash_ = replication::Mix64(hash_ ^ word); }

void Trace::Note(absl::Time now, absl::string_view what,
                 absl::string_view bytes,
                 const std::function<std::string()>& describe) {
  Add(static_cast<uint64_t>(absl::ToUnixNanos(now)));
  Add(replication::StableHash(what));
  Add(replication::StableHash(bytes));
  if (!printing_) return;
  const std::string text = describe();
  std::printf("%10.4f  %-9.*s %s\n", absl::ToDoubleSeconds(now - start_),
              static_cast<int>(what.size()), what.data(), text.c_str());
}

void Trace::Note(absl::Time now, absl::string_view what,
                 const std::string& text) {
  Note(now, what, text, [&text] { return text; });
}

}  // namespace sessionmesh::sim
