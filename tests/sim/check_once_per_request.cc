#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// All tries of one call at one process make one change. (A process that was
// restarted in between has forgotten the first try; a value is then written
// twice, which changes nothing that anybody sees.)
class OncePerRequest : public Checker {
 public:
  OncePerRequest() : Checker("once_per_request") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.value.empty() || operation.command.request_id.empty()) return;
    if (operation.first != operation.id) Checked();
    size_t made = 0;
    for (const Minted* minted :
         scene.ledger().WithValue(operation.slot, operation.value)) {
      if (minted->by == process.number()) ++made;
    }
    if (made > 1)
      Fail(absl::StrCat(Describe(operation), " was done ", made, " times"));
  }
};

}  // namespace

std::unique_ptr<Checker> MakeOncePerRequest() {
  return std::make_unique<OncePerRequest>();
}

}  // namespace sessionmesh::sim
