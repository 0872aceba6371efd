// Who may speak: what a message's sender is to us, before anything else of the
// message counts.

#include "absl/strings/str_cat.h"
#include "membership/swim_impl.h"

namespace sessionmesh::membership {
namespace {

constexpr absl::Duration kConflictReportInterval = absl::Minutes(1);

}  // namespace

bool SwimImpl::MaySpeak(const Sender& from) const {
  return IsValid(from) && !IsMadeUp(from.generation);
}

SwimImpl::Admission SwimImpl::Admit(const Sender& from) {
  if (from.name == self().name) return AdmitOwnName(from);
  Record* known = table_.Find(from.name);
  if (known != nullptr) {
    const Member& holder = known->member;
    const bool elsewhere =
        holder.address != from.address && IsLive(holder.claim.state);
    if (from.generation < holder.claim.generation) {
      // A process that has been replaced, or one that lost its state file. It
      // hears of its successor.
      if (elsewhere) ReportConflict(known, from.address);
      Tell(known, from.address);
      return Admission::kSuperseded;
    }
    if (from.generation == holder.claim.generation && elsewhere) {
      ReportConflict(known, from.address);
      return Admission::kConflict;
    }
  }
  const Claim claim{from.generation, from.incarnation, State::kAlive};
  Merge(Update{from.name, from.address, claim, "", from.zone},
        Source::kFirstHand);
  return table_.Find(from.name) != nullptr ? Admission::kAdmitted
                                           : Admission::kUnknown;
}

SwimImpl::Admission SwimImpl::AdmitOwnName(const Sender& from) {
  const Generation own = self().claim.generation;
  if (from.generation > own) {
    Supersede(from.generation, from.address);
    return Admission::kSelf;
  }
  if (from.generation < own) {
    if (now_.steady >= predecessor_told_ + config_.probe_interval) {
      predecessor_told_ = now_.steady;
      SendDatagram(from.address, Gossip(), self().name);
    }
    return Admission::kSuperseded;
  }
  if (from.address == self().address) return Admission::kSelf;
  ReportConflict(table_.Find(self().name), from.address);
  return Admission::kConflict;
}

void SwimImpl::ReportConflict(Record* holder, const Address& newcomer) {
  if (now_.steady < holder->conflict_reported + kConflictReportInterval) return;
  holder->conflict_reported = now_.steady;
  Emit(EventKind::kNameConflict, holder->member, {}, "", newcomer);
}

void SwimImpl::Supersede(Generation generation, const Address& address) {
  if (phase_ == Phase::kGone) return;
  Emit(EventKind::kSuperseded, self(), {}, "",
       absl::StrCat("generation ", generation, " at ", address));
  BecomeGone();
}

Refusal SwimImpl::RefusalFor(Admission admission, const Sender& from) const {
  if (admission == Admission::kUnknown) {
    return Refusal{RefusalReason::kTableFull, "", 0};
  }
  const RefusalReason reason = admission == Admission::kConflict
                                   ? RefusalReason::kNameConflict
                                   : RefusalReason::kSuperseded;
  const Member& holder = table_.Find(from.name)->member;
  return Refusal{reason, holder.address, holder.claim.generation};
}

}  // namespace sessionmesh::membership
