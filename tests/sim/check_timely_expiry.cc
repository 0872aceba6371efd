#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// Idle expiry is never early: a session that some node accepted an access of at
// true time t lives until t + idle, but for the exceptions of rule D: the
// access died with its only holder, or toucher and killer were cut off from
// each other for longer than the idle time: by the network, or because two
// shorter cuts left membership no time to meet the toucher again (it was dead
// all the while to the killer, or to whom a restarted killer asked). It is
// never late: after idle and the offset of the clocks since the last access
// that any node can have accepted, nobody shows it. The absolute deadline is
// exact by the node's clock.
class TimelyExpiry : public Checker {
 public:
  TimelyExpiry() : Checker("timely_expiry") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome == Operation::Outcome::kOk &&
        operation.command.kind != Command::Kind::kDelete) {
      CheckOver(scene, process, operation);
      for (const Dot& birth :
           BirthsOf(scene.ledger(), operation.slot, operation.heads)) {
        if (operation.command.peek) continue;
        // Of two lives of a foreign id one may be idle already: a read of the
        // other is no access to it.
        if (!operation.IsWrite() && IsOver(process, operation.slot, birth,
                                           operation.command.session_id)) {
          continue;
        }
        // A write is an access when it is made, not when enough owners hold it.
        const Minted* made =
            operation.IsWrite() ? DeltaOf(scene, operation) : nullptr;
        // A new life is no access to another one of the same foreign id.
        if (operation.command.kind == Command::Kind::kCreate &&
            (made == nullptr || made->delta->dot(0) != birth)) {
          continue;
        }
        accesses_[{operation.slot, birth}].push_back(
            {made == nullptr ? scene.now() : made->at, process.number(),
             process.host()});
      }
    }
    if (operation.outcome == Operation::Outcome::kFailed &&
        operation.reply.failure.reason ==
            replication::Reason::kSessionNotFound) {
      CheckRefusal(scene, process, operation);
    }
  }

  void OnView(const Scene& scene, const Process& process) override {
    for (const membership::Member& member : process.view()->members()) {
      const std::pair<ProcessNumber, NodeName> key{process.number(),
                                                   member.name};
      if (member.claim.state == membership::State::kDead) {
        dead_since_.try_emplace(key, scene.now());
      } else {
        dead_since_.erase(key);
      }
    }
  }

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t lane,
                  const std::vector<SlotId>& changed) override {
    for (uint32_t slot = lane; slot < scene.config().slot_count;
         slot += scene.config().lane_count) {
      const auto id = static_cast<SlotId>(slot);
      const std::pair<ProcessNumber, SlotId> key{process.number(), id};
      if (process.phase(id) == replication::Phase::kReady) {
        ready_since_.try_emplace(key, scene.now());
      } else {
        ready_since_.erase(key);
      }
    }
    for (const SlotId slot : changed) {
      for (size_t i = scene.ledger().size(slot); i > 0; --i) {
        const Minted& minted = scene.ledger().At(slot, i - 1);
        if (minted.by != process.number() || minted.at != scene.now()) break;
        if (minted.delta->kind != Delta::Kind::kKill) continue;
        if (minted.delta->reason != replication::EndReason::kIdle) continue;
        // Who creates a session anew ends the expired one under its id by the
        // clock of that node alone.
        const bool replaces =
            i < scene.ledger().size(slot) &&
            scene.ledger().At(slot, i).delta->kind == Delta::Kind::kCreate;
        const absl::Duration tolerance =
            replaces ? scene.config().clock_offset_max : absl::ZeroDuration();
        for (const Dot& birth : minted.delta->births) {
          CheckEarly(scene, process, slot, birth, tolerance);
        }
      }
    }
  }

  void AtEnd(const Scene& scene) override {
    // Whatever was left alone for long enough is gone from every store.
    const absl::Duration patience = scene.config().idle_slack() +
                                    scene.config().clock_offset_max +
                                    2 * scene.config().expiry_pass_interval +
                                    2 * scene.config().pull_timeout;
    for (const Process* process : scene.processes()) {
      for (uint32_t slot = 0; slot < scene.config().slot_count; ++slot) {
        for (const auto& [birth, held] :
             process->slot(static_cast<SlotId>(slot)).lives()) {
          const absl::Time due =
              absl::FromUnixMillis(held.last_access_ms + held.life->idle_ms);
          const absl::Time end = std::min(due, held.life->deadline());
          Checked();
          const auto ready =
              ready_since_.find({process->number(), static_cast<SlotId>(slot)});
          if (process->Now().wall < end + patience || !scene.settled() ||
              ready == ready_since_.end() ||
              scene.now() < ready->second + patience) {
            continue;
          }
          Fail(absl::StrCat(
              "slot ", slot, " of ", process->name(), " still has ",
              replication::DotName(birth), " that was due ",
              absl::FormatDuration(process->Now().wall - end), " ago"));
        }
      }
    }
  }

 private:
  struct Access {
    absl::Time at;
    ProcessNumber process = 0;
    HostId host = 0;
  };
  using Key = std::pair<SlotId, Dot>;

  // A node that says NOT_FOUND for a life that it still has calls it expired.
  // It does so by its clock alone, without the slack that a KILL waits for.
  void CheckRefusal(const Scene& scene, const Process& process,
                    const Operation& operation) {
    if (RevokesNow(scene, process, operation.slot)) return;
    for (const auto* held :
         process.slot(operation.slot).Lookup(operation.command.session_id)) {
      if (held->life->Ids().size() > 1) continue;  // being revoked
      if (held->life->deadline() <= process.Now().wall) continue;
      CheckEarly(scene, process, operation.slot, held->life->birth,
                 scene.config().clock_offset_max);
    }
  }

  void CheckEarly(const Scene& scene, const Process& killer, SlotId slot,
                  const Dot& birth, absl::Duration tolerance) {
    const Minted* created = scene.ledger().Find(slot, birth);
    if (created == nullptr || created->delta->deadline <= killer.Now().wall)
      return;
    Checked();
    const absl::Duration idle = created->delta->idle;
    for (const Access& access : accesses_[{slot, birth}]) {
      if (access.at + idle - tolerance <= scene.now()) continue;
      const std::vector<Process*> running = scene.processes();
      const auto toucher = std::find_if(
          running.begin(), running.end(), [&access](const Process* process) {
            return process->number() == access.process;
          });
      if (toucher == running.end()) continue;
      if (WasDeadFor(scene, killer, (*toucher)->name(), idle)) continue;
      const absl::Duration cut = scene.network().LongestCut(
          access.host, killer.host(), access.at - idle);
      if (cut >= idle) continue;
      Fail(absl::StrCat("slot ", slot, ": ", killer.name(), " expired ",
                        replication::DotName(birth), " ",
                        absl::FormatDuration(scene.now() - access.at),
                        " after an access, its idle time is ",
                        absl::FormatDuration(idle)));
    }
  }

  // The killer takes the member for dead, and so has somebody, who may have
  // told it, for this long.
  bool WasDeadFor(const Scene& scene, const Process& killer,
                  const NodeName& name, absl::Duration time) const {
    if (dead_since_.count({killer.number(), name}) == 0) return false;
    const std::vector<Process*> running = scene.processes();
    return std::any_of(
        running.begin(), running.end(), [&](const Process* process) {
          const auto dead = dead_since_.find({process->number(), name});
          return dead != dead_since_.end() &&
                 scene.now() - dead->second >= time;
        });
  }

  // Of the lives that the answer belongs to (a foreign id may have several) one
  // at least must be neither left alone for too long nor past its deadline.
  void CheckOver(const Scene& scene, const Process& process,
                 const Operation& operation) {
    std::string why;
    for (const Dot& birth :
         BirthsOf(scene.ledger(), operation.slot, operation.heads)) {
      const Minted* created = scene.ledger().Find(operation.slot, birth);
      if (created == nullptr || IsDeadAt(process, operation.slot, birth)) {
        continue;
      }
      Checked();
      why = WhyOver(scene, process, operation, *created);
      if (why.empty()) return;
    }
    if (!why.empty()) Fail(absl::StrCat(Describe(operation), " found ", why));
  }

  static std::string WhyOver(const Scene& scene, const Process& process,
                             const Operation& operation,
                             const Minted& created) {
    absl::Time wall = process.Now().wall;
    if (operation.IsWrite()) {
      // It was made before it waited for owners.
      const Minted* made = DeltaOf(scene, operation);
      if (made == nullptr) return "";
      wall -= scene.now() - made->at;
    }
    if (wall > created.delta->deadline) {
      return absl::StrCat("a session past its deadline by ",
                          absl::FormatDuration(wall - created.delta->deadline));
    }
    const absl::Duration idle = created.delta->idle;
    const absl::Duration allowed = idle + scene.config().clock_offset_max;
    // Most sessions are too young to be judged.
    if (operation.invoked <= created.at + allowed) return "";
    const absl::Time last = LastPossibleAccess(scene, operation, created);
    if (operation.invoked <= last + allowed) return "";
    return absl::StrCat("a session that nobody had used for ",
                        absl::FormatDuration(operation.invoked - last),
                        ", its idle time is ", absl::FormatDuration(idle));
  }

  // By any call, answered or not, but this one.
  static absl::Time LastPossibleAccess(const Scene& scene,
                                       const Operation& operation,
                                       const Minted& created) {
    absl::Time last = created.at;
    std::set<std::string> ids;
    for (size_t i = 0; i < scene.ledger().size(operation.slot); ++i) {
      const Delta& delta = *scene.ledger().At(operation.slot, i).delta;
      const Dot birth = created.delta->dot(0);
      if (std::find(delta.births.begin(), delta.births.end(), birth) ==
          delta.births.end())
        continue;
      for (const replication::Op& op : delta.ops) {
        if (op.name == replication::kIdAttribute) ids.insert(op.value);
      }
    }
    for (const Operation& other : scene.history()) {
      if (&other == &operation || other.slot != operation.slot ||
          other.command.peek)
        continue;
      if (!ids.contains(other.command.session_id)) continue;
      last = std::max(last, std::min(other.answered, scene.now()));
    }
    return last;
  }

  std::map<Key, std::vector<Access>> accesses_;
  // Since when a process serves a slot.
  std::map<std::pair<ProcessNumber, SlotId>, absl::Time> ready_since_;
  // Since when a member is dead in the view of a process.
  std::map<std::pair<ProcessNumber, NodeName>, absl::Time> dead_since_;
};

}  // namespace

std::unique_ptr<Checker> MakeTimelyExpiry() {
  return std::make_unique<TimelyExpiry>();
}

}  // namespace sessionmesh::sim
