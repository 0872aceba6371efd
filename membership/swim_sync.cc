// The reliable plane: anti-entropy with a member, with a seed (joining), and
// with the dead (re-dial).

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "membership/limits.h"
#include "membership/scaling.h"
#include "membership/swim_impl.h"

namespace sessionmesh::membership {
namespace {

// Seeds called at a time while joining. One that answers is enough.
constexpr size_t kSeedDials = 3;

// A round of anti-entropy that brought news on either side is followed by the
// next one this many times sooner than usual: where some gossip has got lost,
// more of it has. So a mass join or a healed partition settles in a few short
// rounds, and the long interval is left for quiet times.
constexpr int kHaste = 10;

std::string Describe(const Refusal& refusal) {
  switch (refusal.reason) {
    case RefusalReason::kNotForMe:
      return "refused: not the node that was asked for";
    case RefusalReason::kNameConflict:
      return absl::StrCat("refused: the name is in use at ",
                          refusal.holder_address);
    case RefusalReason::kSuperseded:
      return absl::StrCat("refused: generation ", refusal.holder_generation,
                          " of the name is known, at ", refusal.holder_address);
    case RefusalReason::kTableFull:
      return "refused: members_max reached";
    case RefusalReason::kLeft:
      return "refused: the node is leaving";
  }
  return "refused";
}

}  // namespace

OpId SwimImpl::StartExchange(ExchangeKind kind, const Address& to,
                             RequestBody body, absl::Duration timeout) {
  ForgetOverdueExchanges();
  if (exchanges_.size() >= kExchangesMax) return 0;
  const OpId op = ++last_op_;
  exchanges_.emplace(op, PendingExchange{kind, to, now_.steady + 2 * timeout});
  effects_->exchanges.push_back(
      Exchange{op, to, Request{Me(), std::move(body)}, timeout});
  return op;
}

void SwimImpl::ForgetOverdueExchanges() {
  std::vector<OpId> overdue;
  for (const auto& [op, exchange] : exchanges_) {
    if (exchange.forget_at <= now_.steady) overdue.push_back(op);
  }
  for (const OpId op : overdue) {
    const std::optional<PendingExchange> exchange = TakeExchange(op);
    if (exchange.has_value()) ExchangeEnded(*exchange, "no answer");
  }
}

std::optional<SwimImpl::PendingExchange> SwimImpl::TakeExchange(OpId op) {
  const auto it = exchanges_.find(op);
  if (it == exchanges_.end()) return std::nullopt;
  PendingExchange exchange = std::move(it->second);
  exchanges_.erase(it);
  return exchange;
}

void SwimImpl::ExchangeEnded(const PendingExchange& exchange,
                             absl::string_view why) {
  switch (exchange.kind) {
    case ExchangeKind::kJoin:
      JoinDialFailed(absl::StrCat(exchange.to, ": ", why));
      break;
    case ExchangeKind::kGoodbye:
      --goodbyes_;
      CheckLeaveCompleted();
      break;
    case ExchangeKind::kProbe:  // its deadline decides
    case ExchangeKind::kSync:   // the next one is with somebody else
    case ExchangeKind::kPush:
      break;
  }
}

void SwimImpl::ReplyTo(CallId call, ReplyBody body) {
  effects_->answers.push_back(Answer{call, Reply{Me(), std::move(body)}});
}

// ---- Anti-entropy ----

void SwimImpl::TickSync() {
  if (ring_.empty() || next_sync_ > now_.steady) return;
  next_sync_ = now_.steady + SyncInterval(config_.sync_interval, table_.live());
  ForgetLongLeft();
  if (has_seeds_) effects_->want_seeds = true;
  const NodeName& partner = ring_.names()[random_.Below(ring_.size())];
  StartExchange(ExchangeKind::kSync, table_.Find(partner)->member.address,
                SyncRequest{table_.digest(), {}}, config_.exchange_timeout);
}

void SwimImpl::OnSyncRequest(CallId call, const Sender& from,
                             const SyncRequest& request) {
  if (from.name != self().name) FinishJoin(from.address);
  const size_t pushed = std::min(request.push.size(), kSyncMembersMax);
  for (size_t i = 0; i < pushed; ++i) Merge(request.push[i], Source::kSync);
  if (phase_ == Phase::kGone) {
    ReplyTo(call, Refusal{RefusalReason::kLeft, "", 0});
    return;
  }
  SyncReply reply;
  reply.digest = table_.digest();
  // Who pushes has just had our list.
  if (request.push.empty() && request.digest != reply.digest) {
    reply.members.reserve(table_.size());
    for (const auto& [name, record] : table_.records()) {
      reply.members.push_back(UpdateAbout(record.member));
    }
  }
  ReplyTo(call, std::move(reply));
}

void SwimImpl::OnSyncReply(const PendingExchange& exchange,
                           const SyncReply& sync) {
  if (exchange.kind == ExchangeKind::kGoodbye) {
    goodbye_heard_ = true;
    ExchangeEnded(exchange, "");
    return;
  }
  // To a newcomer everything is new; the seed's cluster knows it already.
  const bool newcomer =
      exchange.kind == ExchangeKind::kJoin && ring_.size() <= 1;
  const uint64_t version_before = table_.version();
  const size_t members = std::min(sync.members.size(), kSyncMembersMax);
  for (size_t i = 0; i < members; ++i) {
    Merge(sync.members[i], Source::kSync, !newcomer);
  }
  if (!running()) return;
  if (exchange.kind == ExchangeKind::kJoin) FinishJoin(exchange.to);
  const bool pushed = members > 0 && exchange.kind != ExchangeKind::kPush &&
                      PushLacking(exchange.to, sync.members);
  if (pushed || table_.version() != version_before) {
    const absl::Duration soon =
        SyncInterval(config_.sync_interval, table_.live()) / kHaste;
    next_sync_ = std::min(next_sync_, now_.steady + Jitter(soon, &random_));
  }
}

bool SwimImpl::PushLacking(const Address& to,
                           const std::vector<Update>& theirs) {
  std::map<NodeName, Claim> known;
  for (const Update& update : theirs) known.emplace(update.name, update.claim);
  SyncRequest request;
  for (const auto& [name, record] : table_.records()) {
    const auto it = known.find(name);
    const bool lacking = it == known.end()
                             ? record.member.claim.state != State::kLeft
                             : it->second < record.member.claim;
    if (lacking && name != self().name) {
      request.push.push_back(UpdateAbout(record.member));
    }
  }
  // Our own claim goes with every message; a risen incarnation is worth one.
  const auto own = known.find(self().name);
  const bool refuted = own == known.end() || own->second < self().claim;
  if (request.push.empty() && !refuted) return false;
  if (request.push.empty()) request.push.push_back(UpdateAbout(self()));
  request.digest = table_.digest();
  StartExchange(ExchangeKind::kPush, to, std::move(request),
                config_.exchange_timeout);
  return true;
}

void SwimImpl::OnRefusal(const PendingExchange& exchange,
                         const Refusal& refusal) {
  if (refusal.reason == RefusalReason::kSuperseded &&
      refusal.holder_generation > self().claim.generation) {
    Supersede(refusal.holder_generation, refusal.holder_address);
    return;
  }
  if (refusal.reason == RefusalReason::kNameConflict) {
    ReportConflict(table_.Find(self().name), refusal.holder_address);
  }
  ExchangeEnded(exchange, Describe(refusal));
}

// ---- Joining ----

void SwimImpl::SetSeeds(std::vector<Address> seeds) {
  seeds_.clear();
  seeds_are_self_ = !seeds.empty();
  for (Address& seed : seeds) {
    if (seed.empty() || seed.size() > kAddressBytesMax ||
        seed == self().address || own_aliases_.contains(seed)) {
      continue;
    }
    seeds_.push_back(std::move(seed));
  }
  std::sort(seeds_.begin(), seeds_.end());
  seeds_.erase(std::unique(seeds_.begin(), seeds_.end()), seeds_.end());
  if (seeds_.size() > kSeedsMax) seeds_.resize(kSeedsMax);
}

void SwimImpl::LearnAlias(const Address& alias) {
  if (own_aliases_.size() < kSeedsMax) own_aliases_.insert(alias);
  seeds_.erase(std::remove(seeds_.begin(), seeds_.end(), alias), seeds_.end());
}

void SwimImpl::TickJoin() {
  if (!joining_ || next_join_ > now_.steady) return;
  next_join_ = now_.steady + Jitter(join_wait_, &random_);
  join_wait_ = std::min(config_.join_retry_max, 2 * join_wait_);
  effects_->want_seeds = true;
  // With no address yet, the answer to want_seeds starts the calls.
  if (!seeds_.empty()) DialSeeds();
}

void SwimImpl::DialSeeds() {
  for (const size_t i : Sample(kSeedDials, seeds_.size(), &random_)) {
    if (StartExchange(ExchangeKind::kJoin, seeds_[i],
                      SyncRequest{table_.digest(), {}},
                      config_.exchange_timeout) != 0) {
      ++join_dials_;
    }
  }
  if (join_dials_ > 0) return;
  Emit(EventKind::kJoinFailed, self(), {}, "",
       !seeds_.empty()   ? "too many calls to other members are under way"
       : seeds_are_self_ ? "every seed is this node itself"
                         : "no seed resolves to an address");
}

void SwimImpl::JoinDialFailed(absl::string_view why) {
  if (!joining_ || join_dials_ == 0) return;
  if (--join_dials_ == 0) Emit(EventKind::kJoinFailed, self(), {}, "", why);
}

void SwimImpl::FinishJoin(const Address& seed) {
  if (!joining_) return;
  joining_ = false;
  Emit(EventKind::kJoinSucceeded, self(), {}, "", seed);
}

// ---- Re-dial ----

void SwimImpl::TickRedial() {
  if (!HasRedialTargets() || next_redial_ > now_.steady) return;
  next_redial_ = now_.steady + Jitter(config_.redial_interval, &random_);
  // Seeds have their own back-off while joining.
  const std::vector<Address> candidates = RedialCandidates();
  if (candidates.empty()) return;
  if (has_seeds_) effects_->want_seeds = true;
  const std::optional<Address> target =
      redial_.Pick(candidates, now_.steady, &random_);
  if (!target.has_value()) return;
  StartExchange(ExchangeKind::kSync, *target, SyncRequest{table_.digest(), {}},
                config_.exchange_timeout);
}

std::vector<Address> SwimImpl::RedialCandidates() const {
  // Where somebody lives, this node included, there is nobody to be found
  // again.
  std::set<Address> inhabited(own_aliases_);
  for (const auto& [name, record] : table_.records()) {
    if (IsLive(record.member.claim.state)) {
      inhabited.insert(record.member.address);
    }
  }
  std::set<Address> candidates;
  for (const NodeName& name : table_.dead()) {
    candidates.insert(table_.Find(name)->member.address);
  }
  if (!joining_) candidates.insert(seeds_.begin(), seeds_.end());
  std::vector<Address> result;
  std::set_difference(candidates.begin(), candidates.end(), inhabited.begin(),
                      inhabited.end(), std::back_inserter(result));
  return result;
}

}  // namespace sessionmesh::membership
