#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

// The four session guarantees of Terry and others (PDIS 1994), for calls that
// presented every token of their client. They speak of what the client did and
// got, in its own order; concurrent calls promise each other nothing.

namespace sessionmesh::sim {
namespace {

bool IsFreshRead(const Operation& operation) {
  return operation.guaranteed && operation.outcome == Operation::Outcome::kOk &&
         operation.command.kind == Command::Kind::kGet &&
         operation.command.consistency != replication::Consistency::kLocal;
}

bool IsChange(const Operation& operation) {
  return operation.guaranteed && operation.outcome == Operation::Outcome::kOk &&
         (operation.command.kind == Command::Kind::kUpdate ||
          operation.command.kind == Command::Kind::kRotate);
}

// A read must show, or a write must come after, everything that the client knew
// of one sort.
class SessionGuarantee : public Checker {
 public:
  SessionGuarantee(absl::string_view name, bool (*applies)(const Operation&),
                   const Bits Operation::*premise)
      : Checker(name), applies_(applies), premise_(premise) {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (!applies_(operation)) return;
    const Bits& known = operation.*premise_;
    if (known.empty()) return;
    const Ledger& ledger = scene.ledger();
    std::optional<Bits> past;
    if (operation.IsWrite()) {
      if (const Minted* made = DeltaOf(scene, operation)) past = made->past;
    } else {
      past = ledger.Past(operation.slot, operation.heads);
    }
    if (!past.has_value())
      return;  // truthful_answers and honest_acknowledgements judge that
    Checked();
    const std::string missing =
        Missing(scene, process, operation, known, *past);
    if (!missing.empty())
      Fail(absl::StrCat(Describe(operation), " does not know ", missing));
  }

 private:
  bool (*applies_)(const Operation&);
  const Bits Operation::*premise_;
};

}  // namespace

std::unique_ptr<Checker> MakeReadYourWrites() {
  return std::make_unique<SessionGuarantee>("read_your_writes", IsFreshRead,
                                            &Operation::written);
}

std::unique_ptr<Checker> MakeMonotonicReads() {
  return std::make_unique<SessionGuarantee>("monotonic_reads", IsFreshRead,
                                            &Operation::read);
}

std::unique_ptr<Checker> MakeMonotonicWrites() {
  return std::make_unique<SessionGuarantee>("monotonic_writes", IsChange,
                                            &Operation::written);
}

std::unique_ptr<Checker> MakeWritesFollowReads() {
  return std::make_unique<SessionGuarantee>("writes_follow_reads", IsChange,
                                            &Operation::read);
}

}  // namespace sessionmesh::sim
