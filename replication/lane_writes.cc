// Create, Update, Delete, Rotate; minting.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/command_check.h"
#include "replication/lane.h"
#include "replication/token.h"

namespace sessionmesh::replication {
namespace {

// How far a change has come that another node made is not known here.
constexpr char kDoneElsewhere[] =
    "an earlier try of this request did it on another node; how many owners "
    "hold it is not known here";

std::vector<Dot> DotsOf(const std::vector<const Slot::Holding*>& lives,
                        absl::string_view name) {
  std::set<Dot> dots;
  for (const Slot::Holding* life : lives) {
    for (const EntryView& entry : life->life->attributes.Find(name)) {
      dots.insert(entry.dot);
    }
  }
  return {dots.begin(), dots.end()};
}

}  // namespace

// --- minting

DeltaPtr Lane::Mint(Delta draft, const Holdings& lives, Instant now) {
  SlotState& state = StateOf(draft.slot);
  draft.actor = actor_;
  draft.first = state.next_counter;
  draft.hlc = hlc_.Next(now.wall);
  for (Op& op : draft.ops) op.hlc = draft.hlc;
  state.next_counter += draft.dot_count();
  if (draft.kind == Delta::Kind::kCreate) {
    draft.births = {draft.dot(0)};
  } else {
    for (const Slot::Holding* life : lives) {
      draft.births.push_back(life->life->birth);
    }
    std::sort(draft.births.begin(), draft.births.end());
    if (draft.kind != Delta::Kind::kKill) draft.deps = HeadsOf(lives);
  }
  return std::make_shared<const Delta>(std::move(draft));
}

std::vector<Op> Lane::OpsOf(const Command& command,
                            const Holdings& lives) const {
  std::vector<Op> ops;
  const auto put = [&](absl::string_view name, const std::string& value) {
    ops.push_back({.kind = Op::Kind::kPut,
                   .name = std::string(name),
                   .value = value,
                   .superseded = DotsOf(lives, name)});
  };
  if (command.user.has_value()) put(kUserAttribute, *command.user);
  for (const auto& [name, value] : command.set) put(name, value);
  for (const std::string& name : command.unset) {
    std::vector<Dot> dots = DotsOf(lives, name);
    if (dots.empty()) continue;
    ops.push_back({.kind = Op::Kind::kDelete,
                   .name = name,
                   .superseded = std::move(dots)});
  }
  return ops;
}

void Lane::Publish(const DeltaPtr& delta, Instant now, Effects* effects) {
  Slot& slot = StateOf(delta->slot).slot;
  SlotChanges changes;
  const Slot::Outcome outcome = slot.Receive(delta, self_.name, &changes);
  CHECK(outcome == Slot::Outcome::kApplied)
      << "a delta on local heads cannot wait";
  // Every owner learns the access with the delta.
  for (const Dot& birth : delta->births) {
    slot.MarkSent(birth, HlcMillis(delta->hlc));
  }
  AfterChange(delta->slot, changes, now, effects);
  for (auto& [name, peer] : peers_) {
    if (!Replicates(delta->slot, name, peer)) continue;
    Offer(name, &peer, delta, now, effects);
  }
}

void Lane::Offer(const NodeName& name, Peer* peer, const DeltaPtr& delta,
                 Instant now, Effects* effects) {
  if (!peer->out.Push(delta, now.steady)) return;
  Emit(
      {.kind = Event::Kind::kQueueOverflow,
       .node = name,
       .slot = delta->slot,
       .detail = "it is too slow or unreachable; it will fetch what it misses"},
      effects);
}

// --- the calls

uint64_t Lane::Fingerprint(const Command& command) {
  return StableHash(command.session_id) * 8 +
         static_cast<uint64_t>(command.kind);
}

bool Lane::AnswerRetry(const Call& call, Instant now, Effects* effects) {
  const Command& command = call.command;
  const SlotId slot = call.slot;
  if (command.request_id.empty()) return false;
  const DedupeEntry* entry = dedupe_.Find(command.request_id, now.steady);
  if (entry == nullptr) return false;
  if (entry->fingerprint != Fingerprint(command)) {
    Fail(command.handle,
         absl::InvalidArgumentError("this request_id belongs to another call; "
                                    "take 16 new random bytes"),
         {.reason = Reason::kInvalidField}, effects);
    return true;
  }
  Reply reply;
  FillCommon(call, &reply);
  reply.created = entry->created;
  reply.replicas = entry->replicas;
  reply.token = EncodeToken(slot, {{entry->last}}, *key_);
  const std::string& id = command.kind == Command::Kind::kRotate
                              ? command.new_session_id
                              : command.session_id;
  const Holdings lives = PresentForReply(slot, id, now, effects);
  if (!lives.empty()) {
    // What is shown may be newer than the change, so the token names all of it.
    reply.session = ViewOf(id, lives);
    reply.token = TokenOf(slot, lives);
  }
  if (entry->delta == nullptr) {
    if (entry->replicas < Needed(call.slot, command.durability)) {
      Degrade(absl::StrCat("only ", entry->replicas,
                           " owner(s) held it when it was answered"),
              &reply);
    }
    effects->replies.push_back(std::move(reply));
    return true;
  }
  const DeltaPtr delta = entry->delta;
  Await(command, delta, std::move(reply), now, effects);
  // Who has acknowledged it is no longer known: ask again; a repetition is
  // acknowledged too.
  for (auto& [name, peer] : peers_) {
    if (!Replicates(delta->slot, name, peer)) continue;
    Offer(name, &peer, delta, now, effects);
  }
  return true;
}

absl::Status Lane::CheckRoom(SlotId slot, const Command& command,
                             const Holdings& lives, Failure* failure) const {
  size_t bytes = 0;
  size_t attributes = 0;
  for (const Slot::Holding* life : lives) {
    bytes += life->life->attributes.payload_bytes();
  }
  std::set<std::string> names;
  for (const Slot::Holding* life : lives) {
    for (const EntryView& entry : life->life->attributes.Unpack()) {
      names.insert(std::string(entry.name));
    }
  }
  size_t added = lives.empty() ? kSessionOverheadBytes : 0;
  size_t replaced = 0;
  for (const auto& [name, value] : command.set) {
    added += name.size() + value.size();
    for (const Slot::Holding* life : lives) {
      for (const EntryView& entry : life->life->attributes.Find(name)) {
        replaced += entry.name.size() + entry.value.size();
      }
    }
    names.insert(name);
  }
  attributes = names.size();
  const size_t after = bytes + added - replaced;
  const auto exhausted = [failure](const char* what, size_t value,
                                   size_t limit) {
    *failure = {.reason = Reason::kLimit,
                .limit_name = what,
                .limit = limit,
                .value = value};
    return absl::ResourceExhaustedError(
        absl::StrCat(what, ": ", value, ", at most ", limit));
  };
  const size_t in_slot = StateOf(slot).slot.lives().size();
  if (lives.empty() && in_slot >= config_.slot_sessions_max) {
    return exhausted("sessions in one slot (see --slots)", in_slot + 1,
                     config_.slot_sessions_max);
  }
  if (after > config_.session_bytes_max && added > replaced) {
    return exhausted("session bytes", after, config_.session_bytes_max);
  }
  if (attributes > config_.attributes_max && !command.set.empty()) {
    return exhausted("session attributes", attributes, config_.attributes_max);
  }
  if (added > replaced &&
      memory_bytes_ + added - replaced > config_.lane_bytes_max) {
    return exhausted("node memory for sessions",
                     memory_bytes_ + added - replaced, config_.lane_bytes_max);
  }
  return absl::OkStatus();
}

void Lane::Create(const Call& call, bool upserted, Instant now,
                  Effects* effects) {
  const Command& command = call.command;
  if (AnswerRetry(call, now, effects)) return;
  const Holdings present = Present(call.slot, command.session_id, now);
  if (!present.empty()) {
    // A native id of a command with a request id is a function of that: the
    // first try reached another node.
    if (!command.request_id.empty() &&
        !ids_->CheckForeign(command.session_id).ok()) {
      Reply reply;
      FillCommon(call, &reply);
      reply.replicas = 1;
      Degrade(kDoneElsewhere, &reply);
      const Holdings lives =
          PresentForReply(call.slot, command.session_id, now, effects);
      reply.session = ViewOf(command.session_id, lives);
      reply.token = TokenOf(call.slot, lives);
      effects->replies.push_back(std::move(reply));
      return;
    }
    Fail(command.handle, absl::AlreadyExistsError("a live session has this id"),
         {.reason = Reason::kAlreadyExists}, effects);
    return;
  }
  Failure failure;
  if (absl::Status s = CheckRoom(call.slot, command, {}, &failure); !s.ok()) {
    Fail(command.handle, std::move(s), std::move(failure), effects);
    return;
  }
  if (!CheckStrict(call.slot, command, effects)) return;
  // What is still held under the id has been idle too long, as every owner in
  // reach has confirmed; it must not come back through a late access and share
  // the id with the new session.
  const Holdings expired = StateOf(call.slot).slot.Lookup(command.session_id);
  if (!expired.empty()) {
    Publish(Mint({.slot = call.slot,
                  .kind = Delta::Kind::kKill,
                  .reason = EndReason::kIdle},
                 expired, now),
            now, effects);
  }
  Delta draft{.slot = call.slot, .kind = Delta::Kind::kCreate};
  draft.ops.push_back({.kind = Op::Kind::kPut,
                       .name = std::string(kIdAttribute),
                       .value = command.session_id});
  for (Op& op : OpsOf(command, {})) draft.ops.push_back(std::move(op));
  draft.idle =
      command.idle > absl::ZeroDuration() ? command.idle : config_.idle_default;
  draft.deadline = now.wall + (command.absolute_lifetime > absl::ZeroDuration()
                                   ? command.absolute_lifetime
                                   : config_.absolute_lifetime_default);
  // Times travel in whole milliseconds.
  draft.idle = absl::Floor(draft.idle, absl::Milliseconds(1));
  draft.deadline = absl::FromUnixMillis(absl::ToUnixMillis(draft.deadline));
  const DeltaPtr delta = Mint(std::move(draft), {}, now);
  Publish(delta, now, effects);
  Reply reply;
  FillCommon(call, &reply);
  reply.created = upserted;
  const Holdings lives = StateOf(call.slot).slot.Lookup(command.session_id);
  reply.session = ViewOf(command.session_id, lives);
  reply.token = TokenOf(call.slot, lives);
  Await(command, delta, std::move(reply), now, effects);
}

bool Lane::CheckPreconditions(const Call& call, const Holdings& lives,
                              Effects* effects) const {
  const Command& command = call.command;
  std::string unmet;
  if (!command.if_version.empty()) {
    const absl::StatusOr<std::vector<Dot>> version =
        DecodeToken(call.slot, command.if_version, *key_);
    if (!version.ok()) {
      Fail(command.handle, version.status(), FailureOfToken(command.if_version),
           effects);
      return false;
    }
    if (*version != HeadsOf(lives)) {
      unmet = "the session has changed since if_version";
    }
  }
  for (const std::string& name : command.if_absent) {
    if (DotsOf(lives, name).empty()) continue;
    unmet = absl::StrCat("attribute \"", name, "\" exists already (if_absent)");
    break;
  }
  if (unmet.empty()) return true;
  Reply reply;
  FillCommon(call, &reply);
  reply.status = absl::AbortedError(unmet);
  reply.failure.reason = Reason::kPreconditionFailed;
  if (!lives.empty()) {
    reply.session = ViewOf(command.session_id, lives);
    reply.token = TokenOf(call.slot, lives);
  }
  effects->replies.push_back(std::move(reply));
  return false;
}

void Lane::Update(const Call& call, Instant now, Effects* effects) {
  const Command& command = call.command;
  if (AnswerRetry(call, now, effects)) return;
  const bool revoked = Revoke(call.slot, command.session_id, now, effects);
  const Holdings lives =
      revoked ? Holdings()
              : PresentForReply(call.slot, command.session_id, now, effects);
  if (lives.empty()) {
    // A native id was chosen by a node and may have been ended by a logout:
    // creating it again would bring that session back under the nose of whoever
    // logged out.
    if (command.upsert && !revoked &&
        ids_->CheckForeign(command.session_id).ok()) {
      if (CheckPreconditions(call, lives, effects)) {
        Create(call, /*upserted=*/true, now, effects);
      }
      return;
    }
    Fail(command.handle,
         absl::NotFoundError("no such session; it may have ended"),
         {.reason = Reason::kSessionNotFound}, effects);
    return;
  }
  if (!CheckPreconditions(call, lives, effects)) return;
  Failure failure;
  if (absl::Status s = CheckRoom(call.slot, command, lives, &failure);
      !s.ok()) {
    Fail(command.handle, std::move(s), std::move(failure), effects);
    return;
  }
  std::vector<Op> ops = OpsOf(command, lives);
  Reply reply;
  FillCommon(call, &reply);
  if (ops.empty()) {
    Access(call.slot, lives, now);
    reply.replicas = 1;
    reply.token = TokenOf(call.slot, lives);
    if (command.return_session) {
      reply.session = ViewOf(command.session_id, lives);
    }
    effects->replies.push_back(std::move(reply));
    return;
  }
  if (!CheckStrict(call.slot, command, effects)) return;
  const DeltaPtr delta = Mint(
      {.slot = call.slot, .kind = Delta::Kind::kUpdate, .ops = std::move(ops)},
      lives, now);
  Publish(delta, now, effects);
  reply.token = EncodeToken(call.slot, {{delta->last()}}, *key_);
  if (command.return_session) {
    // Not a life of the id that is over by time and not dropped yet.
    reply.session =
        ViewOf(command.session_id, Present(call.slot, command.session_id, now));
  }
  Await(command, delta, std::move(reply), now, effects);
}

void Lane::Delete(const Call& call, Instant now, Effects* effects) {
  const Command& command = call.command;
  if (AnswerRetry(call, now, effects)) return;
  const Holdings lives =
      StateOf(call.slot).slot.LookupForDelete(command.session_id);
  if (lives.empty()) {
    Fail(command.handle,
         absl::NotFoundError("no such session; it may have ended"),
         {.reason = Reason::kSessionNotFound}, effects);
    return;
  }
  if (!CheckStrict(call.slot, command, effects)) return;
  const DeltaPtr delta = Mint({.slot = call.slot,
                               .kind = Delta::Kind::kKill,
                               .reason = EndReason::kDeleted},
                              lives, now);
  Publish(delta, now, effects);
  Reply reply;
  FillCommon(call, &reply);
  reply.token = EncodeToken(call.slot, {{delta->last()}}, *key_);
  Await(command, delta, std::move(reply), now, effects);
}

void Lane::Rotate(const Call& call, Instant now, Effects* effects) {
  const Command& command = call.command;
  if (AnswerRetry(call, now, effects)) return;
  const bool revoked = Revoke(call.slot, command.session_id, now, effects);
  Holdings lives =
      revoked ? Holdings() : Present(call.slot, command.session_id, now);
  // A retry whose first try reached another node: the same request gives the
  // same new id (rule A8).
  const Holdings done = revoked || command.request_id.empty()
                            ? Holdings()
                            : Present(call.slot, command.new_session_id, now);
  Reply reply;
  FillCommon(call, &reply);
  if (lives.empty()) {
    if (!done.empty()) {
      const Holdings told =
          PresentForReply(call.slot, command.new_session_id, now, effects);
      reply.session = ViewOf(command.new_session_id, told);
      reply.token = TokenOf(call.slot, told);
      reply.replicas = 1;
      Degrade(kDoneElsewhere, &reply);
      effects->replies.push_back(std::move(reply));
      return;
    }
    Fail(command.handle,
         absl::NotFoundError("no such session; it may have ended"),
         {.reason = Reason::kSessionNotFound}, effects);
    return;
  }
  // A foreign id may have been created twice, and the first try have found one
  // of the two: then all go by the new id from here on.
  for (const Slot::Holding* life : done) {
    if (std::count(lives.begin(), lives.end(), life) == 0) {
      lives.push_back(life);
    }
  }
  Failure failure;
  if (absl::Status s = CheckRoom(call.slot, command, lives, &failure);
      !s.ok()) {
    Fail(command.handle, std::move(s), std::move(failure), effects);
    return;
  }
  if (!CheckStrict(call.slot, command, effects)) return;
  Delta draft{.slot = call.slot, .kind = Delta::Kind::kRotate};
  draft.ops.push_back({.kind = Op::Kind::kPut,
                       .name = std::string(kIdAttribute),
                       .value = command.new_session_id,
                       .superseded = DotsOf(lives, kIdAttribute)});
  for (Op& op : OpsOf(command, lives)) draft.ops.push_back(std::move(op));
  const DeltaPtr delta = Mint(std::move(draft), lives, now);
  Publish(delta, now, effects);
  const Holdings rotated =
      StateOf(call.slot).slot.Lookup(command.new_session_id);
  reply.session = ViewOf(command.new_session_id, rotated);
  reply.token = EncodeToken(call.slot, {{delta->last()}}, *key_);
  Await(command, delta, std::move(reply), now, effects);
}

}  // namespace sessionmesh::replication
