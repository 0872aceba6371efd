#ifndef MEMBERSHIP_SWIM_IMPL_H_
#define MEMBERSHIP_SWIM_IMPL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/config.h"
#include "membership/effects.h"
#include "membership/gossip_queue.h"
#include "membership/instant.h"
#include "membership/member_table.h"
#include "membership/message.h"
#include "membership/probe_ring.h"
#include "membership/random.h"
#include "membership/redial.h"
#include "membership/relays.h"
#include "membership/suspicion.h"
#include "membership/swim.h"

namespace sessionmesh::membership {

// The inside of Swim; nobody else includes this. One file for each concern:
//
//   swim.cc         entry points, dispatch, the order of timers
//   swim_merge.cc   which claim wins, what follows from it; refutation
//   swim_admit.cc   who may speak: own name, superseded and conflicting senders
//   swim_probe.cc   probes, relays, acks
//   swim_gossip.cc  filling datagrams, the gossip tick, telling the dead
//   swim_sync.cc    calls on the reliable plane, anti-entropy, joining, re-dial
class SwimImpl {
 public:
  SwimImpl(const Config& config, const Self& self, uint64_t seed, Instant now);

  void Join(std::vector<Address> seeds, Instant now, Effects* effects);
  void Leave(Instant now, Effects* effects);
  void Step(const Message& message, Instant now, Effects* effects);
  void Tick(Instant now, Effects* effects);
  absl::Time NextDeadline() const;
  const MemberTable& table() const { return table_; }

 private:
  enum class Phase {
    kRunning,
    kLeaving,  // has said goodbye; still answers, does not probe
    kGone,     // left or superseded: silent
  };

  // How a claim came here.
  enum class Source {
    kFirstHand,  // the sender about itself
    kGossip,     // with a datagram
    kSync,       // by anti-entropy: may be arbitrarily old
  };

  // What to do with a message, by its sender.
  enum class Admission {
    kAdmitted,
    kSelf,        // our own words
    kConflict,    // uses the name of a live member, or ours, at another address
    kSuperseded,  // a higher generation of its name is known
    kUnknown,     // no room to know it
  };

  enum class ProbeStage { kDirect, kIndirect };

  struct Probe {
    uint64_t sequence = 0;
    NodeName target;
    Claim claim;  // as it was known when the probe started: what a failure
                  // accuses
    ProbeStage stage = ProbeStage::kDirect;
    absl::Time start;
    absl::Time deadline;  // of the stage
    OpId op = 0;          // of the reliable ping; 0 while there is none
  };

  enum class ExchangeKind { kProbe, kJoin, kSync, kPush, kGoodbye };

  struct PendingExchange {
    ExchangeKind kind = ExchangeKind::kSync;
    Address to;
    absl::Time forget_at;  // if the shell should break its promise to answer
  };

  // swim.cc
  // Makes `now` and `effects` of a public call available to everything below
  // it.
  class Call;
  void Receive(const DatagramReceived& received);
  void Receive(const RequestReceived& received);
  void Receive(const ReplyReceived& received);
  void Receive(const ExchangeFailed& failed);
  void Receive(const SeedsResolved& seeds);
  void Heard();
  absl::Time IsolationDeadline() const;
  void CheckIsolation();
  void CheckLeaveCompleted();
  void BecomeGone();
  bool running() const { return phase_ == Phase::kRunning; }
  const Member& self() const { return table_.self().member; }
  // Uniform in [0, interval].
  absl::Duration Stagger(absl::Duration interval);
  Sender Me() const;
  void Emit(EventKind kind, const Member& member,
            const std::optional<Claim>& previous = {},
            const NodeName& accuser = "", absl::string_view detail = "");

  // swim_admit.cc
  // Whether what it says of itself can be true.
  bool MaySpeak(const Sender& from) const;
  Admission Admit(const Sender& from);
  Admission AdmitOwnName(const Sender& from);
  void ReportConflict(Record* holder, const Address& newcomer);
  void Supersede(Generation generation, const Address& address);
  Refusal RefusalFor(Admission admission, const Sender& from) const;

  // swim_merge.cc
  // Takes `update` over if it beats what is known. `spread` puts news into the
  // gossip queue.
  void Merge(const Update& update, Source source, bool spread = true);
  void MergeUnknown(const Update& update, Source source, bool spread);
  void MergeAboutSelf(const Update& update);
  // Further ahead than any start of a process can be, see limits.h.
  bool IsMadeUp(Generation generation) const;
  bool MakeRoom(const Update& newcomer);
  void Apply(Record* record, const Update& update, bool spread);
  // Timers and the ring after a change of `record`.
  void Follow(Record* record, bool was_live);
  void Confirm(Record* record, const NodeName& accuser);
  void Accuse(const NodeName& name, const Claim& claim);
  void ExpireSuspicions();
  void Refute(Incarnation accused, const NodeName& accuser);
  void Forget(const NodeName& name);
  void ForgetLongLeft();
  void AddToRing(const NodeName& name);

  // swim_probe.cc
  void TickProbe();
  void StartProbe();
  void StartIndirectProbe();
  void OnPing(const Sender& from, const Ping& ping);
  void OnPingReq(const Sender& from, const PingReq& request);
  void OnAck(const Sender& from, const Ack& ack);
  void OnReliableAck(OpId op, const Sender& from);
  std::vector<NodeName> Helpers(const NodeName& target);

  // swim_gossip.cc
  // Sends to `to`, with as much gossip as fits. If `about` names a member, what
  // is known of it goes first, whether it is news or not.
  void SendDatagram(const Address& to, DatagramBody body,
                    const NodeName& about = "");
  void TickGossip();
  bool HasGossipTargets(absl::Time steady_now) const;
  // Tells a sender what is known of its name, unasked and so at most once in a
  // probe interval.
  void Tell(Record* record, const Address& to);

  // swim_sync.cc
  // The id of the new call, or 0 when too many are waiting for an answer.
  OpId StartExchange(ExchangeKind kind, const Address& to, RequestBody body,
                     absl::Duration timeout);
  std::optional<PendingExchange> TakeExchange(OpId op);
  void ForgetOverdueExchanges();
  // Follows up on a call that did not bring what it was made for.
  void ExchangeEnded(const PendingExchange& exchange, absl::string_view why);
  void TickSync();
  void OnSyncRequest(CallId call, const Sender& from,
                     const SyncRequest& request);
  void OnSyncReply(const PendingExchange& exchange, const SyncReply& sync);
  void OnRefusal(const PendingExchange& exchange, const Refusal& refusal);
  void ReplyTo(CallId call, ReplyBody body);
  // True if there was something to push.
  bool PushLacking(const Address& to, const std::vector<Update>& theirs);
  void SetSeeds(std::vector<Address> seeds);
  void LearnAlias(const Address& alias);
  void TickJoin();
  void DialSeeds();
  void JoinDialFailed(absl::string_view why);
  void FinishJoin(const Address& seed);
  void TickRedial();
  std::vector<Address> RedialCandidates() const;
  bool HasRedialTargets() const {
    return !table_.dead().empty() || !seeds_.empty();
  }

  const Config config_;
  Random random_;
  MemberTable table_;
  ProbeRing ring_;  // who of the others is live
  SuspicionTimers suspicions_;
  GossipQueue queue_;
  Relays relays_;
  Redial redial_;
  Phase phase_ = Phase::kRunning;

  // The present call. Null and stale outside of one.
  Instant now_;
  Effects* effects_ = nullptr;

  std::optional<Probe> probe_;
  uint64_t last_sequence_;
  absl::Time next_probe_;
  absl::Time next_gossip_;
  absl::Time next_sync_;
  absl::Time next_redial_;
  // Somebody who died lately may still be gossiped to until then.
  absl::Time gossip_to_dead_until_ = absl::InfinitePast();
  absl::Time last_heard_;
  absl::Time leave_deadline_ = absl::InfiniteFuture();
  int goodbyes_ = 0;  // on the reliable plane, waiting for an answer
  bool goodbye_heard_ = false;

  std::map<OpId, PendingExchange> exchanges_;
  OpId last_op_ = 0;

  // Seeds, sorted, without this node's own address and without those found to
  // lead back here.
  std::vector<Address> seeds_;
  std::set<Address> own_aliases_;
  // If seeds_ is empty: whether some were given, and all lead back here.
  bool seeds_are_self_ = false;
  bool has_seeds_ = false;  // Join has been called
  bool joining_ = false;
  int join_dials_ = 0;  // waiting for an answer
  absl::Duration join_wait_;
  absl::Time next_join_ = absl::InfiniteFuture();

  std::set<Address> other_clusters_;  // reported once each
  absl::Time full_reported_ = absl::InfinitePast();
  absl::Time predecessor_told_ = absl::InfinitePast();
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_SWIM_IMPL_H_
