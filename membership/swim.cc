#include "membership/swim.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "membership/limits.h"
#include "membership/swim_impl.h"

namespace sessionmesh::membership {
namespace {

// To how many members the goodbye is sent on the reliable plane besides gossip,
// so that it arrives even where UDP does not.
constexpr size_t kGoodbyes = 3;

// An isolated node says so after this many probe intervals of silence.
constexpr int kSilentIntervals = 2;

Member FirstSelf(const Self& self) {
  Member member;
  member.name = self.name;
  member.address = self.address;
  member.claim = Claim{self.generation, 0, State::kAlive};
  member.zone = self.zone;
  return member;
}

}  // namespace

class SwimImpl::Call {
 public:
  Call(SwimImpl* swim, Instant now, Effects* effects) : swim_(swim) {
    DCHECK(now.steady >= swim->now_.steady) << "steady time went back";
    swim_->now_ = now;
    swim_->effects_ = effects;
  }
  ~Call() { swim_->effects_ = nullptr; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  SwimImpl* swim_;
};

SwimImpl::SwimImpl(const Config& config, const Self& self, uint64_t seed,
                   Instant now)
    : config_(config),
      random_(seed),
      table_(FirstSelf(self), now),
      redial_(config_.redial_interval, config_.redial_backoff_max),
      now_(now),
      // An Ack to a former process of this name must not match a probe of this
      // one.
      last_sequence_(random_.Below(uint64_t{1} << 32)),
      next_probe_(now.steady),
      next_gossip_(now.steady),
      next_sync_(now.steady),
      next_redial_(now.steady + Stagger(config_.redial_interval)),
      last_heard_(now.steady) {
  queue_.Add(UpdateAbout(table_.self().member));
}

void SwimImpl::Join(std::vector<Address> seeds, Instant now, Effects* effects) {
  const Call call(this, now, effects);
  if (!running()) return;
  has_seeds_ = true;
  joining_ = true;
  join_dials_ = 0;
  join_wait_ = config_.join_retry_min;
  next_join_ = now_.steady;
  SetSeeds(std::move(seeds));
  TickJoin();
}

void SwimImpl::Leave(Instant now, Effects* effects) {
  const Call call(this, now, effects);
  if (!running()) return;
  phase_ = Phase::kLeaving;
  leave_deadline_ = now_.steady + config_.leave_timeout;
  probe_.reset();
  joining_ = false;
  const Claim previous = self().claim;
  Update goodbye = UpdateAbout(self());
  goodbye.claim.state = State::kLeft;
  table_.Change(table_.Find(self().name), goodbye, now_);
  queue_.Add(goodbye);
  Emit(EventKind::kLeaving, self(), previous);
  for (const size_t i : Sample(kGoodbyes, ring_.size(), &random_)) {
    const Record* member = table_.Find(ring_.names()[i]);
    if (StartExchange(ExchangeKind::kGoodbye, member->member.address,
                      SyncRequest{table_.digest(), {goodbye}},
                      config_.leave_timeout) != 0) {
      ++goodbyes_;
    }
  }
  CheckLeaveCompleted();
}

void SwimImpl::Step(const Message& message, Instant now, Effects* effects) {
  const Call call(this, now, effects);
  std::visit([this](const auto& received) { Receive(received); }, message);
}

void SwimImpl::Tick(Instant now, Effects* effects) {
  const Call call(this, now, effects);
  if (running()) {
    TickProbe();
    ExpireSuspicions();
    TickSync();
    TickJoin();
    TickRedial();
    CheckIsolation();
  }
  // Last, so that what was just found out is on its way at once.
  if (phase_ != Phase::kGone) TickGossip();
  CheckLeaveCompleted();
}

absl::Time SwimImpl::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  if (phase_ == Phase::kGone) return next;
  if (!queue_.empty() && HasGossipTargets(next_gossip_)) next = next_gossip_;
  if (phase_ == Phase::kLeaving) return std::min(next, leave_deadline_);

  if (probe_.has_value()) {
    next = std::min(next, probe_->deadline);
  } else if (!ring_.empty()) {
    next = std::min(next, next_probe_);
  }
  next = std::min(next, suspicions_.NextDeadline());
  if (!ring_.empty()) {
    next = std::min(next, next_sync_);
    if (!table_.isolated()) next = std::min(next, IsolationDeadline());
  }
  if (joining_) next = std::min(next, next_join_);
  if (HasRedialTargets()) next = std::min(next, next_redial_);
  return next;
}

void SwimImpl::Receive(const DatagramReceived& received) {
  const Datagram& datagram = received.datagram;
  const Sender& from = datagram.from;
  if (phase_ == Phase::kGone || !MaySpeak(from)) return;
  const Admission admission = Admit(from);
  if (admission == Admission::kSelf) return;
  Heard();
  if (admission == Admission::kConflict ||
      admission == Admission::kSuperseded) {
    return;
  }

  // What it says about us may change our answer: updates first.
  const size_t updates = std::min(datagram.updates.size(), kDatagramUpdatesMax);
  for (size_t i = 0; i < updates; ++i) {
    Merge(datagram.updates[i], Source::kGossip);
  }
  if (phase_ == Phase::kGone) return;

  if (const auto* ping = std::get_if<Ping>(&datagram.body)) {
    OnPing(from, *ping);
    return;
  }
  if (const auto* request = std::get_if<PingReq>(&datagram.body)) {
    OnPingReq(from, *request);
  }
  if (const auto* ack = std::get_if<Ack>(&datagram.body)) OnAck(from, *ack);
  Record* sender = table_.Find(from.name);
  if (sender != nullptr && sender->member.claim.state == State::kDead) {
    Tell(sender, from.address);
  }
}

void SwimImpl::Receive(const RequestReceived& received) {
  const Sender& from = received.request.from;
  if (!MaySpeak(from)) {
    ReplyTo(received.call, Refusal{RefusalReason::kNotForMe, "", 0});
    return;
  }
  Admission admission = Admission::kUnknown;
  if (phase_ != Phase::kGone) {
    admission = Admit(from);
    if (admission != Admission::kSelf) Heard();
  }
  if (phase_ == Phase::kGone) {
    ReplyTo(received.call, Refusal{RefusalReason::kLeft, "", 0});
    return;
  }
  if (admission == Admission::kConflict ||
      admission == Admission::kSuperseded) {
    ReplyTo(received.call, RefusalFor(admission, from));
    return;
  }
  if (const auto* ping = std::get_if<ReliablePing>(&received.request.body)) {
    const bool for_me = ping->target == self().name &&
                        ping->target_generation == self().claim.generation;
    if (for_me) {
      ReplyTo(received.call, ReliableAck());
    } else {
      ReplyTo(received.call, Refusal{RefusalReason::kNotForMe, "", 0});
    }
    return;
  }
  if (phase_ == Phase::kLeaving) {
    ReplyTo(received.call, Refusal{RefusalReason::kLeft, "", 0});
  } else if (admission == Admission::kUnknown) {
    ReplyTo(received.call, RefusalFor(admission, from));
  } else {
    OnSyncRequest(received.call, from,
                  std::get<SyncRequest>(received.request.body));
  }
}

void SwimImpl::Receive(const ReplyReceived& received) {
  const std::optional<PendingExchange> exchange = TakeExchange(received.op);
  if (!exchange.has_value() || phase_ == Phase::kGone) return;
  const Sender& from = received.reply.from;
  if (!MaySpeak(from)) {
    ExchangeEnded(*exchange, "the answer names no valid sender");
    return;
  }
  const Admission admission = Admit(from);
  if (phase_ == Phase::kGone) return;
  if (admission == Admission::kSelf) {
    LearnAlias(exchange->to);
    ExchangeEnded(*exchange, "the seed is this node itself");
    return;
  }
  Heard();
  if (const auto* refusal = std::get_if<Refusal>(&received.reply.body)) {
    OnRefusal(*exchange, *refusal);
    return;
  }
  if (admission != Admission::kAdmitted) {
    ExchangeEnded(*exchange,
                  absl::StrCat(from.name, " is not accepted as a member"));
    return;
  }
  other_clusters_.erase(exchange->to);
  if (exchange->kind == ExchangeKind::kProbe) {
    if (std::holds_alternative<ReliableAck>(received.reply.body)) {
      OnReliableAck(received.op, from);
    }
  } else if (const auto* sync = std::get_if<SyncReply>(&received.reply.body)) {
    OnSyncReply(*exchange, *sync);
  } else {
    ExchangeEnded(*exchange, "the answer does not fit the question");
  }
}

void SwimImpl::Receive(const ExchangeFailed& failed) {
  const std::optional<PendingExchange> exchange = TakeExchange(failed.op);
  if (!exchange.has_value() || phase_ == Phase::kGone) return;
  if (failed.error == ExchangeError::kOtherCluster &&
      other_clusters_.size() < kSeedsMax &&
      other_clusters_.insert(exchange->to).second) {
    Emit(EventKind::kOtherCluster, self(), {}, "", exchange->to);
  }
  ExchangeEnded(*exchange, failed.detail);
}

void SwimImpl::Receive(const SeedsResolved& seeds) {
  if (!running() || !has_seeds_) return;
  if (!seeds.addresses.empty()) SetSeeds(seeds.addresses);
  if (joining_ && join_dials_ == 0) DialSeeds();
}

void SwimImpl::Heard() {
  last_heard_ = now_.steady;
  if (!table_.isolated()) return;
  table_.set_isolated(false);
  Emit(EventKind::kNotIsolated, self());
}

absl::Time SwimImpl::IsolationDeadline() const {
  return last_heard_ + kSilentIntervals * config_.probe_interval;
}

void SwimImpl::CheckIsolation() {
  if (ring_.empty() || table_.isolated() || now_.steady < IsolationDeadline()) {
    return;
  }
  table_.set_isolated(true);
  Emit(EventKind::kIsolated, self());
}

void SwimImpl::CheckLeaveCompleted() {
  if (phase_ != Phase::kLeaving) return;
  const bool gossiped = ring_.empty() || !queue_.Contains(self().name);
  const bool delivered = goodbye_heard_ || goodbyes_ == 0;
  if ((gossiped && delivered) || now_.steady >= leave_deadline_) BecomeGone();
}

void SwimImpl::BecomeGone() {
  const bool was_leaving = phase_ == Phase::kLeaving;
  phase_ = Phase::kGone;
  probe_.reset();
  joining_ = false;
  exchanges_.clear();
  if (was_leaving) Emit(EventKind::kLeaveCompleted, self());
}

absl::Duration SwimImpl::Stagger(absl::Duration interval) {
  return absl::Nanoseconds(
      random_.Between(0, absl::ToInt64Nanoseconds(interval)));
}

Sender SwimImpl::Me() const {
  return Sender{self().name, self().address, self().claim.generation,
                self().claim.incarnation, self().zone};
}

void SwimImpl::Emit(EventKind kind, const Member& member,
                    const std::optional<Claim>& previous,
                    const NodeName& accuser, absl::string_view detail) {
  Event event;
  event.kind = kind;
  event.at = now_.wall;
  event.member = member;
  event.previous = previous;
  event.accuser = accuser;
  event.detail = std::string(detail);
  effects_->events.push_back(std::move(event));
}

Swim::Swim(const Config& config, const Self& self, uint64_t seed, Instant now) {
  CHECK(config.Validate().ok()) << config.Validate();
  const Sender sender{self.name, self.address, self.generation, 0, self.zone};
  CHECK(IsValid(sender))
      << "name, address, zone or generation of this node beyond limits.h";
  impl_ = std::make_unique<SwimImpl>(config, self, seed, now);
}

Swim::~Swim() = default;
Swim::Swim(Swim&&) noexcept = default;
Swim& Swim::operator=(Swim&&) noexcept = default;

void Swim::Join(std::vector<Address> seeds, Instant now, Effects* effects) {
  impl_->Join(std::move(seeds), now, effects);
}
void Swim::Leave(Instant now, Effects* effects) { impl_->Leave(now, effects); }
void Swim::Step(const Message& message, Instant now, Effects* effects) {
  impl_->Step(message, now, effects);
}
void Swim::Tick(Instant now, Effects* effects) { impl_->Tick(now, effects); }
absl::Time Swim::NextDeadline() const { return impl_->NextDeadline(); }
ViewPtr Swim::view() const { return impl_->table().view(); }
uint64_t Swim::view_version() const { return impl_->table().version(); }

}  // namespace sessionmesh::membership
