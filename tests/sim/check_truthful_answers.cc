#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// An answer with a session shows exactly what the deltas behind its token make,
// no more and no less, computed by the ledger without the code under test. And
// unless LOCAL was asked for, its token stands for all tokens that were
// presented.
class TruthfulAnswers : public Checker {
 public:
  TruthfulAnswers() : Checker("truthful_answers") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome != Operation::Outcome::kOk) return;
    if (operation.command.kind == Command::Kind::kDelete) return;
    const std::optional<Bits> past =
        scene.ledger().Past(operation.slot, operation.heads);
    if (!past.has_value()) {
      Fail(absl::StrCat(Describe(operation),
                        " got a token that names a dot nobody minted"));
      return;
    }
    if (operation.heads.empty()) {
      Fail(absl::StrCat(Describe(operation), " got no token"));
      return;
    }
    CheckCovers(scene, process, operation, *past);
    if (operation.reply.session.has_value())
      CheckShows(scene, process, operation, *past);
  }

 private:
  void CheckCovers(const Scene& scene, const Process& process,
                   const Operation& operation, const Bits& past) {
    if (operation.command.kind == Command::Kind::kGet &&
        operation.command.consistency == replication::Consistency::kLocal) {
      return;
    }
    const std::optional<Bits> presented =
        scene.ledger().Past(operation.slot, operation.presented);
    if (!presented.has_value() || presented->empty()) return;
    Checked();
    const std::string missing =
        Missing(scene, process, operation, *presented, past);
    if (!missing.empty()) {
      Fail(absl::StrCat(Describe(operation),
                        " got a token that does not cover ", missing,
                        " although it presented it"));
    }
  }

  void CheckShows(const Scene& scene, const Process& process,
                  const Operation& operation, const Bits& past) {
    Checked();
    const ExpectedLives lives = scene.ledger().Lives(
        operation.slot,
        [&past](const Minted& minted) { return past.Test(minted.index); });
    const std::string& id = operation.reply.session->id;
    std::vector<const ExpectedLife*> alive;
    std::vector<const ExpectedLife*> over;
    for (const Dot& birth :
         BirthsOf(scene.ledger(), operation.slot, operation.heads)) {
      const auto life = lives.find(birth);
      if (life == lives.end() || !life->second.Ids().contains(id)) continue;
      const bool is_over = IsOver(process, operation.slot, birth, id);
      (is_over ? over : alive).push_back(&life->second);
    }
    // A delta may name several lives of a foreign id. Those that are over now
    // were so already when the answer was made, or ended while it waited.
    std::string difference;
    for (size_t picked = size_t{1} << std::min<size_t>(over.size(), 6);
         picked > 0; --picked) {
      std::vector<const ExpectedLife*> lives_then = alive;
      for (size_t i = 0; i < over.size(); ++i) {
        if ((picked - 1) >> i & 1) lives_then.push_back(over[i]);
      }
      difference = Difference(operation, Ledger::View(lives_then));
      if (difference.empty()) return;
    }
    Fail(absl::StrCat(Describe(operation), " shows ", difference));
  }

  static std::string Difference(const Operation& operation,
                                const ExpectedView& expected) {
    const replication::SessionView& shown = *operation.reply.session;
    for (const auto& [name, value] : expected.attributes) {
      const auto found = shown.attributes.find(name);
      if (found == shown.attributes.end()) {
        return absl::StrCat("no \"", name, "\" instead of \"", value, "\"");
      }
      if (found->second != value) {
        return absl::StrCat("\"", name, "\" = \"", found->second,
                            "\" instead of \"", value, "\"");
      }
    }
    for (const auto& [name, value] : shown.attributes) {
      if (!expected.attributes.contains(name)) {
        return absl::StrCat("\"", name, "\" = \"", value,
                            "\" that should not be there");
      }
    }
    if (shown.user != expected.user)
      return absl::StrCat("user \"", shown.user, "\"");
    return "";
  }
};

}  // namespace

std::unique_ptr<Checker> MakeTruthfulAnswers() {
  return std::make_unique<TruthfulAnswers>();
}

}  // namespace sessionmesh::sim
