// Get, Touch and watches.

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/lane.h"
#include "replication/token.h"

namespace sessionmesh::replication {

bool Lane::IsIdle(const Slot::Holding& holding, absl::Time wall) {
  return wall >
         absl::FromUnixMillis(holding.last_access_ms + holding.life->idle_ms);
}

bool Lane::IsRaced(const Slot::Holding& holding) {
  return holding.life->attributes.HasSiblings(kIdAttribute) &&
         holding.life->Ids().size() > 1;
}

Lane::Holdings Lane::Present(SlotId slot, absl::string_view id,
                             Instant now) const {
  Holdings lives = StateOf(slot).slot.Lookup(id);
  lives.erase(std::remove_if(lives.begin(), lives.end(),
                             [now](const Slot::Holding* h) {
                               return h->life->deadline() <= now.wall ||
                                      IsIdle(*h, now.wall) || IsRaced(*h);
                             }),
              lives.end());
  return lives;
}

std::vector<Dot> Lane::HeadsOf(const Holdings& lives) const {
  std::vector<Dot> heads;
  for (const Slot::Holding* life : lives) {
    heads.insert(heads.end(), life->life->heads.begin(),
                 life->life->heads.end());
  }
  SortUnique(&heads);
  return heads;
}

std::string Lane::TokenOf(SlotId slot, const Holdings& lives) const {
  std::vector<Dot> heads = HeadsOf(lives);
  CHECK(!heads.empty());
  CHECK_LE(heads.size(), kTokenDotsMax)
      << "heads are collapsed before a token is made";
  return EncodeToken(slot, heads, *key_);
}

std::string Lane::TokenOf(const Call& call, const Holdings& lives) const {
  // One token, one spelling: what names just this was made here or elsewhere
  // and has been checked, so it need not be made again.
  if (call.command.tokens.size() == 1 && call.token == HeadsOf(lives)) {
    return call.command.tokens.front();
  }
  return TokenOf(call.slot, lives);
}

SessionView Lane::ViewOf(absl::string_view id, const Holdings& lives) const {
  SessionView view;
  view.id = std::string(id);
  view.deadline = absl::InfiniteFuture();
  std::vector<EntryView> entries;
  for (const Slot::Holding* holding : lives) {
    view.idle = std::max(view.idle, absl::Milliseconds(holding->life->idle_ms));
    view.last_access = std::max(view.last_access,
                                absl::FromUnixMillis(holding->last_access_ms));
    view.deadline = std::min(view.deadline, holding->life->deadline());
    const std::vector<EntryView> more = holding->life->attributes.Unpack();
    entries.insert(entries.end(), more.begin(), more.end());
  }
  const auto by_name = [](const EntryView& a, const EntryView& b) {
    return a.name < b.name;
  };
  // One life has its entries in order already.
  if (lives.size() > 1) std::sort(entries.begin(), entries.end(), by_name);
  for (auto begin = entries.begin(); begin != entries.end();) {
    const auto end = std::upper_bound(begin, entries.end(), *begin, by_name);
    const EntryView& winner =
        Winner({&*begin, static_cast<size_t>(end - begin)});
    begin = end;
    if (winner.name == kUserAttribute) {
      view.user = std::string(winner.value);
    } else if (!IsReservedAttribute(winner.name)) {
      view.attributes.emplace_hint(view.attributes.end(), winner.name,
                                   winner.value);
    }
  }
  return view;
}

const char* Lane::DegradedNode(SlotId slot) const {
  if (owners_.isolated()) return "this node hears nobody";
  if (StateOf(slot).phase.degraded) {
    return "this node became ready without reaching a ready owner";
  }
  return nullptr;
}

void Lane::Degrade(absl::string_view reason, Reply* reply) {
  reply->degraded = true;
  if (absl::StrContains(reply->degraded_reason, reason)) return;
  absl::StrAppend(&reply->degraded_reason,
                  reply->degraded_reason.empty() ? "" : "; ", reason);
}

void Lane::FillCommon(const Call& call, Reply* reply) const {
  reply->handle = call.command.handle;
  reply->caught_up = call.caught_up;
  if (const char* reason = DegradedNode(call.slot)) Degrade(reason, reply);
  if (call.command.consistency == Consistency::kQuorum &&
      partial_.count(call.slot) > 0) {
    Degrade("this node caught up while a member was dead", reply);
  }
  if (call.quorum_unmet) {
    Degrade("fewer owners answered than a quorum needs", reply);
  } else if (call.lists_differ &&
             call.command.consistency == Consistency::kQuorum) {
    Degrade("owners change: an owner that answered sees other owners", reply);
  }
}

void Lane::Access(SlotId slot, const Holdings& lives, Instant now) {
  Slot& state = StateOf(slot).slot;
  const int64_t millis = absl::ToUnixMillis(now.wall);
  std::vector<Dot> births;
  for (const Slot::Holding* life : lives) births.push_back(life->life->birth);
  for (const Dot& birth : births) {
    if (!state.Touch(birth, millis)) continue;
    const Slot::Holding* life = state.Find(birth);
    if (life->last_access_ms - life->last_sent_ms < life->life->idle_ms / 8) {
      continue;
    }
    if (touched_.empty()) {
      next_touch_flush_at_ = now.steady + config_.touch_flush_interval;
    }
    touched_.insert({slot, birth});
  }
}

bool Lane::Revoke(SlotId slot, absl::string_view id, Instant now,
                  Effects* effects) {
  Holdings raced;
  for (const Slot::Holding* life : StateOf(slot).slot.Lookup(id)) {
    if (IsRaced(*life)) raced.push_back(life);
  }
  if (raced.empty()) return false;
  Emit({.kind = Event::Kind::kSessionRevoked,
        .slot = slot,
        .session = SessionHash(id),
        .detail = "two rotations of one session id did not know of each other"},
       effects);
  const DeltaPtr kill = Mint(
      {.slot = slot, .kind = Delta::Kind::kKill, .reason = EndReason::kRevoked},
      raced, now);
  Publish(kill, now, effects);
  return true;
}

Lane::Holdings Lane::PresentForReply(SlotId slot, absl::string_view id,
                                     Instant now, Effects* effects) {
  // Not a life that is over by time: the update would be an access to it.
  Holdings lives = Present(slot, id, now);
  if (HeadsOf(lives).size() <= kTokenDotsMax) return lives;
  // An update that changes nothing but follows all heads. The op needs some
  // name; it is never looked at.
  Delta nothing{.slot = slot, .kind = Delta::Kind::kUpdate};
  nothing.ops.push_back(
      {.kind = Op::Kind::kVoid, .name = std::string(kUserAttribute)});
  Publish(Mint(std::move(nothing), lives, now), now, effects);
  return Present(slot, id, now);
}

void Lane::Get(const Call& call, Instant now, Effects* effects) {
  const std::string& id = call.command.session_id;
  const Holdings lives = Revoke(call.slot, id, now, effects)
                             ? Holdings()
                             : PresentForReply(call.slot, id, now, effects);
  if (lives.empty()) {
    Fail(call.command.handle,
         absl::NotFoundError("no such session; it may have ended"),
         {.reason = Reason::kSessionNotFound}, effects);
    return;
  }
  if (!call.command.peek) Access(call.slot, lives, now);
  Reply reply;
  FillCommon(call, &reply);
  if (reply.degraded && call.command.strict) {
    Fail(call.command.handle, absl::UnavailableError(reply.degraded_reason),
         {.reason = Reason::kNoQuorum}, effects);
    return;
  }
  reply.session = ViewOf(id, lives);
  reply.token = TokenOf(call, lives);
  effects->replies.push_back(std::move(reply));
}

void Lane::TouchCall(const Call& call, Instant now, Effects* effects) {
  const std::string& id = call.command.session_id;
  const Holdings lives = Revoke(call.slot, id, now, effects)
                             ? Holdings()
                             : PresentForReply(call.slot, id, now, effects);
  if (lives.empty()) {
    Fail(call.command.handle,
         absl::NotFoundError("no such session; it may have ended"),
         {.reason = Reason::kSessionNotFound}, effects);
    return;
  }
  Access(call.slot, lives, now);
  Reply reply;
  FillCommon(call, &reply);
  reply.session = ViewOf(call.command.session_id, lives);
  reply.token = TokenOf(call, lives);
  effects->replies.push_back(std::move(reply));
}

void Lane::Watch(CallHandle handle, const std::string& session_id,
                 const std::vector<std::string>& tokens, bool forwarded,
                 Instant now, Effects* effects) {
  Call call;
  Failure failure;
  Command command;
  command.session_id = session_id;
  command.tokens = tokens;
  command.forwarded = forwarded;
  absl::Status status = Admit(command, now, &call, &failure);
  if (status.ok() && watches_.size() >= config_.watches_max) {
    status = absl::ResourceExhaustedError(absl::StrCat(
        "too many watches in this lane (", config_.watches_max, ")"));
  }
  if (status.ok() && MissingOf(call.token, call.slot).empty() &&
      Present(call.slot, session_id, now).empty()) {
    status = absl::NotFoundError("no such session; it may have ended");
  }
  if (!status.ok()) {
    effects->watch_updates.push_back(
        {.handle = handle,
         .status = std::move(status),
         .forward_to = std::move(failure.forward_to)});
    return;
  }
  WatchState watch{.slot = call.slot,
                   .session_id = session_id,
                   .forwarded = forwarded,
                   .token = call.token};
  if (!MissingOf(call.token, call.slot).empty()) {
    Inquire(call.slot, LinkedHolders(call.slot), now);
  }
  if (!UpdateWatch(handle, &watch, {}, effects)) {
    if (!MissingOf(watch.token, watch.slot).empty()) {
      SetTimer(handle, now.steady + config_.catch_up_timeout);
    }
    watches_by_slot_.insert({watch.slot, handle});
    watches_.emplace(handle, std::move(watch));
  }
  Finish(now, effects);
}

bool Lane::UpdateWatch(CallHandle handle, WatchState* watch,
                       const SlotChanges& changes, Effects* effects) {
  if (!MissingOf(watch->token, watch->slot).empty()) return false;
  const Slot& slot = StateOf(watch->slot).slot;
  const Holdings lives = slot.Lookup(watch->session_id);
  if (lives.empty()) {
    WatchUpdate end{.handle = handle, .end = WatchUpdate::End::kDeleted};
    for (const Dot& birth : watch->births) {
      if (slot.Find(birth) != nullptr) end.end = WatchUpdate::End::kRotated;
    }
    for (const SlotChanges::Ended& ended : changes.ended) {
      if (std::count(watch->births.begin(), watch->births.end(), ended.birth) ==
          0) {
        continue;
      }
      if (ended.reason == EndReason::kIdle) end.end = WatchUpdate::End::kIdle;
      if (ended.reason == EndReason::kDeadline) {
        end.end = WatchUpdate::End::kDeadline;
      }
      if (ended.reason == EndReason::kRevoked) {
        end.end = WatchUpdate::End::kRevoked;
      }
    }
    effects->watch_updates.push_back(std::move(end));
    return true;
  }
  if (std::any_of(lives.begin(), lives.end(),
                  [](const Slot::Holding* life) { return IsRaced(*life); })) {
    effects->watch_updates.push_back(
        {.handle = handle, .end = WatchUpdate::End::kRevoked});
    return true;
  }
  std::vector<Dot> version = HeadsOf(lives);
  if (version == watch->version || version.size() > kTokenDotsMax) return false;
  watch->version = std::move(version);
  watch->births.clear();
  for (const Slot::Holding* life : lives) {
    watch->births.push_back(life->life->birth);
  }
  effects->watch_updates.push_back({.handle = handle,
                                    .session = ViewOf(watch->session_id, lives),
                                    .token = TokenOf(watch->slot, lives)});
  return false;
}

void Lane::GiveUpWatch(CallHandle handle, Effects* effects) {
  const WatchState& watch = watches_.at(handle);
  if (MissingOf(watch.token, watch.slot).empty()) return;
  effects->watch_updates.push_back(
      {.handle = handle,
       .status = absl::UnavailableError(
           "the token is ahead of every node that could be asked in time; "
           "try again, or another node")});
  Unwatch(handle);
}

void Lane::UpdateWatches(SlotId slot, const SlotChanges& changes,
                         Effects* effects) {
  for (auto it = watches_by_slot_.lower_bound({slot, 0});
       it != watches_by_slot_.end() && it->first == slot;) {
    const CallHandle handle = it->second;
    ++it;
    if (UpdateWatch(handle, &watches_.at(handle), changes, effects)) {
      Unwatch(handle);
    }
  }
}

void Lane::EndWatches(SlotId slot, Effects* effects) {
  while (true) {
    const auto it = watches_by_slot_.lower_bound({slot, 0});
    if (it == watches_by_slot_.end() || it->first != slot) return;
    const CallHandle handle = it->second;
    Call call;
    call.slot = slot;
    call.command.forwarded = watches_.at(handle).forwarded;
    Failure failure;
    absl::Status status = RefuseUnready(call, &failure);
    effects->watch_updates.push_back(
        {.handle = handle,
         .status = std::move(status),
         .forward_to = std::move(failure.forward_to)});
    Unwatch(handle);
  }
}

void Lane::Unwatch(CallHandle handle) {
  const auto it = watches_.find(handle);
  if (it == watches_.end()) return;
  watches_by_slot_.erase({it->second.slot, handle});
  watches_.erase(it);
}

}  // namespace sessionmesh::replication
