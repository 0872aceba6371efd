#ifndef REPLICATION_LANE_H_
#define REPLICATION_LANE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "membership/instant.h"
#include "membership/random.h"
#include "replication/actor_directory.h"
#include "replication/command.h"
#include "replication/config.h"
#include "replication/dedupe.h"
#include "replication/durability.h"
#include "replication/effects.h"
#include "replication/hlc_clock.h"
#include "replication/lane_state.h"
#include "replication/message.h"
#include "replication/owners.h"
#include "replication/puller.h"
#include "replication/replicator.h"
#include "replication/slot.h"
#include "replication/transfers.h"

namespace sessionmesh::replication {

// What a session costs beside its names and values, about: the life, its
// entries in three tables, its dots.
inline constexpr size_t kSessionOverheadBytes = 512;

// Lane is what a Replicator is made of: the slots and everything that is under
// way in them. Its methods are spread over files by what they are about:
//
//   lane.cc             construction, view, links, status, timers
//   lane_calls.cc       a call's way: what must hold before it sees the slot
//   lane_reads.cc       Get, Touch, watches
//   lane_writes.cc      Create, Update, Delete, Rotate; minting
//   lane_durability.cc  waiting until enough owners hold a change
//   lane_streams.cc     Hello, frames, acknowledgements
//   lane_phases.cc      owners change; when a slot becomes ready
//   lane_hand_over.cc   when a slot that is not owned any more may be dropped
//   lane_sync.cc        pulls, digests
//   lane_expiry.cc      deadlines, idle expiry, touches, floors
//
// Private to this folder; see Replicator for the contract.
class Lane {
 public:
  Lane(const Config& config, Replicator::Identity self, const SessionIds* ids,
       const KeyedHash* key, uint64_t seed, Instant now);

  // --- lane.cc
  void SetView(const membership::ViewPtr& view, Instant now, Effects* effects);
  void LinkUp(const NodeName& peer, Instant now, Effects* effects);
  void LinkDown(const NodeName& peer, Instant now, Effects* effects);
  void Step(const NodeName& from, const Message& message, Instant now,
            Effects* effects);
  void Leave(Instant now, Effects* effects);
  bool handed_over() const;
  // No owner is there that could take over.
  bool alone() const;
  void Tick(Instant now, Effects* effects);
  absl::Time NextDeadline() const;
  std::optional<SlotId> ChooseSlot(SlotId wanted, uint64_t number) const;
  LaneStatus status() const;
  std::vector<PeerStatus> peers(Instant now) const;
  Holder Holds(absl::string_view session_id) const;
  const Slot& slot(SlotId id) const;
  SlotPhase phase(SlotId id) const { return StateOf(id).phase; }

  // --- lane_calls.cc
  void Execute(Command command, Instant now, Effects* effects);
  void Cancel(CallHandle handle);

  // --- lane_reads.cc
  void Watch(CallHandle handle, const std::string& session_id,
             const std::vector<std::string>& tokens, bool forwarded,
             Instant now, Effects* effects);
  void Unwatch(CallHandle handle);

 private:
  using Peer = PeerState;
  using Holdings = std::vector<const Slot::Holding*>;

  // --- lane.cc
  size_t IndexOf(SlotId slot) const { return slot / config_.lane_count; }
  SlotId SlotAt(size_t index) const;
  SlotState& StateOf(SlotId slot) { return slots_[IndexOf(slot)]; }
  const SlotState& StateOf(SlotId slot) const { return slots_[IndexOf(slot)]; }
  // Of what peers say.
  bool IsInLane(SlotId slot) const {
    return slot % config_.lane_count == config_.lane &&
           slot < config_.slot_count;
  }
  Slot::Limits SlotLimits() const;
  // What the slot may park: what the others leave of the lane's share.
  size_t ParkedBytesMost(SlotId slot) const {
    return config_.parked_lane_bytes_max() -
           (parked_bytes_ - StateOf(slot).parked_bytes);
  }
  Peer& PeerOf(const NodeName& name);
  void SendTo(const NodeName& to, Message message, Effects* effects) const;
  void Emit(Event event, Effects* effects) const {
    effects->events.push_back(std::move(event));
  }
  // Every change of a slot ends here: accounts, events, waiting calls, watches,
  // late acknowledgements.
  void AfterChange(SlotId slot, const SlotChanges& changes, Instant now,
                   Effects* effects);
  // What every public call ends with: waiting calls of changed slots, pulls,
  // frames, readiness.
  void Finish(Instant now, Effects* effects);
  // What is minted now would be dated too far ahead for the others, and live on
  // this node alone until their clocks have come so far.
  bool IsClockBehind(Instant now) const {
    return hlc_.Ahead(now.wall) > config_.clock_offset_max;
  }
  // Says so, once.
  void NoteClock(Instant now, Effects* effects);
  void NewActor(Instant now);
  // NewActor, and every peer is told.
  void TakeNewActor(Instant now, Effects* effects);
  void SetTimer(CallHandle handle, absl::Time at) {
    timers_.insert({at, handle});
  }
  void RunTimers(Instant now, Effects* effects);
  // Deltas minted here are meant for this peer.
  bool Replicates(SlotId slot, const NodeName& name, const Peer& peer) const;

  // --- lane_phases.cc
  // The owners of slots may have changed.
  void FollowOwners(Instant now, Effects* effects);
  void FollowOwnersOf(SlotId slot, Instant now);
  void SetPhase(SlotId slot, Phase phase, bool degraded, Instant now);
  void BeginSyncing(SlotId slot, Instant now);
  // Makes slots ready once everybody who can has been heard.
  void AdvanceReadiness(Instant now, Effects* effects);
  // Says whether a slot that is syncing may become ready, and how.
  enum class Verdict : uint8_t { kWait, kReady, kReadyDegraded };
  Verdict JudgeReadiness(SlotId slot, bool may_begin, Instant now);
  // All members have been heard, see the same members, and this node has been
  // ready for nothing yet: a cluster that starts, if nobody has anything.
  bool MayBegin(Instant now);
  // Pulls the slot from those that are linked, too.
  void AddSources(SlotId slot, const std::vector<NodeName>& nodes);
  // The node is level with this one, or holds nothing.
  void Synced(SlotId slot, const NodeName& with);
  // A slot that became ready without others is whole again once it has what
  // they have.
  void AdvanceRecovery(Instant now);
  void TellPhases(Effects* effects);
  SlotPhase PhaseAt(const Peer& peer, SlotId slot) const {
    return peer.phases.empty() ? SlotPhase() : peer.phases[IndexOf(slot)];
  }
  bool IsReady(SlotId slot) const {
    return StateOf(slot).phase.phase == Phase::kReady;
  }
  // Other owners to whom a call that presents `token` may be given, the best
  // first.
  std::vector<NodeName> Alternatives(SlotId slot,
                                     const std::vector<Dot>& token);

  // --- lane_hand_over.cc
  // Something was learned since the owners were asked: what they said is void.
  void VoidConsents(SlotId slot);
  void AskToDrop(SlotId slot, const NodeName& node, Effects* effects);
  // Asks all owners of all slots that are to be dropped.
  void AskToDrop(Instant now, Effects* effects);
  void OnDropAsk(const NodeName& from, const DropAsk& ask, Effects* effects);
  void OnDropConsent(const NodeName& from, const DropConsent& consent,
                     Instant now, Effects* effects);
  void Drop(SlotId slot, Instant now, Effects* effects);

  // --- lane_calls.cc
  // Moves a call forward; true when it has been answered or has become a
  // durability wait.
  bool Advance(Call* call, Instant now, Effects* effects);
  bool AdvanceToken(Call* call, Instant now, Effects* effects);
  // How far back an access lies at most that would keep this life alive.
  absl::Duration AccessWindow(int64_t idle_ms) const;
  // The nodes but this one that may have accepted such an access, by what is
  // known here and by what the answers say.
  std::set<NodeName> MayHaveTouched(SlotId slot, const Slot::Holding& life,
                                    const Inquiry* inquiry, Instant now) const;
  // A pull that `inquiry` waits for has been answered.
  void NoteAnswer(const Puller::Done& done, Instant now,
                  Inquiry* inquiry) const;
  bool AdvanceQuorum(Call* call, Instant now, Effects* effects);
  bool AdvanceIdle(Call* call, Instant now, Effects* effects);
  void AdvanceSlotCalls(SlotId slot, Instant now, Effects* effects);
  void AdvanceCall(CallHandle handle, Instant now, Effects* effects);
  void Perform(const Call& call, Instant now, Effects* effects);
  // Asks `nodes` for what they have of the slot.
  Inquiry Inquire(SlotId slot, const std::vector<NodeName>& nodes, Instant now);
  // A node that comes into reach while others are being asked.
  void AskToo(const NodeName& node);
  std::vector<NodeName> LinkedOf(const std::vector<NodeName>& nodes) const;
  // The other owners of the slot that are linked.
  std::vector<NodeName> LinkedOwners(SlotId slot) const {
    return LinkedOf(owners_.OthersOf(slot));
  }
  // Those, and the members that are known to hold something of it still.
  std::vector<NodeName> LinkedHolders(SlotId slot) const;
  // Asks those of `nodes` that are linked and have not been asked.
  void AskAlso(const std::set<NodeName>& nodes, Inquiry* inquiry);
  static bool AllAnswered(const Inquiry& inquiry,
                          const std::vector<NodeName>& nodes);
  // Too many wait, or `bytes` of them are too much.
  void FailFull(CallHandle handle, Effects* effects) const;
  void FailFullBytes(CallHandle handle, size_t bytes, Effects* effects) const;
  // Whether the call may begin; fills in its slot and what its tokens name.
  absl::Status Admit(const Command& command, Instant now, Call* call,
                     Failure* failure);
  // Why the slot serves no calls here just now, and who may instead.
  absl::Status RefuseUnready(const Call& call, Failure* failure);
  void Fail(CallHandle handle, absl::Status status, Failure failure,
            Effects* effects) const;
  // The writer of `dot` will never send it: its process is over, or it may have
  // handed the slot over. Whether anybody else has it is another question.
  bool WriterIsGone(SlotId slot, const Dot& dot, NodeName* writer) const;
  std::vector<Dot> MissingOf(const std::vector<Dot>& token, SlotId slot) const;
  void FailStale(const Call& call, const std::vector<Dot>& missing,
                 Effects* effects);
  void FailLost(const Call& call, const Dot& lost, Instant now,
                Effects* effects);
  bool Linked(const NodeName& node) const;

  // --- lane_reads.cc
  void Get(const Call& call, Instant now, Effects* effects);
  void TouchCall(const Call& call, Instant now, Effects* effects);
  SessionView ViewOf(absl::string_view id, const Holdings& lives) const;
  std::vector<Dot> HeadsOf(const Holdings& lives) const;
  std::string TokenOf(SlotId slot, const Holdings& lives) const;
  // ... for a reply to a call that may have presented it.
  std::string TokenOf(const Call& call, const Holdings& lives) const;
  // Present, with no more heads than the token of a reply can name: more are
  // brought down by an update that changes nothing.
  Holdings PresentForReply(SlotId slot, absl::string_view id, Instant now,
                           Effects* effects);
  void Access(SlotId slot, const Holdings& lives, Instant now);
  void UpdateWatches(SlotId slot, const SlotChanges& changes, Effects* effects);
  // The slot does not serve here any more.
  void EndWatches(SlotId slot, Effects* effects);
  // A watch whose token did not come in time ends.
  void GiveUpWatch(CallHandle handle, Effects* effects);
  // True when the watch has ended.
  bool UpdateWatch(CallHandle handle, WatchState* watch,
                   const SlotChanges& changes, Effects* effects);
  // Live lives of the id that are neither past their deadline nor idle for too
  // long.
  Holdings Present(SlotId slot, absl::string_view id, Instant now) const;
  static bool IsIdle(const Slot::Holding& holding, absl::Time wall);
  // Two rotations that did not know of each other gave it two ids (rule A7).
  static bool IsRaced(const Slot::Holding& holding);
  // NOT_FOUND where rotations raced: the lives are killed. True when it was so.
  bool Revoke(SlotId slot, absl::string_view id, Instant now, Effects* effects);
  void FillCommon(const Call& call, Reply* reply) const;
  // Why every reply about the slot is degraded just now, or null.
  const char* DegradedNode(SlotId slot) const;
  // The reply is degraded for this reason too.
  static void Degrade(absl::string_view reason, Reply* reply);

  // --- lane_writes.cc
  void Create(const Call& call, bool upserted, Instant now, Effects* effects);
  void Update(const Call& call, Instant now, Effects* effects);
  void Delete(const Call& call, Instant now, Effects* effects);
  void Rotate(const Call& call, Instant now, Effects* effects);
  // Of the kind and session of a call; see DedupeEntry.
  static uint64_t Fingerprint(const Command& command);
  bool AnswerRetry(const Call& call, Instant now, Effects* effects);
  // False when a precondition does not hold; then the call is answered.
  bool CheckPreconditions(const Call& call, const Holdings& lives,
                          Effects* effects) const;
  absl::Status CheckRoom(SlotId slot, const Command& command,
                         const Holdings& lives, Failure* failure) const;
  std::vector<Op> OpsOf(const Command& command, const Holdings& lives) const;
  // Gives a draft (slot, kind, ops and what only its kind has) its dots, clock,
  // births and dependencies.
  DeltaPtr Mint(Delta draft, const Holdings& lives, Instant now);
  // Applies and sends a delta minted here.
  void Publish(const DeltaPtr& delta, Instant now, Effects* effects);
  void Offer(const NodeName& name, Peer* peer, const DeltaPtr& delta,
             Instant now, Effects* effects);

  // --- lane_durability.cc
  // False when strict durability cannot be met; then the call is answered.
  bool CheckStrict(SlotId slot, const Command& command, Effects* effects) const;
  void Await(const Command& command, const DeltaPtr& delta, Reply reply,
             Instant now, Effects* effects);
  uint32_t Needed(SlotId slot, Durability durability) const;
  // Owners that a write can be expected to reach, this node too if it is one.
  uint32_t Live(SlotId slot) const;
  bool IsReachable(SlotId slot, const NodeName& node) const;
  // Live owners that hold the write, this node too if it is one. A copy that
  // died since it was acknowledged is none.
  uint32_t Held(const DurabilityWait& wait) const;
  void SettleWait(CallHandle handle, Instant now, Effects* effects);
  void SettleAllWaits(Instant now, Effects* effects);
  // Queues again for the peer what calls wait for and it is not known to hold,
  // in these slots or (null) in all.
  void ReofferWaits(const NodeName& name, Peer* peer,
                    const std::set<SlotId>* slots, Instant now,
                    Effects* effects);

  // --- lane_streams.cc
  void SayHello(const NodeName& name, Peer* peer, Instant now,
                Effects* effects);
  void OnHello(const NodeName& from, const Hello& hello, Instant now,
               Effects* effects);
  void OnFrame(const NodeName& from, const Frame& frame, Instant now,
               Effects* effects);
  void OnFrameAck(const NodeName& from, const FrameAck& ack, Instant now,
                  Effects* effects);
  void OnRefuse(const NodeName& from, const Refuse& refuse, Instant now,
                Effects* effects);
  absl::Status CheckTimes(const Delta& delta, Instant now) const;
  // Born so long ago that contexts forget it.
  bool IsForgotten(ActorId actor, Instant now) const;
  void Acknowledge(const NodeName& to, const Peer& peer,
                   std::vector<SlotDot> settled, Effects* effects) const;
  // Those of a peer's parked deltas that are covered by now.
  std::vector<SlotDot> TakeSettled(Peer* peer);
  std::vector<SlotDot> TakeSettled(Peer* peer, SlotId slot);
  void CountHeld(const NodeName& peer, const std::vector<SlotDot>& held,
                 Instant now, Effects* effects);
  void Flush(const NodeName& name, Peer* peer, Instant now, Effects* effects);
  void FlushAll(Instant now, Effects* effects);
  // Takes a new actor when `seen`, which a peer has sent, is a dot of the
  // present one that was never minted here: a machine set back to a snapshot,
  // or a forger. Minting on would reuse dots (invariant I1).
  void GuardActor(const NodeName& from, SlotId slot, const Dot& seen,
                  Instant now, Effects* effects);
  // ... for every dot that the delta makes covered.
  void GuardActor(const NodeName& from, const Delta& delta, Instant now,
                  Effects* effects);
  // A delta of a peer, in a frame or in a log. Returns whether it is covered
  // afterwards.
  Slot::Outcome ReceiveDelta(const NodeName& from, const DeltaPtr& delta,
                             Instant now, Effects* effects);

  // --- lane_sync.cc
  void StartPulls(Instant now, Effects* effects);
  void OnPull(const NodeName& from, const Pull& pull, Instant now,
              Effects* effects);
  void ReplyToPull(const NodeName& to, PullReply reply, Effects* effects);
  void OnPullMore(const NodeName& from, const PullMore& more, Instant now,
                  Effects* effects);
  void OnPullReply(const NodeName& from, const PullReply& reply, Instant now,
                   Effects* effects);
  void FinishPull(const Puller::Done& done, Instant now, Effects* effects);
  // False: what came is not believed, and nothing of it was taken.
  bool TakePulled(const Puller::Done& done, Instant now, Effects* effects);
  void OnDigest(const NodeName& from, const Digest& digest, Instant now,
                Effects* effects);
  // Equal contexts: the lives must be the same, but for those past their
  // deadline, which each node drops in its own time.
  void CompareLives(const NodeName& from, Peer* peer, const SlotDigest& theirs,
                    Instant now, Effects* effects);
  // Not complete: without slots that change just now, unless they were left out
  // for long.
  void SendDigest(const NodeName& to, bool complete, Instant now,
                  Effects* effects) const;
  // What every digest says beside its slots.
  Digest DigestOfNoSlot() const;
  SlotDigest Describe(SlotId slot) const;
  void OnSlotDigest(const NodeName& from, Peer* peer, const SlotDigest& theirs,
                    bool complete, Instant now, Effects* effects);
  bool IsLively(const SlotState& state, Instant now) const;
  void SendDigests(bool complete, Instant now, Effects* effects) const;
  void JoinState(const Puller::Done& done, Instant now, Effects* effects);
  void OnResync(const NodeName& from, const Resync& resync);

  // --- lane_expiry.cc
  void ScanSlots(Instant now, Effects* effects);
  absl::Duration ScanInterval() const {
    return config_.expiry_pass_interval / slots_.size();
  }
  // Lives that are over by time may still be here.
  bool IsScanBehind(Instant now) const {
    return next_scan_at_ + ScanInterval() < now.steady;
  }
  void ScanSlot(SlotId slot, Instant now, Effects* effects);
  void AdvanceProbe(SlotId slot, Instant now, Effects* effects);
  void FlushTouches(Instant now, Effects* effects);
  // What another node says of an access to a life.
  void NoteAccess(SlotId slot, const LastAccess& access, Instant now);
  void OnTouches(const NodeName& from, const Touches& touches, Instant now,
                 Effects* effects);
  void PullForParked(Instant now);
  std::vector<RecentOwner> RecentOwners(SlotId slot, Instant now) const;

  const Config config_;
  const Replicator::Identity self_;
  const SessionIds* const ids_;
  const KeyedHash* const key_;
  Random random_;

  std::vector<SlotState> slots_;
  uint64_t memory_bytes_ = 0;  // of all slots, overhead included
  size_t parked_bytes_ = 0;    // of all slots
  HlcClock hlc_;
  ActorId actor_ = 0;
  ActorDirectory actors_;
  Owners owners_;
  std::map<NodeName, Peer> peers_;

  bool ready_ = false;           // every slot that is owned here was, once
  uint64_t placement_told_ = 0;  // to all members, while it is not
  bool leaving_ = false;
  bool clock_behind_ = false;  // as it was last told
  std::set<SlotId> syncing_;
  std::set<SlotId> to_drop_;   // that are leaving
  std::set<SlotId> degraded_;  // and ready
  // Ready since a time when a member was dead that may hold what a quorum has
  // acknowledged: no quorum counts this node (rule E, Q4).
  std::set<SlotId> partial_;
  std::set<SlotId> to_tell_;     // whose phase has changed
  uint64_t next_attempt_;        // to drop a slot
  uint64_t owners_version_ = 0;  // that phases follow
  absl::Time readiness_at_ =
      absl::InfiniteFuture();  // when time alone may make slots ready

  std::map<CallHandle, Call> calls_;
  size_t calls_bytes_ = 0;  // of their commands
  std::map<SlotId, std::set<CallHandle>> calls_by_slot_;
  std::set<std::pair<absl::Time, CallHandle>>
      timers_;  // of calls and durability waits; may be stale
  std::set<SlotId>
      to_advance_;  // slots whose waiting calls and probes may go on
  DurabilityWaits waits_;
  Dedupe dedupe_;
  std::map<CallHandle, WatchState> watches_;
  std::set<std::pair<SlotId, CallHandle>> watches_by_slot_;

  NodeName reading_from_;  // whose frame is being applied just now
  Puller puller_;
  Transfers transfers_;
  std::set<SlotId> parked_slots_;

  std::map<SlotId, IdleProbe> probes_;
  std::set<std::pair<SlotId, Dot>>
      touched_;  // accesses that the others should hear of
  size_t next_scan_ = 0;

  absl::Time next_ask_at_ = absl::InfiniteFuture();  // to drop slots
  absl::Time next_scan_at_;
  absl::Time next_digest_at_;
  absl::Time next_touch_flush_at_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_LANE_H_
