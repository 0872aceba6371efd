// Failure detection: the probe of one member per interval, directly, then
// through helpers and on the reliable plane at the same time; and the answers
// to the probes of others.

#include <algorithm>

#include "membership/swim_impl.h"

namespace sessionmesh::membership {
namespace {

// One lost datagram is no sign of blocked UDP; this many probes in a row are.
constexpr int kReliableOnlyProbes = 3;

}  // namespace

void SwimImpl::TickProbe() {
  if (probe_.has_value() && probe_->deadline <= now_.steady) {
    if (probe_->stage == ProbeStage::kDirect) {
      StartIndirectProbe();
    } else {
      Accuse(probe_->target, probe_->claim);
      probe_.reset();
    }
  }
  if (probe_.has_value() || ring_.empty() || next_probe_ > now_.steady) return;
  next_probe_ += config_.probe_interval;
  // A shell that was held up does not catch up on missed probes.
  if (next_probe_ <= now_.steady) {
    next_probe_ = now_.steady + config_.probe_interval;
  }
  StartProbe();
}

void SwimImpl::StartProbe() {
  const Member& target = table_.Find(ring_.Next(&random_))->member;
  Probe probe;
  probe.sequence = ++last_sequence_;
  probe.target = target.name;
  probe.claim = target.claim;
  probe.start = now_.steady;
  probe.deadline = now_.steady + config_.probe_timeout;
  probe_ = probe;
  SendDatagram(target.address,
               Ping{probe.sequence, target.name, target.claim.generation});
}

void SwimImpl::StartIndirectProbe() {
  probe_->stage = ProbeStage::kIndirect;
  // Even if this tick is late, helpers get the time they need: being late is
  // our fault, not the target's (scylla efe0e39d85).
  probe_->deadline =
      std::max(probe_->start + config_.probe_interval,
               now_.steady + config_.probe_interval - config_.probe_timeout);
  const Record* target = table_.Find(probe_->target);
  if (target == nullptr ||
      target->member.claim.generation != probe_->claim.generation ||
      !IsLive(target->member.claim.state)) {
    probe_.reset();
    return;
  }
  for (const NodeName& helper : Helpers(probe_->target)) {
    SendDatagram(
        table_.Find(helper)->member.address,
        PingReq{probe_->sequence, probe_->target, probe_->claim.generation});
  }
  probe_->op =
      StartExchange(ExchangeKind::kProbe, target->member.address,
                    ReliablePing{probe_->target, probe_->claim.generation},
                    probe_->deadline - now_.steady);
}

std::vector<NodeName> SwimImpl::Helpers(const NodeName& target) {
  std::vector<NodeName> alive;
  std::vector<NodeName> suspects;
  for (const NodeName& name : ring_.names()) {
    if (name == target) continue;
    const State state = table_.Find(name)->member.claim.state;
    (state == State::kAlive ? alive : suspects).push_back(name);
  }
  // Suspects help only where there are too few others.
  const size_t wanted = static_cast<size_t>(config_.indirect_probes);
  std::vector<NodeName> helpers;
  for (const std::vector<NodeName>* group : {&alive, &suspects}) {
    for (const size_t i :
         Sample(wanted - helpers.size(), group->size(), &random_)) {
      helpers.push_back((*group)[i]);
    }
  }
  return helpers;
}

void SwimImpl::OnPing(const Sender& from, const Ping& ping) {
  if (ping.target != self().name) return;
  const Generation own = self().claim.generation;
  if (ping.target_generation == own) {
    const Record* sender = table_.Find(from.name);
    const bool dead =
        sender != nullptr && sender->member.claim.state == State::kDead;
    SendDatagram(from.address, Ack{ping.sequence, self().name, own},
                 dead ? from.name : "");
  } else if (ping.target_generation < own) {
    // It looks for the process before this one. No Ack, but it shall know who
    // is here now.
    SendDatagram(from.address, Gossip(), self().name);
  }
}

void SwimImpl::OnPingReq(const Sender& from, const PingReq& request) {
  if (request.target == self().name) {
    OnPing(from,
           Ping{request.sequence, request.target, request.target_generation});
    return;
  }
  const Record* target = table_.Find(request.target);
  if (target == nullptr ||
      target->member.claim.generation != request.target_generation) {
    return;
  }
  Relay relay;
  relay.sequence = ++last_sequence_;
  relay.target = request.target;
  relay.target_generation = request.target_generation;
  relay.asker = from.address;
  relay.asker_sequence = request.sequence;
  relay.expires = now_.steady + config_.probe_interval;
  relays_.Add(relay);
  SendDatagram(target->member.address,
               Ping{relay.sequence, relay.target, relay.target_generation});
}

void SwimImpl::OnAck(const Sender& from, const Ack& ack) {
  if (probe_.has_value() && probe_->sequence == ack.sequence) {
    if (probe_->target != ack.subject ||
        probe_->claim.generation != ack.subject_generation) {
      return;
    }
    probe_.reset();
    if (from.name != ack.subject) return;
    Record* target = table_.Find(ack.subject);
    if (target == nullptr) return;
    if (target->reliable_only_probes >= kReliableOnlyProbes) {
      Emit(EventKind::kDatagramsWork, target->member);
    }
    target->reliable_only_probes = 0;
    return;
  }
  const std::optional<Relay> relay = relays_.Match(
      ack.sequence, ack.subject, ack.subject_generation, now_.steady);
  if (!relay.has_value()) return;
  SendDatagram(relay->asker,
               Ack{relay->asker_sequence, ack.subject, ack.subject_generation});
}

void SwimImpl::OnReliableAck(OpId op, const Sender& from) {
  if (!probe_.has_value() || probe_->op != op || from.name != probe_->target ||
      from.generation != probe_->claim.generation) {
    return;
  }
  Record* target = table_.Find(probe_->target);
  probe_.reset();
  if (target == nullptr ||
      target->reliable_only_probes >= kReliableOnlyProbes) {
    return;
  }
  if (++target->reliable_only_probes == kReliableOnlyProbes) {
    Emit(EventKind::kDatagramsBlocked, target->member);
  }
}

}  // namespace sessionmesh::membership
