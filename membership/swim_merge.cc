// Which claim wins, and what follows from it. The order is that of Claim
// (member.h); what is added here is who may claim what, and the consequences:
// timers, the ring, gossip, events.

#include <algorithm>
#include <optional>

#include "membership/limits.h"
#include "membership/scaling.h"
#include "membership/swim_impl.h"

namespace sessionmesh::membership {
namespace {

constexpr absl::Duration kFullReportInterval = absl::Minutes(1);

bool JumpsTooFar(const Claim& known, const Claim& claimed, uint64_t jump_max) {
  return claimed.generation == known.generation &&
         claimed.incarnation > known.incarnation &&
         claimed.incarnation - known.incarnation > jump_max;
}

}  // namespace

void SwimImpl::Merge(const Update& update, Source source, bool spread) {
  if (phase_ == Phase::kGone || !IsValid(update)) return;
  if (IsMadeUp(update.claim.generation)) return;
  if (update.name == self().name) {
    MergeAboutSelf(update);
    return;
  }
  Record* record = table_.Find(update.name);
  if (record == nullptr) {
    MergeUnknown(update, source, spread);
    return;
  }
  const Claim known = record->member.claim;
  if (JumpsTooFar(known, update.claim,
                  source == Source::kFirstHand ? kFirstHandIncarnationJumpMax
                                               : kIncarnationJumpMax)) {
    return;
  }
  if (update.claim > known && update.claim.generation == known.generation &&
      update.address != record->member.address && IsLive(known.state)) {
    ReportConflict(record, update.address);
    return;
  }
  Update wanted = update;
  // What anti-entropy brings may be old, or the view of the other side of a
  // partition. Somebody who lives here is not declared dead by it but asked to
  // refute: the merger of two sides kills nobody.
  if (source == Source::kSync && update.claim.state == State::kDead &&
      IsLive(known.state)) {
    wanted.claim.state = State::kSuspect;
  }
  if (wanted.claim > known) {
    Apply(record, wanted, spread);
  } else if (wanted.claim == known && known.state == State::kSuspect) {
    Confirm(record, wanted.accuser);
  }
}

void SwimImpl::MergeUnknown(const Update& update, Source source, bool spread) {
  // News of a goodbye is kept, so that older news which is still under way
  // cannot bring the member to life. Anti-entropy offers memories of goodbyes
  // for hours: there is nothing under way any more.
  if (update.claim.state == State::kLeft && source != Source::kGossip) return;
  if (!MakeRoom(update)) return;
  Member member;
  member.name = update.name;
  member.address = update.address;
  member.claim = update.claim;
  member.accuser = update.accuser;
  member.zone = update.zone;
  if (!IsLive(update.claim.state)) {
    table_.Insert(member, now_);
    const bool died = update.claim.state == State::kDead;
    if (died) gossip_to_dead_until_ = now_.steady + config_.gossip_to_dead;
    if (spread) queue_.Add(update);
    Emit(died ? EventKind::kDied : EventKind::kLeft, member, {},
         update.accuser);
    return;
  }
  // A suspect that is not known yet joins first: observers see each step.
  member.claim.state = State::kAlive;
  member.accuser.clear();
  Record* record = table_.Insert(member, now_);
  AddToRing(update.name);
  if (spread) queue_.Add(UpdateAbout(member));
  Emit(EventKind::kJoined, record->member);
  if (update.claim.state == State::kSuspect) Apply(record, update, spread);
}

void SwimImpl::MergeAboutSelf(const Update& update) {
  const Claim own = self().claim;
  const Claim& claim = update.claim;
  if (claim.generation > own.generation) {
    Supersede(claim.generation, update.address);
    return;
  }
  if (claim.generation < own.generation || !running()) return;
  if (claim.state == State::kAlive && update.address != self().address) {
    // A twin: same name, same generation. To outbid it would start a race
    // without end.
    ReportConflict(table_.Find(self().name), update.address);
    return;
  }
  if (JumpsTooFar(own, claim, kSelfIncarnationJumpMax) || claim <= own) return;
  Refute(claim.incarnation, update.accuser);
}

bool SwimImpl::IsMadeUp(Generation generation) const {
  const int64_t newest = absl::ToUnixMillis(now_.wall + kGenerationAheadMax);
  return generation > static_cast<Generation>(std::max<int64_t>(newest, 0));
}

bool SwimImpl::MakeRoom(const Update& newcomer) {
  if (table_.size() < config_.members_max) return true;
  if (!IsLive(newcomer.claim.state)) return false;
  if (const std::optional<NodeName> gone = table_.LongestGone()) {
    Forget(*gone);
    return true;
  }
  if (now_.steady >= full_reported_ + kFullReportInterval) {
    full_reported_ = now_.steady;
    Emit(EventKind::kTableFull, self(), {}, "", newcomer.address);
  }
  return false;
}

void SwimImpl::Apply(Record* record, const Update& update, bool spread) {
  const Claim previous = record->member.claim;
  const NodeName accused_by = record->member.accuser;
  table_.Change(record, update, now_);
  Follow(record, IsLive(previous.state));
  if (spread) {
    queue_.Add(update);
  } else {
    queue_.Remove(update.name);
  }
  switch (update.claim.state) {
    case State::kAlive:
      if (previous.generation < update.claim.generation) {
        record->reliable_only_probes = 0;
      }
      if (previous.generation < update.claim.generation ||
          !IsLive(previous.state)) {
        Emit(EventKind::kRejoined, record->member, previous);
      } else {
        Emit(EventKind::kRefuted, record->member, previous, accused_by);
      }
      break;
    case State::kSuspect:
      Emit(EventKind::kSuspected, record->member, previous, update.accuser);
      break;
    case State::kDead:
      Emit(EventKind::kDied, record->member, previous, update.accuser);
      break;
    case State::kLeft:
      Emit(EventKind::kLeft, record->member, previous);
      break;
  }
}

void SwimImpl::Follow(Record* record, bool was_live) {
  const Member& member = record->member;
  const bool live = IsLive(member.claim.state);
  if (live && !was_live) AddToRing(member.name);
  if (!live && was_live) ring_.Remove(member.name);
  if (member.claim.state == State::kDead) {
    gossip_to_dead_until_ = now_.steady + config_.gossip_to_dead;
  }
  if (member.claim.state != State::kSuspect) {
    suspicions_.Stop(member.name);
    return;
  }
  const size_t members = table_.live();
  const absl::Duration min =
      SuspicionMin(config_.suspicion_mult, members, config_.probe_interval);
  suspicions_.Start(
      member.name,
      Suspicion(member.accuser,
                ExpectedConfirmations(config_.suspicion_mult, members), min,
                min * config_.suspicion_max_mult, now_.steady));
}

void SwimImpl::Confirm(Record* record, const NodeName& accuser) {
  if (!suspicions_.Confirm(record->member.name, accuser)) return;
  table_.AddConfirmation(record);
  // Passed on under the name of the confirmer, so that others can count it too.
  Update update = UpdateAbout(record->member);
  update.accuser = accuser;
  queue_.Add(std::move(update));
}

void SwimImpl::Accuse(const NodeName& name, const Claim& claim) {
  const Record* record = table_.Find(name);
  // The one that was probed may have left, died or been replaced meanwhile.
  if (record == nullptr ||
      record->member.claim.generation != claim.generation ||
      !IsLive(record->member.claim.state)) {
    return;
  }
  Merge(Update{name, record->member.address,
               Claim{claim.generation, claim.incarnation, State::kSuspect},
               self().name, record->member.zone},
        Source::kGossip);
}

void SwimImpl::ExpireSuspicions() {
  while (const std::optional<NodeName> suspect =
             suspicions_.PopExpired(now_.steady)) {
    Record* record = table_.Find(*suspect);
    Update death = UpdateAbout(record->member);
    death.claim.state = State::kDead;
    Apply(record, death, /*spread=*/true);
  }
}

void SwimImpl::Refute(Incarnation accused, const NodeName& accuser) {
  const Claim previous = self().claim;
  Update refutation = UpdateAbout(self());
  refutation.claim.incarnation = std::max(previous.incarnation, accused) + 1;
  table_.Change(table_.Find(self().name), refutation, now_);
  queue_.Add(refutation);
  Emit(EventKind::kSelfAccused, self(), previous, accuser);
}

void SwimImpl::Forget(const NodeName& name) {
  const Member member = table_.Find(name)->member;
  queue_.Remove(name);
  table_.Erase(name);
  Emit(EventKind::kForgotten, member, member.claim);
}

void SwimImpl::ForgetLongLeft() {
  std::vector<NodeName> faded;
  for (const auto& [name, record] : table_.records()) {
    if (record.member.claim.state == State::kLeft && name != self().name &&
        now_.steady >= record.changed + config_.left_retention) {
      faded.push_back(name);
    }
  }
  for (const NodeName& name : faded) Forget(name);
}

void SwimImpl::AddToRing(const NodeName& name) {
  if (ring_.empty()) {
    // Nothing was probed until now: nodes that start together must not probe
    // together.
    next_probe_ = now_.steady + Stagger(config_.probe_interval);
    next_sync_ = now_.steady + Stagger(config_.sync_interval);
  }
  ring_.Add(name, &random_);
}

}  // namespace sessionmesh::membership
