#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::sim {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1767225600);  // 2026-01-01
// A step that always has more to do at once is a bug.
constexpr uint64_t kEventsAtOneInstantMax = 200000;

}  // namespace

World::World(const Plan& plan, Mutant* mutant, Trace* trace,
             absl::string_view only)
    : plan_(plan),
      mutant_(mutant),
      trace_(trace),
      only_(only),
      config_(ReplicationConfig(plan.schedule)),
      queue_(kStart),
      random_(plan.seed),
      key_(plan.seed),
      ids_(config_.slot_count, &key_),
      ledger_(config_.slot_count),
      checkers_(MakeCheckers()),
      network_(std::make_unique<Network>(plan.nodes, random_.Next(), &queue_)),
      hosts_(plan.nodes),
      instant_(kStart) {
  if (!only_.empty()) {
    checkers_.erase(std::remove_if(checkers_.begin(), checkers_.end(),
                                   [this](const auto& each) {
                                     return each->name() != only_;
                                   }),
                    checkers_.end());
  }
  const int64_t bound_ms = absl::ToInt64Milliseconds(config_.clock_offset_max);
  for (HostId id = 0; id < hosts_.size(); ++id) {
    Host& host = hosts_[id];
    host.name = absl::StrCat("n", id + 1);
    host.clock.started = kStart;
    host.clock.offset = absl::Milliseconds(
        random_.Between(-bound_ms * 2 / 5, bound_ms * 2 / 5));
    host.clock.drift_ppm = random_.Between(-100, 100);
    if (mutant_ != nullptr) mutant_->BendClock(id, &host.clock);
  }
}

World::~World() = default;

void World::Tell(const std::function<void(Checker&)>& tell) {
  for (const auto& checker : checkers_) {
    tell(*checker);
    if (!checker->failure().empty()) Fail(checker->name(), checker->failure());
  }
}

void World::Fail(absl::string_view checker, const std::string& why) {
  if (failed() || (!only_.empty() && checker != only_)) return;
  failed_checker_ = std::string(checker);
  failure_ = absl::StrCat(checker, " at ", absl::FormatDuration(now() - kStart),
                          ": ", why);
  trace_->Note(now(), "FAILED", failure_);
}

void World::RunUntil(absl::Time until) {
  queue_.RunUntil(until, [this] {
    if (queue_.now() != instant_) {
      instant_ = queue_.now();
      events_at_instant_ = 0;
    } else if (++events_at_instant_ > kEventsAtOneInstantMax) {
      Fail(WorldCheck::kLiveness,
           "time stands still: somebody always has more to do at once");
    }
    return failed();
  });
}

// ---- hosts

void World::Start(HostId id) {
  Host& host = hosts_[id];
  CHECK(host.process == nullptr);
  ProcessOptions options;
  options.number = ++last_process_;
  options.host = id;
  options.name = host.name;
  options.generation = ++host.generation;
  options.process_id = random_.Next() | 1;
  options.seed = random_.Next();
  if (host.address.empty() || random_.Chance(3, 10)) {
    host.address =
        absl::StrCat("10.0.", host.starts % 256, ".", id + 1, ":7401");
  }
  options.address = host.address;
  for (const Host& other : hosts_) {
    if (&other != &host && !other.address.empty())
      options.seeds.push_back(other.address);
  }
  options.membership = MembershipConfig();
  options.replication = config_;
  options.replication.bootstrap = options.seeds.empty();
  options.replication.former_peers = host.former_peers;
  if (mutant_ != nullptr) mutant_->BendStart(&options);
  ++host.starts;
  host.finished = false;
  started_[options.number] = now();
  seen_[options.number] = {
      std::vector<replication::Context>(config_.slot_count),
      std::vector<replication::Context>(config_.slot_count),
      std::vector<replication::Context>(config_.slot_count)};
  trace_->Note(now(), "start",
               absl::StrCat(host.name, " at ", host.address, " generation ",
                            options.generation));
  host.process = std::make_unique<Process>(options, &ids_, &key_, &host.clock,
                                           &queue_, network_.get(), this);
  Tell([&](Checker& checker) { checker.OnStart(*this, *host.process); });
  Count("starts");
}

void World::Kill(HostId id, bool flush) {
  Host& host = hosts_[id];
  if (host.process == nullptr) return;
  trace_->Note(now(), "kill",
               absl::StrCat(host.name, flush ? "" : " and what it had sent"));
  host.process->Kill(flush);
  Bury(id);
}

void World::Bury(HostId id) {
  Host& host = hosts_[id];
  const Process& process = *host.process;
  Tell([&](Checker& checker) { checker.OnEnd(*this, process); });
  // As Node::SavePeers has it in the state file.
  std::vector<Address> peers;
  for (const membership::Member& member : process.view()->members()) {
    if (member.name == host.name) continue;
    if (member.claim.state == membership::State::kLeft) continue;
    peers.push_back(member.address);
  }
  if (process.view()->members().size() > 1) {
    host.former_peers = std::move(peers);
  }
  const Seen& seen = seen_[process.number()];
  Grave grave{process.number(), host.name, id, now(), seen.now};
  for (size_t slot = 0; slot < grave.contexts.size(); ++slot) {
    grave.contexts[slot].Join(seen.handed_over[slot]);
  }
  seen_.erase(process.number());
  graves_.push_back(std::move(grave));
  host.process.reset();
  std::vector<uint64_t> broken;
  for (const auto& [call, pending] : pending_) {
    if (pending.operation->process == graves_.back().number ||
        pending.process == graves_.back().number) {
      broken.push_back(call);
    }
  }
  for (const uint64_t call : broken) {
    pending_[call].operation->answered = now();
    queue_.After(absl::Milliseconds(1), [this, call] {
      Complete(call, Operation::Outcome::kUnknown);
    });
  }
}

void World::SetClock(HostId id, absl::Duration offset) {
  hosts_[id].clock.offset = offset;
}

void World::Disturb(HostId id, absl::Time until) {
  hosts_[id].disturbed_until = std::max(hosts_[id].disturbed_until, until);
}

// ---- what processes tell

void World::OnLaneStep(Process& process, uint32_t lane) {
  Seen& seen = seen_[process.number()];
  std::vector<SlotId> changed;
  for (SlotId slot = static_cast<SlotId>(lane); slot < config_.slot_count;
       slot = static_cast<SlotId>(slot + config_.lane_count)) {
    const replication::Slot& state = process.lane(lane).slot(slot);
    if (!(seen.before[slot] == seen.now[slot]))
      seen.before[slot] = seen.now[slot];
    if (state.context() == seen.now[slot]) continue;
    if (process.leaving() && state.context().empty()) {
      seen.handed_over[slot].Join(seen.now[slot]);
    }
    seen.now[slot] = state.context();
    changed.push_back(slot);
    const size_t minted = ledger_.Observe(process.number(), slot, state, now());
    if (minted > 0) Count("deltas", minted);
  }
  Tell([&](Checker& checker) {
    checker.OnLaneStep(*this, process, lane, changed);
  });
}

void World::OnView(Process& process) {
  Tell([&](Checker& checker) { checker.OnView(*this, process); });
}

void World::OnMembershipEvent(Process& process,
                              const membership::Event& event) {
  trace_->Note(now(), "member",
               absl::StrCat(process.name(), ": ", EventKindName(event.kind),
                            " ", event.member.name, " ", event.detail));
  Count(absl::StrCat("member_", EventKindName(event.kind)));
  membership::Event told = event;
  if (mutant_ != nullptr) mutant_->BendEvent(&told);
  Tell([&](Checker& checker) {
    checker.OnMembershipEvent(*this, process, told);
  });
}

void World::OnReplicationEvent(Process& process,
                               const replication::Event& event) {
  trace_->Note(now(), "event",
               absl::StrCat(process.name(), ": ", EventName(event.kind), " ",
                            event.node, " slot ", event.slot, " ",
                            event.session, " ", event.detail));
  Count(absl::StrCat("event_", EventName(event.kind)));
  if (event.kind == replication::Event::Kind::kStateMismatch) {
    Fail(WorldCheck::kStateMismatch,
         absl::StrCat(process.name(), " says: ", event.detail));
  }
}

void World::OnLaneMessage(Process& process, const NodeName& from,
                          const replication::Message& message) {
  trace_->Note(now(), "lane",
               absl::StrCat(from, " ", process.name(), " ", message.index()),
               [&] {
                 return absl::StrCat(from, " -> ", process.name(), " message ",
                                     message.index());
               });
  Tell([&](Checker& checker) {
    checker.OnLaneMessage(*this, process, from, message);
  });
}

void World::OnDamage(Process& process, const absl::Status& why) {
  Fail(WorldCheck::kCodec,
       absl::StrCat(process.name(), " could not read what another node wrote: ",
                    why.ToString()));
}

void World::OnFinished(Process& process) {
  const HostId id = process.host();
  if (std::exchange(hosts_[id].finished, true)) return;
  queue_.After(absl::ZeroDuration(), [this, id, number = process.number()] {
    const Process* still = hosts_[id].process.get();
    if (still != nullptr && still->number() == number) Kill(id, /*flush=*/true);
  });
}

void World::BendLaneMessage(Process& to, replication::Message* message) {
  if (mutant_ != nullptr) mutant_->BendLaneMessage(*this, to, message);
}

void World::BendDatagram(Process& to, membership::Datagram* datagram) {
  if (mutant_ != nullptr) mutant_->BendDatagram(*this, to, datagram);
}

void World::BendBytes(Process& /*to*/, Wire wire, std::string* bytes) {
  if (mutant_ != nullptr) mutant_->BendBytes(wire, bytes);
}

bool World::RepeatsReply(Process& /*process*/) {
  return mutant_ != nullptr && mutant_->RepeatsReply();
}

// ---- the scene

std::vector<Process*> World::processes() const {
  std::vector<Process*> running;
  for (const Host& host : hosts_) {
    if (host.process != nullptr) running.push_back(host.process.get());
  }
  return running;
}

const replication::Context& World::Before(const Process& process,
                                          SlotId slot) const {
  return seen_.at(process.number()).before[slot];
}

bool World::WasDisturbed(HostId host, absl::Time since) const {
  return hosts_[host].disturbed_until >= since;
}

absl::Time World::Started(ProcessNumber number) const {
  return started_.at(number);
}

// ---- the end

std::string World::Unsettled() const {
  const std::vector<Process*> running = processes();
  if (running.size() != hosts_.size()) return "not every host runs";
  for (const Process* process : running) {
    const std::string& name = process->name();
    if (!process->Ready()) return absl::StrCat(name, " is not ready");
    for (const Process* other : running) {
      const membership::Member* member = process->view()->Find(other->name());
      if (member == nullptr)
        return absl::StrCat(name, " does not know ", other->name());
      if (member->claim.state != membership::State::kAlive ||
          member->claim.generation != other->options().generation) {
        return absl::StrCat(name, " takes ", other->name(), " for ",
                            membership::StateName(member->claim.state),
                            " in generation ", member->claim.generation);
      }
      if (other != process && !process->ConnectedTo(other->name())) {
        return absl::StrCat(name, " has no stream to ", other->name());
      }
    }
    for (size_t lane = 0; lane < process->lane_count(); ++lane) {
      const replication::LaneStatus status = process->lane(lane).status();
      if (status.waiting_calls > 0)
        return absl::StrCat(name, " has calls waiting");
      if (status.parked > 0) return absl::StrCat(name, " has deltas parked");
      for (const replication::PeerStatus& peer :
           process->lane(lane).peers(process->Now())) {
        if (peer.lag_operations > 0 || peer.slots_dirty > 0 ||
            peer.slots_pulling > 0) {
          return absl::StrCat(name, " is ", peer.lag_operations, " deltas and ",
                              peer.slots_dirty, " slots ahead of ", peer.name,
                              ", pulls ", peer.slots_pulling);
        }
      }
    }
  }
  for (uint32_t slot = 0; slot < config_.slot_count; ++slot) {
    std::string why = Unsettled(static_cast<SlotId>(slot));
    if (!why.empty()) return why;
  }
  return "";
}

std::string World::Unsettled(SlotId slot) const {
  const Process* first = nullptr;
  size_t owners = 0;
  for (const Process* process : processes()) {
    if (process->phase(slot) == replication::Phase::kNone) continue;
    if (process->phase(slot) != replication::Phase::kReady) {
      return absl::StrCat("slot ", slot, " is in phase ",
                          static_cast<int>(process->phase(slot)), " on ",
                          process->name());
    }
    ++owners;
    if (first == nullptr) first = process;
    const replication::Slot& here = process->slot(slot);
    if (!(here.context() == first->slot(slot).context()) ||
        !(here.live_hash() == first->slot(slot).live_hash())) {
      return absl::StrCat("slot ", slot, " differs between ", process->name(),
                          " and ", first->name());
    }
  }
  const size_t expected = std::min<size_t>(config_.replicas, hosts_.size());
  if (owners == expected) return "";
  return absl::StrCat("slot ", slot, " has ", owners, " owners instead of ",
                      expected);
}

void World::Finish() {
  Tell([&](Checker& checker) { checker.AtEnd(*this); });
}

Counts World::Summary() const {
  Counts all = counts_;
  const NetworkCounts& net = network_->counts();
  all["datagrams"] = net.datagrams;
  all["datagrams_lost"] = net.lost;
  all["datagrams_duplicated"] = net.duplicated;
  all["datagrams_reordered"] = net.reordered;
  all["datagrams_cut"] = net.cut;
  all["exchanges"] = net.calls;
  all["exchanges_failed"] = net.calls_failed;
  all["stream_messages"] = net.stream_messages;
  all["stream_messages_lost"] = net.stream_messages_lost;
  all["streams_broken"] = net.streams_broken;
  all["events"] = queue_.executed();
  for (const auto& checker : checkers_) {
    all[absl::StrCat("checked_", checker->name())] = checker->checks();
  }
  return all;
}

}  // namespace sessionmesh::sim
