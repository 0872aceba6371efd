#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// The owners as the process sees them.
std::vector<std::string> OwnersOf(const Process& process) {
  std::vector<std::string> owners;
  for (const membership::Member& member : process.view()->members()) {
    if (member.claim.state <= membership::State::kSuspect)
      owners.push_back(member.name);
  }
  std::sort(owners.begin(), owners.end());
  return owners;
}

// A QUORUM read that succeeded and is not degraded shows every write of its
// session that was acknowledged at QUORUM or ALL, not degraded, before the read
// began; rule E with its exceptions (DESIGN.md).
class QuorumReads : public Checker {
 public:
  QuorumReads() : Checker("quorum_reads") {}

  void OnStart(const Scene&, const Process& process) override {
    names_.insert(process.name());
  }

  void OnEnd(const Scene& scene, const Process&) override {
    ++ended_;
    for (Write& write : writes_) {
      if (IsEverywhere(scene, write)) write.ended = 0;
      ++write.ended;
    }
    // One end is tolerated, and by a quorum of one not even that.
    writes_.erase(std::remove_if(writes_.begin(), writes_.end(),
                                 [](const Write& write) {
                                   return write.ended >= 2 ||
                                          write.operation->reply.replicas < 2;
                                 }),
                  writes_.end());
  }

  void OnLaneStep(const Scene& scene, const Process&, uint32_t,
                  const std::vector<SlotId>&) override {
    if (ended_ > 0 && IsWhole(scene)) ended_ = 0;
  }

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome != Operation::Outcome::kOk ||
        operation.reply.degraded || ended_ >= 2) {
      return;
    }
    if (operation.IsWrite()) {
      Note(scene, process, operation);
    } else if (operation.command.kind == Command::Kind::kGet &&
               operation.command.consistency ==
                   replication::Consistency::kQuorum) {
      CheckRead(scene, process, operation);
    }
  }

 private:
  struct Write {
    const Operation* operation = nullptr;
    std::vector<std::string> owners;
    const Minted* made = nullptr;
    size_t ended = 0;  // processes, since every host held it
  };

  // The process that ends just now included.
  bool IsEverywhere(const Scene& scene, const Write& write) const {
    const std::vector<Process*> running = scene.processes();
    return running.size() == names_.size() &&
           CountHolders(scene, write.operation->slot, write.made->delta->last())
                   .running == running.size();
  }

  // Every host runs and is ready, nobody by itself.
  bool IsWhole(const Scene& scene) const {
    const std::vector<Process*> running = scene.processes();
    if (running.size() != names_.size()) return false;
    return std::all_of(running.begin(), running.end(), [](const auto* each) {
      for (size_t lane = 0; lane < each->lane_count(); ++lane) {
        const replication::LaneStatus status = each->lane(lane).status();
        if (!status.ready || status.degraded) return false;
      }
      return true;
    });
  }

  void Note(const Scene& scene, const Process& process,
            const Operation& operation) {
    if (operation.command.durability != replication::Durability::kQuorum &&
        operation.command.durability != replication::Durability::kAll) {
      return;
    }
    const std::vector<std::string> owners = OwnersOf(process);
    if (operation.command.kind != Command::Kind::kDelete) {
      if (const Minted* made = DeltaOf(scene, operation))
        writes_.push_back({&operation, owners, made, ended_});
      return;
    }
    for (const Dot& birth : BirthsOfId(scene.ledger(), operation.slot,
                                       operation.command.session_id)) {
      for (const Minted* kill : scene.ledger().Kills(operation.slot, birth)) {
        if (kill->by == process.number())
          writes_.push_back({&operation, owners, kill, ended_});
      }
    }
  }

  void CheckRead(const Scene& scene, const Process& process,
                 const Operation& read) {
    const std::optional<Bits> past = scene.ledger().Past(read.slot, read.heads);
    const std::optional<Bits> presented =
        scene.ledger().Past(read.slot, read.presented);
    if (!past.has_value() || !presented.has_value()) return;
    const std::vector<std::string> owners = OwnersOf(process);
    const std::vector<Dot> births =
        BirthsOfId(scene.ledger(), read.slot, read.command.session_id);
    const std::vector<Dot> shown =
        BirthsOf(scene.ledger(), read.slot, read.heads);
    bool checked = false;
    for (const Write& write : writes_) {
      if (write.operation->slot != read.slot ||
          write.operation->answered > read.invoked || write.owners != owners) {
        continue;
      }
      const std::vector<Dot>& named = write.made->delta->births;
      if (!std::any_of(named.begin(), named.end(), [&births](const Dot& birth) {
            return std::binary_search(births.begin(), births.end(), birth);
          })) {
        continue;
      }
      if (write.made->delta->kind == Delta::Kind::kKill) {
        checked = true;
        for (const Dot& birth : named) {
          if (std::binary_search(shown.begin(), shown.end(), birth) &&
              process.slot(read.slot).Find(birth) != nullptr) {
            Fail(absl::StrCat(Describe(read), " shows what was ended by ",
                              Tell(scene, write)));
          }
        }
        continue;
      }
      // What its token names the read shows whatever a quorum says.
      if (presented->Test(write.made->index)) continue;
      checked = true;
      Bits known;
      known.Set(write.made->index);
      if (!Missing(scene, process, read, known, *past).empty()) {
        Fail(absl::StrCat(Describe(read), " does not show ",
                          Tell(scene, write)));
      }
    }
    if (checked) Checked();
  }

  std::string Tell(const Scene& scene, const Write& write) const {
    const Holders holders =
        CountHolders(scene, write.operation->slot, write.made->delta->last());
    return absl::StrCat(
        Describe(*write.operation), ", acknowledged ",
        absl::FormatDuration(scene.now() - write.operation->answered),
        " ago with ", write.operation->reply.replicas, " replicas among ",
        absl::StrJoin(write.owners, " "), "; ", holders.running,
        " running processes hold it, ", holders.ended, " that ended; ",
        write.ended, " ended since all held it");
  }

  std::set<std::string> names_;
  size_t ended_ = 0;  // processes, since every host was ready
  std::deque<Write> writes_;
};

}  // namespace

std::unique_ptr<Checker> MakeQuorumReads() {
  return std::make_unique<QuorumReads>();
}

}  // namespace sessionmesh::sim
