// The calls of clients: their way to a node, to an owner, and back.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "glog/logging.h"
#include "replication/token.h"
#include "tests/sim/world.h"

namespace sessionmesh::sim {

void World::Call(HostId id, Operation operation, absl::Duration timeout,
                 Done done) {
  Host& host = hosts_[id];
  operation.id = operation.command.handle;
  if (operation.first == 0) operation.first = operation.id;
  operation.node = host.name;
  operation.process = host.process == nullptr ? 0 : host.process->number();
  operation.invoked = now();
  for (const std::string& token : operation.command.tokens) {
    for (const Dot& dot : Decode(operation.slot, token))
      operation.presented.push_back(dot);
  }
  history_.push_back(std::move(operation));
  Operation* recorded = &history_.back();
  const uint64_t call = recorded->id;
  operations_[call] = recorded;
  pending_[call] = {.operation = recorded,
                    .host = id,
                    .process = recorded->process,
                    .done = std::move(done),
                    .deadline = now() + timeout,
                    .forward_to = {}};
  trace_->Note(now(), "call",
               absl::StrCat(Describe(*recorded), " with ",
                            absl::StrJoin(recorded->presented, " ",
                                          [](std::string* out, const Dot& dot) {
                                            absl::StrAppend(
                                                out, replication::DotName(dot));
                                          })));
  const absl::Duration way = absl::Microseconds(random_.Between(50, 300));
  queue_.After(way, [this, call, id, timeout] {
    const auto pending = pending_.find(call);
    if (pending == pending_.end()) return;
    Process* process = hosts_[id].process.get();
    Operation* here = pending->second.operation;
    if (process == nullptr || process->number() != here->process) {
      here->answered = now();
      here->reply.status = absl::UnavailableError("nobody listens");
      Complete(call, Operation::Outcome::kFailed);
      return;
    }
    NoteHolders(*process, here);
    process->Execute(here->command, timeout);
  });
  // A little patience beyond the deadline that the node knows.
  queue_.After(timeout + absl::Milliseconds(100), [this, call] {
    const auto pending = pending_.find(call);
    if (pending == pending_.end()) return;
    Operation* here = pending->second.operation;
    for (Process* process : processes()) {
      if (process->number() == here->process && !process->inbox().stalled()) {
        process->Cancel(here->slot, call);
      }
    }
    here->answered = now();
    Complete(call, Operation::Outcome::kUnknown);
  });
}

bool World::CanTalk(HostId a, HostId b) const {
  return a == b || (!network_->IsCut(a, b) && !network_->IsCut(b, a));
}

bool World::Forward(uint64_t call) {
  Pending& pending = pending_.at(call);
  while (!pending.forward_to.empty()) {
    const NodeName name = pending.forward_to.front();
    pending.forward_to.erase(pending.forward_to.begin());
    const auto host =
        std::find_if(hosts_.begin(), hosts_.end(),
                     [&name](const Host& each) { return each.name == name; });
    CHECK(host != hosts_.end());
    const HostId id = static_cast<HostId>(host - hosts_.begin());
    if (host->process == nullptr || !CanTalk(pending.host, id)) continue;
    pending.forwarded = true;
    pending.operation->node = name;
    pending.operation->process = host->process->number();
    Count("forwarded");
    const absl::Duration way = absl::Microseconds(random_.Between(50, 800));
    queue_.After(way, [this, call, id] {
      const auto found = pending_.find(call);
      if (found == pending_.end()) return;
      Operation* here = found->second.operation;
      Process* target = hosts_[id].process.get();
      if (target == nullptr || target->number() != here->process) return;
      here->holders.clear();
      NoteHolders(*target, here);
      Command command = here->command;
      command.forwarded = true;
      target->Execute(command, found->second.deadline - now());
    });
    return true;
  }
  return false;
}

void World::NoteHolders(const Process& process, Operation* operation) {
  for (const Dot& dot : operation->presented) {
    if (process.slot(operation->slot).context().Contains(dot)) continue;
    std::vector<ProcessNumber>& holders = operation->holders[dot];
    for (const Process* other : processes()) {
      if (other->slot(operation->slot).context().Contains(dot))
        holders.push_back(other->number());
    }
  }
}

void World::Complete(uint64_t id, Operation::Outcome outcome) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.operation->outcome == Operation::Outcome::kPending) {
    pending.operation->outcome = outcome;
  }
  const Operation& operation = *pending.operation;
  Count(absl::StrCat(KindName(operation.command.kind), "_",
                     OutcomeName(operation.outcome)));
  if (outcome == Operation::Outcome::kFailed) {
    Count(absl::StrCat(
        "failed_", absl::StatusCodeToString(operation.reply.status.code())));
    if (operation.reply.failure.reason == replication::Reason::kLimit) {
      Count(absl::StrCat("limit_",
                         absl::StrReplaceAll(operation.reply.failure.limit_name,
                                             {{" ", "_"}})));
    }
  }
  pending.done(operation);
}

std::vector<Dot> World::Decode(SlotId slot, const std::string& token) const {
  if (token.empty()) return {};
  auto dots = replication::DecodeToken(slot, token, key_);
  if (!dots.ok()) return {};
  return *std::move(dots);
}

void World::OnReply(Process& process, const replication::Reply& reply) {
  const auto found = operations_.find(reply.handle);
  CHECK(found != operations_.end()) << "an answer to call " << reply.handle;
  Operation& operation = *found->second;
  if (!pending_.contains(reply.handle)) {
    operation.answered = now();
    return;  // the client is gone
  }
  Pending& call = pending_.at(reply.handle);
  const Process* origin = hosts_[call.host].process.get();
  if (origin == nullptr || origin->number() != call.process) {
    return;  // nobody is left who would pass it on
  }
  if (operation.answered != absl::InfiniteFuture()) {
    Fail(WorldCheck::kReplies,
         absl::StrCat(Describe(operation), " was answered twice"));
    return;
  }
  if (!call.forwarded) call.forward_to = reply.failure.forward_to;
  const bool elsewhere =
      reply.failure.reason == replication::Reason::kNotReady ||
      reply.failure.reason == replication::Reason::kShuttingDown;
  if (!reply.status.ok() && elsewhere && Forward(reply.handle)) return;
  if (call.forwarded && !CanTalk(call.host, process.host())) {
    return;  // the answer is on its way for longer than the client waits
  }
  operation.answered = now();
  operation.reply = reply;
  if (mutant_ != nullptr)
    mutant_->BendReply(*this, process, operation, &operation.reply);
  operation.outcome = operation.reply.status.ok() ? Operation::Outcome::kOk
                                                  : Operation::Outcome::kFailed;
  operation.heads = Decode(operation.slot, operation.reply.token);
  trace_->Note(
      now(), "reply",
      absl::StrCat(Describe(operation), ": ", operation.reply.status.ToString(),
                   operation.reply.degraded ? " degraded" : "", " token ",
                   absl::StrJoin(operation.heads, " ",
                                 [](std::string* out, const Dot& dot) {
                                   absl::StrAppend(out,
                                                   replication::DotName(dot));
                                 })));
  if (operation.reply.degraded) Count("degraded");
  if (operation.reply.caught_up) Count("caught_up");
  Tell([&](Checker& checker) { checker.OnReply(*this, process, operation); });
  const absl::Duration way = absl::Microseconds(random_.Between(50, 800));
  queue_.After(way, [this, id = operation.id] {
    const auto pending = pending_.find(id);
    if (pending != pending_.end())
      Complete(id, pending->second.operation->outcome);
  });
}

}  // namespace sessionmesh::sim
