#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// After the cluster has settled every call is answered: with the session, with
// a certain NOT_FOUND, or with DATA_LOSS; never with "later", and never
// degraded.
class CalmAudit : public Checker {
 public:
  CalmAudit() : Checker("calm_audit") {}

  void AtEnd(const Scene& scene) override {
    for (const Operation& operation : scene.history()) {
      if (!operation.audit) continue;
      Checked();
      const replication::Reason reason = operation.reply.failure.reason;
      const bool answered = operation.outcome == Operation::Outcome::kOk ||
                            (operation.outcome == Operation::Outcome::kFailed &&
                             (reason == replication::Reason::kSessionNotFound ||
                              reason == replication::Reason::kWriteLost));
      if (answered && operation.reply.degraded) {
        Fail(absl::StrCat(Describe(operation),
                          " in the settled cluster was degraded: ",
                          operation.reply.degraded_reason));
      }
      // Those of all nodes may meet at one owner with room for a few.
      const bool crowded =
          scene.config().replicas != replication::kReplicasAll &&
          reason == replication::Reason::kLimit &&
          operation.reply.failure.limit_name == "waiting calls";
      if (answered || crowded) continue;
      Fail(absl::StrCat(Describe(operation), " in the settled cluster ended ",
                        OutcomeName(operation.outcome), ": ",
                        operation.reply.status.ToString()));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeCalmAudit() {
  return std::make_unique<CalmAudit>();
}

}  // namespace sessionmesh::sim
