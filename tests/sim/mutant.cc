#include "tests/sim/mutant.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::sim {
namespace {

using replication::Frame;
using replication::PullReply;

// True for every n-th call.
class Every {
 public:
  explicit Every(uint64_t n) : n_(n) {}
  bool operator()() { return ++count_ % n_ == 0; }

 private:
  const uint64_t n_;
  uint64_t count_ = 0;
};

// ---- clients

class ForgetTokens : public Mutant {
 public:
  bool ForgetsTokens() const override { return true; }
};

class ForgetRequests : public Mutant {
 public:
  bool ForgetsRequests() const override { return true; }
};

// ---- messages between lanes

// The receiver takes a frame for empty and acknowledges it.
class SwallowFrames : public Mutant {
 public:
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    auto* frame = std::get_if<Frame>(message);
    if (frame != nullptr && each_()) frame->deltas.clear();
  }

 private:
  Every each_{3};
};

// A state arrives with its whole context and half of its lives.
class HalveStates : public Mutant {
 public:
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    auto* reply = std::get_if<PullReply>(message);
    if (reply == nullptr || reply->kind != PullReply::Kind::kState) return;
    auto& lives = reply->state.lives;
    lives.resize(lives.size() / 2);
  }
};

// Who is asked for what the asker lacks says that it lacks nothing.
class EmptyPulls : public Mutant {
 public:
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    auto* reply = std::get_if<PullReply>(message);
    if (reply == nullptr || (reply->kind != PullReply::Kind::kState &&
                             reply->kind != PullReply::Kind::kDeltas)) {
      return;
    }
    reply->kind = PullReply::Kind::kEqual;
    reply->deltas.clear();
    reply->state = {};
    reply->part = 0;
    reply->last = true;
  }
};

// An owner that lacks what a node wants to drop says that it has it instead of
// pulling it.
class ConsentBlindly : public Mutant {
 public:
  void BendLaneMessage(const Scene&, const Process& to,
                       replication::Message* message) override {
    if (const auto* ask = std::get_if<replication::DropAsk>(message)) {
      attempts_[ask->slot] = ask->attempt;
      return;
    }
    const auto* pull = std::get_if<replication::Pull>(message);
    if (pull == nullptr ||
        to.phase(pull->slot) != replication::Phase::kLeaving) {
      return;
    }
    const auto attempt = attempts_.find(pull->slot);
    if (attempt == attempts_.end()) return;
    *message = replication::DropConsent{pull->slot, attempt->second};
  }

 private:
  std::map<SlotId, uint64_t> attempts_;
};

// Changes one delta of a frame.
class BendDeltas : public Mutant {
 public:
  explicit BendDeltas(uint64_t each) : each_(each) {}
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    auto* frame = std::get_if<Frame>(message);
    if (frame == nullptr) return;
    for (DeltaPtr& delta : frame->deltas) {
      Delta copy = *delta;
      if (!Bend(&copy) || !each_()) continue;
      delta = std::make_shared<const Delta>(std::move(copy));
    }
  }

 protected:
  // Whether it is one of those that can be bent so.
  virtual bool Bend(Delta* delta) = 0;

 private:
  Every each_;
};

class FlipValues : public BendDeltas {
 public:
  FlipValues() : BendDeltas(20) {}

 protected:
  bool Bend(Delta* delta) override {
    if (delta->kind != Delta::Kind::kUpdate || delta->ops.empty()) return false;
    delta->ops.front().value += "!";
    return delta->ops.front().kind == replication::Op::Kind::kPut;
  }
};

// A deletion that takes its dot and misses its session.
class MisaimKills : public BendDeltas {
 public:
  MisaimKills() : BendDeltas(2) {}

 protected:
  bool Bend(Delta* delta) override {
    if (delta->kind != Delta::Kind::kKill) return false;
    delta->births = {delta->last()};
    return true;
  }
};

class DropDependencies : public BendDeltas {
 public:
  DropDependencies() : BendDeltas(1) {}

 protected:
  bool Bend(Delta* delta) override {
    if (delta->deps.empty()) return false;
    delta->deps.clear();
    return true;
  }
};

// Peers hear that an actor is of another process than it is.
class ShareActors : public Mutant {
 public:
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    auto* hello = std::get_if<replication::Hello>(message);
    if (hello == nullptr || hello->actors.empty() || !each_()) return;
    hello->actors.front().process ^= 1;
  }

 private:
  Every each_{10};
};

// ---- bytes

// Every so many messages lose their end.
class CutShort : public Mutant {
 public:
  explicit CutShort(Wire wire) : wire_(wire) {}
  void BendBytes(Wire wire, std::string* bytes) override {
    if (wire == wire_ && !bytes->empty() && each_()) bytes->pop_back();
  }

 private:
  const Wire wire_;
  Every each_{100};
};

// ---- answers

class RepeatReplies : public Mutant {
 public:
  bool RepeatsReply() override { return each_(); }

 private:
  Every each_{10};
};

class InflateReplicas : public Mutant {
 public:
  void BendReply(const Scene&, const Process&, const Operation& operation,
                 replication::Reply* reply) override {
    if (operation.IsWrite() && reply->status.ok()) reply->replicas += 1;
  }
};

class HideDegraded : public Mutant {
 public:
  void BendReply(const Scene&, const Process&, const Operation& operation,
                 replication::Reply* reply) override {
    if (operation.command.kind == Command::Kind::kGet) reply->degraded = false;
  }
};

class ShowOldValues : public Mutant {
 public:
  void BendReply(const Scene&, const Process&, const Operation&,
                 replication::Reply* reply) override {
    if (!reply->session.has_value() || reply->session->attributes.empty() ||
        !each_())
      return;
    reply->session->attributes.begin()->second = "the value before";
  }

 private:
  Every each_{10};
};

// Answers some successful reads with an error.
class FailReads : public Mutant {
 public:
  FailReads(replication::Reason reason, absl::StatusCode code, bool audit)
      : reason_(reason), code_(code), audit_(audit) {}
  void BendReply(const Scene&, const Process&, const Operation& operation,
                 replication::Reply* reply) override {
    if (operation.command.kind != Command::Kind::kGet || !reply->status.ok())
      return;
    if (operation.audit != audit_ || !each_()) return;
    reply->status = absl::Status(code_, "made by a mutant");
    reply->failure.reason = reason_;
  }

 private:
  const replication::Reason reason_;
  const absl::StatusCode code_;
  const bool audit_;
  Every each_{10};
};

// ---- starts and clocks

// Nodes that allow themselves more than the checker allows them.
class LiftLimit : public Mutant {
 public:
  explicit LiftLimit(size_t replication::Config::*limit) : limit_(limit) {}
  void BendStart(ProcessOptions* options) override {
    options->replication.*limit_ *= 64;
  }

 private:
  size_t replication::Config::*const limit_;
};

// ... and whose frames nobody acknowledges, so that they queue.
class LiftStreamLimit : public LiftLimit {
 public:
  using LiftLimit::LiftLimit;
  void BendLaneMessage(const Scene&, const Process&,
                       replication::Message* message) override {
    if (auto* ack = std::get_if<replication::FrameAck>(message)) ack->seq = 0;
  }
};

class WrongClock : public Mutant {
 public:
  explicit WrongClock(int64_t drift_ppm) : drift_ppm_(drift_ppm) {}
  void BendClock(HostId host, HostClock* clock) override {
    if (host == 0) clock->drift_ppm = drift_ppm_;
  }

 private:
  const int64_t drift_ppm_;
};

class StayBroken : public Mutant {
 public:
  bool NeverHeals() const override { return true; }
};

// ---- membership

class BendUpdates : public Mutant {
 public:
  void BendDatagram(const Scene&, const Process& to,
                    membership::Datagram* datagram) override {
    for (membership::Update& update : datagram->updates) {
      if (update.name != to.name()) Bend(&update);
    }
  }

 protected:
  virtual void Bend(membership::Update* update) = 0;
};

class RaiseIncarnations : public BendUpdates {
 protected:
  void Bend(membership::Update* update) override {
    update->claim.incarnation += 1;
  }
};

class MixAddresses : public BendUpdates {
 protected:
  void Bend(membership::Update* update) override {
    update->address = "10.9.9.9:7401";
  }
};

class DoubtTheLeft : public BendUpdates {
 protected:
  void Bend(membership::Update* update) override {
    if (update->claim.state != membership::State::kLeft) return;
    update->claim.state = membership::State::kSuspect;
    update->claim.incarnation += 1;
    update->accuser = "n1";
  }
};

class HideSuspicions : public Mutant {
 public:
  void BendEvent(membership::Event* event) override {
    if (event->kind == membership::EventKind::kSuspected) {
      event->kind = membership::EventKind::kIsolated;
    }
  }
};

}  // namespace

const std::vector<MutantInfo>& Mutants() {
  static const auto& all = *new std::vector<MutantInfo>{
      {"forget_tokens_reads_writes", "read_your_writes", "mixed",
       "clients present no tokens"},
      {"forget_tokens_reads", "monotonic_reads", "mixed",
       "clients present no tokens"},
      {"forget_tokens_writes", "monotonic_writes", "mixed",
       "clients present no tokens"},
      {"forget_tokens_writes_reads", "writes_follow_reads", "mixed",
       "clients present no tokens"},
      {"show_old_values", "truthful_answers", "calm",
       "every tenth answer shows an old value"},
      {"swallow_frames", "honest_acknowledgements", "calm",
       "frames are acknowledged unread"},
      {"inflate_replicas", "honest_acknowledgements", "calm",
       "answers claim one replica more"},
      {"inflate_lost_replicas", "no_lost_writes", "mixed",
       "answers claim one replica more"},
      {"misaim_kills", "no_zombies", "calm",
       "a KILL takes its dot and misses its session"},
      {"invent_not_found", "certain_not_found", "calm",
       "reads find nothing now and then"},
      {"invent_data_loss", "certain_data_loss", "calm",
       "reads report a loss now and then"},
      {"fast_clock", "timely_expiry", "expiry",
       "a clock runs a quarter too fast"},
      {"slow_clock", "timely_expiry", "expiry",
       "a clock runs a quarter too slow"},
      {"forget_requests", "once_per_request", "slow",
       "a retry has a new request id"},
      {"refuse_audit", "calm_audit", "calm", "a settled node says UNAVAILABLE"},
      {"halve_states", "slot_states", "churn",
       "half of a state with all of its context"},
      {"consent_blindly", "last_copies", "handover",
       "owners consent to a drop of what they do not have"},
      {"drop_dependencies", "causal_closure", "mixed",
       "deltas come without dependencies"},
      {"misaim_kills_states", "equal_states", "calm",
       "a KILL takes its dot and misses its session"},
      {"flip_values", "unique_dots", "calm", "a value changes on its way"},
      {"share_actors", "unique_dots", "calm",
       "an actor belongs to two processes"},
      {"lift_queue_limit", "bounds", "overflow", "queues beyond the limit",
       "queues"},
      {"lift_calls_limit", "bounds", "overflow", "too many calls wait",
       "calls waiting"},
      {"lift_parked_limit", "bounds", "overflow", "too much is parked",
       "parks"},
      {"lift_memory_limit", "bounds", "memory", "sessions beyond the memory",
       "bytes of sessions"},
      {"empty_pulls", "quorum_reads", "quorum",
       "owners that are asked answer without what they hold"},
      {"hide_degraded", "quorum_reads", "quorum",
       "a quorum read that reached too few does not say so"},
      {"repeat_replies", "replies", "calm", "every tenth answer comes twice"},
      {"cut_datagrams", "codec", "calm", "datagrams lose their last byte"},
      {"cut_batches", "codec", "calm",
       "messages of streams lose their last byte"},
      {"misaim_kills_mismatch", "state_mismatch", "calm",
       "a KILL takes its dot and misses its session"},
      {"stay_broken", "liveness", "partition", "the network never heals"},
      {"raise_incarnations", "member_claims", "mixed",
       "gossip raises incarnations of others"},
      {"mix_addresses", "member_claims", "mixed", "gossip changes addresses"},
      {"doubt_the_left", "member_claims", "churn", "who has left is suspected"},
      {"hide_suspicions", "member_events", "mixed", "suspicions are not told"},
  };
  return all;
}

const MutantInfo* FindMutant(absl::string_view name) {
  for (const MutantInfo& mutant : Mutants()) {
    if (mutant.name == name) return &mutant;
  }
  return nullptr;
}

std::unique_ptr<Mutant> MakeMutant(absl::string_view name) {
  using replication::Reason;
  const auto is = [name](absl::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  };
  if (is("forget_tokens")) return std::make_unique<ForgetTokens>();
  if (is("show_old_values")) return std::make_unique<ShowOldValues>();
  if (is("swallow_frames")) return std::make_unique<SwallowFrames>();
  if (is("inflate")) return std::make_unique<InflateReplicas>();
  if (is("misaim_kills")) return std::make_unique<MisaimKills>();
  if (is("invent_not_found")) {
    return std::make_unique<FailReads>(Reason::kSessionNotFound,
                                       absl::StatusCode::kNotFound,
                                       /*audit=*/false);
  }
  if (is("invent_data_loss")) {
    return std::make_unique<FailReads>(Reason::kWriteLost,
                                       absl::StatusCode::kDataLoss,
                                       /*audit=*/false);
  }
  if (is("refuse_audit")) {
    return std::make_unique<FailReads>(Reason::kStale,
                                       absl::StatusCode::kUnavailable,
                                       /*audit=*/true);
  }
  if (is("fast_clock")) return std::make_unique<WrongClock>(250000);
  if (is("slow_clock")) return std::make_unique<WrongClock>(-250000);
  if (is("forget_requests")) return std::make_unique<ForgetRequests>();
  if (is("halve_states")) return std::make_unique<HalveStates>();
  if (is("consent_blindly")) return std::make_unique<ConsentBlindly>();
  if (is("drop_dependencies")) return std::make_unique<DropDependencies>();
  if (is("flip_values")) return std::make_unique<FlipValues>();
  if (is("share_actors")) return std::make_unique<ShareActors>();
  if (is("repeat_replies")) return std::make_unique<RepeatReplies>();
  if (is("cut_datagrams")) return std::make_unique<CutShort>(Wire::kDatagram);
  if (is("cut_batches")) return std::make_unique<CutShort>(Wire::kStream);
  using replication::Config;
  if (is("lift_queue_limit"))
    return std::make_unique<LiftStreamLimit>(&Config::queue_bytes_max);
  if (is("lift_calls_limit"))
    return std::make_unique<LiftLimit>(&Config::waiting_calls_max);
  if (is("lift_parked_limit"))
    return std::make_unique<LiftLimit>(&Config::parked_bytes_max);
  if (is("lift_memory_limit"))
    return std::make_unique<LiftLimit>(&Config::lane_bytes_max);
  if (is("empty_pulls")) return std::make_unique<EmptyPulls>();
  if (is("hide_degraded")) return std::make_unique<HideDegraded>();
  if (is("stay_broken")) return std::make_unique<StayBroken>();
  if (is("raise_incarnations")) return std::make_unique<RaiseIncarnations>();
  if (is("mix_addresses")) return std::make_unique<MixAddresses>();
  if (is("doubt_the_left")) return std::make_unique<DoubtTheLeft>();
  if (is("hide_suspicions")) return std::make_unique<HideSuspicions>();
  LOG(FATAL) << "no mutant " << name;
}

}  // namespace sessionmesh::sim
