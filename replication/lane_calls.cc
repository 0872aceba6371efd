// The way of a call: what must be true before it may look at the slot.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/command_check.h"
#include "replication/lane.h"
#include "replication/token.h"

namespace sessionmesh::replication {

void Lane::Fail(CallHandle handle, absl::Status status, Failure failure,
                Effects* effects) const {
  Reply reply;
  reply.handle = handle;
  reply.status = std::move(status);
  reply.failure = std::move(failure);
  effects->replies.push_back(std::move(reply));
}

void Lane::FailFull(CallHandle handle, Effects* effects) const {
  Fail(handle,
       absl::ResourceExhaustedError(
           absl::StrCat("too many calls wait in this lane (",
                        config_.waiting_calls_max, "); try again later")),
       {.reason = Reason::kLimit,
        .limit_name = "waiting calls",
        .limit = config_.waiting_calls_max,
        .value = config_.waiting_calls_max},
       effects);
}

void Lane::FailFullBytes(CallHandle handle, size_t bytes,
                         Effects* effects) const {
  Fail(handle,
       absl::ResourceExhaustedError(absl::StrCat(
           "calls that wait in this lane hold ", bytes, " bytes, at most ",
           config_.waiting_bytes_max, "; try again later")),
       {.reason = Reason::kLimit,
        .limit_name = "bytes of waiting calls",
        .limit = config_.waiting_bytes_max,
        .value = bytes},
       effects);
}

absl::Status Lane::RefuseUnready(const Call& call, Failure* failure) {
  failure->reason = leaving_ ? Reason::kShuttingDown : Reason::kNotReady;
  if (!call.command.forwarded) {
    failure->forward_to = Alternatives(call.slot, call.token);
  }
  if (leaving_) {
    return absl::UnavailableError(
        "this node is leaving the cluster; call another one");
  }
  if (!owners_.IsOwnedHere(call.slot)) {
    return absl::UnavailableError(
        "this node does not own the session, and no owner could be asked; call "
        "another one, or again soon");
  }
  return absl::UnavailableError(
      "this node is still fetching the sessions from the others; call "
      "another one, or again soon");
}

absl::Status Lane::Admit(const Command& command, Instant now, Call* call,
                         Failure* failure) {
  const absl::StatusOr<SlotId> slot =
      command.slot.has_value() ? absl::StatusOr<SlotId>(*command.slot)
                               : ids_->SlotOf(command.session_id);
  if (!slot.ok()) {
    *failure = FailureOfId(command.session_id, slot.status());
    return slot.status();
  }
  CHECK_EQ(*slot % config_.lane_count, config_.lane)
      << "a call was routed to the wrong lane";
  call->slot = *slot;
  call->command.forwarded = command.forwarded;
  if (absl::Status s = CheckCommand(command, config_, failure); !s.ok()) {
    return s;
  }
  for (const std::string& token : command.tokens) {
    const absl::StatusOr<std::vector<Dot>> decoded =
        DecodeToken(*slot, token, *key_);
    if (!decoded.ok()) {
      *failure = FailureOfToken(token);
      return decoded.status();
    }
    call->token.insert(call->token.end(), decoded->begin(), decoded->end());
  }
  SortUnique(&call->token);
  // A node that leaves alone has nobody to hand over to.
  if (!IsReady(*slot) || leaving_) return RefuseUnready(*call, failure);
  const bool writes = command.kind != Command::Kind::kGet &&
                      command.kind != Command::Kind::kTouch;
  if (writes && IsClockBehind(now)) {
    failure->reason = Reason::kNotReady;
    if (!command.forwarded) {
      failure->forward_to = Alternatives(*slot, call->token);
    }
    return absl::UnavailableError(absl::StrCat(
        "this node's clock was set back by ",
        absl::FormatDuration(hlc_.Ahead(now.wall)),
        "; it takes no changes until it has come so far again, or the node "
        "restarts"));
  }
  return absl::OkStatus();
}

void Lane::Execute(Command command, Instant now, Effects* effects) {
  Call call;
  Failure failure;
  if (absl::Status s = Admit(command, now, &call, &failure); !s.ok()) {
    Fail(command.handle, std::move(s), std::move(failure), effects);
    return;
  }
  const CallHandle handle = command.handle;
  const bool waits = command.kind != Command::Kind::kGet &&
                     command.kind != Command::Kind::kTouch &&
                     command.durability != Durability::kLocal;
  if (waits && waits_.size() >= config_.waiting_calls_max) {
    FailFull(handle, effects);
    return;
  }
  if (waits && waits_.bytes() >= config_.waiting_bytes_max) {
    FailFullBytes(handle, waits_.bytes(), effects);
    return;
  }
  call.command = std::move(command);
  call.patience = now.steady + config_.catch_up_patience;
  call.give_up =
      std::min(call.command.deadline, now.steady + config_.catch_up_timeout);
  if (!Advance(&call, now, effects)) {
    for (const auto& [name, value] : call.command.set) {
      call.bytes += name.size() + value.size();
    }
    if (calls_.size() >= config_.waiting_calls_max) {
      FailFull(handle, effects);
    } else if (calls_bytes_ + call.bytes > config_.waiting_bytes_max) {
      FailFullBytes(handle, calls_bytes_ + call.bytes, effects);
    } else {
      calls_bytes_ += call.bytes;
      calls_by_slot_[call.slot].insert(handle);
      SetTimer(handle, call.asked ? call.give_up
                                  : std::min(call.patience, call.give_up));
      calls_.emplace(handle, std::move(call));
    }
  }
  Finish(now, effects);
}

void Lane::Cancel(CallHandle handle) {
  if (const DurabilityWait* wait = waits_.Find(handle)) {
    timers_.erase({wait->deadline, handle});
    waits_.Remove(handle);
  }
  const auto it = calls_.find(handle);
  if (it == calls_.end()) return;
  calls_by_slot_[it->second.slot].erase(handle);
  if (calls_by_slot_[it->second.slot].empty()) {
    calls_by_slot_.erase(it->second.slot);
  }
  calls_bytes_ -= it->second.bytes;
  calls_.erase(it);
}

void Lane::AdvanceSlotCalls(SlotId slot, Instant now, Effects* effects) {
  if (!IsReady(slot)) EndWatches(slot, effects);
  const auto it = calls_by_slot_.find(slot);
  if (it == calls_by_slot_.end()) return;
  const std::set<CallHandle> handles = it->second;
  for (const CallHandle handle : handles) AdvanceCall(handle, now, effects);
}

void Lane::AdvanceCall(CallHandle handle, Instant now, Effects* effects) {
  auto it = calls_.find(handle);
  if (it == calls_.end()) return;
  // Most of the calls that wait in a busy slot wait for something else.
  if (IsReady(it->second.slot) && it->second.stage == Call::Stage::kToken &&
      !it->second.asked &&
      now.steady < std::min(it->second.patience, it->second.give_up) &&
      !MissingOf(it->second.token, it->second.slot).empty()) {
    return;
  }
  // Out of the table while it runs: what it changes may come back here for
  // other calls of the slot.
  Call call = std::move(it->second);
  Cancel(handle);
  if (Advance(&call, now, effects)) return;
  SetTimer(handle,
           call.asked ? call.give_up : std::min(call.patience, call.give_up));
  calls_by_slot_[call.slot].insert(handle);
  calls_bytes_ += call.bytes;
  calls_.emplace(handle, std::move(call));
}

bool Lane::Advance(Call* call, Instant now, Effects* effects) {
  if (!IsReady(call->slot)) {
    Failure failure;
    absl::Status status = RefuseUnready(*call, &failure);
    Fail(call->command.handle, std::move(status), std::move(failure), effects);
    return true;
  }
  if (call->stage == Call::Stage::kToken) {
    if (!AdvanceToken(call, now, effects)) return false;
    if (call->answered) return true;
  }
  if (call->stage == Call::Stage::kQuorum) {
    if (!AdvanceQuorum(call, now, effects)) return false;
    if (call->answered) return true;
  }
  if (!AdvanceIdle(call, now, effects)) return false;
  if (call->answered) return true;
  Perform(*call, now, effects);
  return true;
}

void Lane::Perform(const Call& call, Instant now, Effects* effects) {
  if (call.caught_up) {
    Emit({.kind = Event::Kind::kStalePrevented,
          .slot = call.slot,
          .session = SessionHash(call.command.session_id)},
         effects);
  }
  switch (call.command.kind) {
    case Command::Kind::kCreate:
      return Create(call, /*upserted=*/false, now, effects);
    case Command::Kind::kGet:
      return Get(call, now, effects);
    case Command::Kind::kUpdate:
      return Update(call, now, effects);
    case Command::Kind::kTouch:
      return TouchCall(call, now, effects);
    case Command::Kind::kDelete:
      return Delete(call, now, effects);
    case Command::Kind::kRotate:
      return Rotate(call, now, effects);
  }
}

std::vector<Dot> Lane::MissingOf(const std::vector<Dot>& token,
                                 SlotId slot) const {
  std::vector<Dot> missing;
  for (const Dot& dot : token) {
    if (!StateOf(slot).slot.context().Contains(dot)) missing.push_back(dot);
  }
  return missing;
}

Inquiry Lane::Inquire(SlotId slot, const std::vector<NodeName>& nodes,
                      Instant now) {
  Inquiry inquiry;
  inquiry.slot = slot;
  inquiry.asked_at = now.wall;
  inquiry.since = puller_.next_pull();
  for (const NodeName& node : nodes) puller_.Want(node, slot, /*urgent=*/true);
  inquiry.asked.insert(nodes.begin(), nodes.end());
  return inquiry;
}

void Lane::AskAlso(const std::set<NodeName>& nodes, Inquiry* inquiry) {
  for (const NodeName& node : nodes) {
    if (!Linked(node) || !inquiry->asked.insert(node).second) continue;
    puller_.Want(node, inquiry->slot, /*urgent=*/true);
  }
}

std::vector<NodeName> Lane::LinkedHolders(SlotId slot) const {
  std::vector<NodeName> nodes;
  for (const NodeName& node : LinkedOf(owners_.members())) {
    if (owners_.IsOtherOf(slot, node) ||
        PhaseAt(peers_.at(node), slot).phase != Phase::kNone) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

void Lane::AskToo(const NodeName& node) {
  const auto ask = [&](Inquiry* inquiry) {
    inquiry->asked.insert(node);
    puller_.Want(node, inquiry->slot, /*urgent=*/true);
  };
  for (auto& [handle, call] : calls_) {
    if (call.inquiry.has_value()) ask(&*call.inquiry);
  }
  for (auto& [slot, probe] : probes_) ask(&probe.inquiry);
}

bool Lane::AllAnswered(const Inquiry& inquiry,
                       const std::vector<NodeName>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [&](const NodeName& node) {
    return inquiry.answered.count(node) > 0;
  });
}

bool Lane::AdvanceToken(Call* call, Instant now, Effects* effects) {
  const bool any_state = call->command.kind == Command::Kind::kGet &&
                         call->command.consistency == Consistency::kLocal;
  const std::vector<Dot> missing =
      any_state ? std::vector<Dot>() : MissingOf(call->token, call->slot);
  if (missing.empty()) {
    call->stage = Call::Stage::kQuorum;
    call->inquiry.reset();
    call->asked = false;
    return true;
  }
  call->caught_up = true;
  if (!call->asked && now.steady >= call->patience) {
    call->inquiry = Inquire(call->slot, LinkedHolders(call->slot), now);
    call->asked = true;
  }
  if (call->asked && AllAnswered(*call->inquiry, LinkedHolders(call->slot))) {
    for (const Dot& dot : missing) {
      NodeName writer;
      if (!WriterIsGone(call->slot, dot, &writer)) continue;
      // Whoever sees other members may have taken it as an owner: nobody has it
      // when every member says so.
      const std::vector<NodeName>& members = owners_.members();
      AskAlso({members.begin(), members.end()}, &*call->inquiry);
      if (!AllAnswered(*call->inquiry, members)) break;
      FailLost(*call, dot, now, effects);
      call->answered = true;
      return true;
    }
  }
  if (now.steady < call->give_up) return false;
  FailStale(*call, missing, effects);
  call->answered = true;
  return true;
}

bool Lane::WriterIsGone(SlotId slot, const Dot& dot, NodeName* writer) const {
  // Those most likely to be wrong: who hears nobody, and who became ready
  // without those that may have it.
  if (owners_.isolated() || StateOf(slot).phase.degraded) return false;
  // Only when every other owner is there and has caught up can nobody have it.
  for (const NodeName& node : owners_.OthersOf(slot)) {
    const auto peer = peers_.find(node);
    if (peer == peers_.end() || !Linked(node) ||
        PhaseAt(peer->second, slot).phase != Phase::kReady) {
      return false;
    }
  }
  const ActorHome* home = actors_.Find(dot.actor);
  if (home != nullptr) *writer = home->node;
  // Where slots are handed over the writer need not hold it any more although
  // it lives: it is asked like every member.
  if (config_.replicas != kReplicasAll) return true;
  if (home == nullptr) {
    // Every living process has told its actors; whoever this was belongs to
    // none of them.
    for (const NodeName& node : owners_.OthersOf(slot)) {
      if (peers_.at(node).actors.count(dot.actor) > 0) return false;
    }
    return true;
  }
  if (home->node == self_.name) return home->process != self_.process;
  if (owners_.IsGone(home->node)) return true;
  const auto peer = peers_.find(home->node);
  return peer != peers_.end() && peer->second.process != 0 &&
         peer->second.process != home->process;
}

void Lane::FailStale(const Call& call, const std::vector<Dot>& missing,
                     Effects* effects) {
  const Dot& dot = missing.front();
  Failure failure;
  failure.reason = Reason::kStale;
  if (const ActorHome* home = actors_.Find(dot.actor)) {
    failure.missing_writer = home->node;
    failure.missing_writer_alive =
        home->node == self_.name ||
        (owners_.IsMember(home->node) && !owners_.IsSuspect(home->node));
  }
  Context named;
  named.AddRange({dot.actor, 1, dot.counter});
  for (const DotRange& range : named.Minus(StateOf(call.slot).slot.context())) {
    failure.behind += range.last - range.first + 1;
  }
  Emit({.kind = Event::Kind::kStaleAnswered,
        .node = failure.missing_writer,
        .slot = call.slot,
        .session = SessionHash(call.command.session_id)},
       effects);
  const std::string writer =
      failure.missing_writer.empty()
          ? "an unknown node"
          : absl::StrCat(
                "node ", failure.missing_writer,
                failure.missing_writer_alive ? " (alive)" : " (not alive)");
  absl::Status status = absl::UnavailableError(
      absl::StrCat("this client has seen a newer state than any node that "
                   "could be asked in time: ",
                   failure.behind, " change(s) of ", writer,
                   " are missing here; try again, or another node"));
  Fail(call.command.handle, std::move(status), std::move(failure), effects);
}

void Lane::FailLost(const Call& call, const Dot& lost, Instant now,
                    Effects* effects) {
  Reply reply;
  reply.handle = call.command.handle;
  reply.failure.reason = Reason::kWriteLost;
  if (const ActorHome* home = actors_.Find(lost.actor)) {
    reply.failure.missing_writer = home->node;
  }
  reply.status = absl::DataLossError(absl::StrCat(
      "the token names a change that died with its writer",
      reply.failure.missing_writer.empty() ? ""
                                           : " " + reply.failure.missing_writer,
      " before any other node had it; go on with the state given here and drop "
      "the token"));
  const Holdings lives =
      PresentForReply(call.slot, call.command.session_id, now, effects);
  if (!lives.empty()) {
    reply.session = ViewOf(call.command.session_id, lives);
    reply.token = TokenOf(call.slot, lives);
  }
  Emit({.kind = Event::Kind::kWriteLost,
        .node = reply.failure.missing_writer,
        .slot = call.slot,
        .session = SessionHash(call.command.session_id)},
       effects);
  effects->replies.push_back(std::move(reply));
}

bool Lane::AdvanceQuorum(Call* call, Instant now, Effects* effects) {
  if (call->command.kind != Command::Kind::kGet ||
      call->command.consistency != Consistency::kQuorum) {
    call->stage = Call::Stage::kIdle;
    return true;
  }
  // Others, beside this node.
  const size_t needed = owners_.CountOf(call->slot) / 2;
  const std::vector<NodeName> linked = LinkedOwners(call->slot);
  if (!call->inquiry.has_value()) {
    call->inquiry = Inquire(call->slot, linked, now);
  }
  call->asked = true;
  // Owners that are still fetching know less than they should (rule E, Q2).
  const size_t answered = call->inquiry->ready.size();
  const bool enough = answered >= needed;
  if (!enough && linked.size() >= needed &&
      !AllAnswered(*call->inquiry, linked) && now.steady < call->give_up) {
    return false;
  }
  if (enough || !call->command.strict) {
    call->quorum_unmet = !enough;
    call->stage = Call::Stage::kIdle;
    call->inquiry.reset();
    call->asked = false;
    return true;
  }
  Fail(call->command.handle,
       absl::UnavailableError(
           absl::StrCat("only ", answered + 1, " of the ", needed + 1,
                        " owners that a quorum needs have answered")),
       {.reason = Reason::kNoQuorum,
        .limit_name = "quorum",
        .limit = needed + 1,
        .value = answered + 1},
       effects);
  call->answered = true;
  return true;
}

bool Lane::AdvanceIdle(Call* call, Instant now, Effects* effects) {
  if (call->command.kind == Command::Kind::kDelete) return true;
  // An access to a session that has been idle too long here: whoever may have
  // accepted one not long ago is asked (rule D).
  std::set<NodeName> asked;
  for (const Slot::Holding* life :
       StateOf(call->slot).slot.Lookup(call->command.session_id)) {
    if (!IsIdle(*life, now.wall)) continue;
    // Of a life that has become idle since, the answers may say too little.
    if (call->inquiry.has_value() && !IsIdle(*life, call->inquiry->asked_at)) {
      call->inquiry.reset();
    }
    const Inquiry* inquiry =
        call->inquiry.has_value() ? &*call->inquiry : nullptr;
    asked.merge(MayHaveTouched(call->slot, *life, inquiry, now));
  }
  if (asked.empty()) return true;
  if (!call->inquiry.has_value()) {
    call->inquiry = Inquire(call->slot, {}, now);
  }
  call->asked = true;
  AskAlso(asked, &*call->inquiry);
  if (std::includes(call->inquiry->answered.begin(),
                    call->inquiry->answered.end(), asked.begin(),
                    asked.end())) {
    return true;
  }
  const std::vector<NodeName> linked =
      LinkedOf(std::vector<NodeName>(asked.begin(), asked.end()));
  if (!AllAnswered(*call->inquiry, linked) && now.steady < call->give_up) {
    return false;
  }
  // Unanswered is not "nobody knows of a later access".
  Fail(call->command.handle,
       absl::UnavailableError(
           "the session looks idle here, and an owner that may have seen "
           "it used has not said; try again later, or another node"),
       {.reason = Reason::kStale}, effects);
  call->answered = true;
  return true;
}

}  // namespace sessionmesh::replication
