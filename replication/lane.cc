#include "replication/lane.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::replication {
namespace {

// A peer that refused our deltas is asked again after this.
constexpr absl::Duration kRefusedPause = absl::Seconds(5);

}  // namespace

Lane::Lane(const Config& config, Replicator::Identity self,
           const SessionIds* ids, const KeyedHash* key, uint64_t seed,
           Instant now)
    : config_(config),
      self_(std::move(self)),
      ids_(ids),
      key_(key),
      random_(seed),
      owners_(self_.name, config_),
      next_attempt_(random_.Next() >> 1 | 1),
      dedupe_(config.dedupe_window, config.dedupe_entries_max,
              config.waiting_bytes_max),
      puller_(config_, random_.Next() >> 1 | 1),
      transfers_(config_),
      next_scan_at_(now.steady),
      next_digest_at_(now.steady + config.digest_interval),
      next_touch_flush_at_(now.steady) {
  const absl::Status valid = config_.Validate();
  CHECK(valid.ok()) << valid;
  CHECK_NE(self_.process, 0u);
  for (uint32_t slot = config_.lane; slot < config_.slot_count;
       slot += config_.lane_count) {
    slots_.emplace_back(SlotLimits());
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    SetPhase(SlotAt(i), config_.bootstrap ? Phase::kReady : Phase::kSyncing,
             /*degraded=*/false, now);
  }
  ready_ = config_.bootstrap;
  NewActor(now);
}

Slot::Limits Lane::SlotLimits() const {
  return {.parked_bytes_max = config_.parked_bytes_max,
          .log_bytes_max = config_.log_bytes_max,
          .clock_offset_max = config_.clock_offset_max};
}

SlotId Lane::SlotAt(size_t index) const {
  return static_cast<SlotId>(index * config_.lane_count + config_.lane);
}

Lane::Peer& Lane::PeerOf(const NodeName& name) {
  const auto it = peers_.find(name);
  if (it != peers_.end()) return it->second;
  return peers_.try_emplace(name, config_, random_.Next()).first->second;
}

void Lane::NewActor(Instant now) {
  actor_ = MakeActorId(now.wall, random_.Next());
  actors_.Learn({actor_, self_.name, self_.process});
  for (SlotState& state : slots_) state.next_counter = 1;
}

void Lane::TakeNewActor(Instant now, Effects* effects) {
  NewActor(now);
  for (auto& [name, peer] : peers_) {
    if (peer.linked) SayHello(name, &peer, now, effects);
  }
}

bool Lane::Replicates(SlotId slot, const NodeName& name,
                      const Peer& peer) const {
  if (owners_.IsOtherOf(slot, name)) return true;
  // Where every member is an owner, so is whoever has linked and is about to
  // become a member.
  return config_.replicas == kReplicasAll && peer.linked && peer.process != 0 &&
         !owners_.IsGone(name);
}

void Lane::SendTo(const NodeName& to, Message message, Effects* effects) const {
  const auto it = peers_.find(to);
  if (it == peers_.end() || !it->second.linked) return;
  effects->sends.push_back({to, std::move(message)});
}

bool Lane::Linked(const NodeName& node) const {
  const auto it = peers_.find(node);
  return it != peers_.end() && it->second.linked && it->second.heard;
}

std::vector<NodeName> Lane::LinkedOf(const std::vector<NodeName>& nodes) const {
  std::vector<NodeName> linked;
  for (const NodeName& node : nodes) {
    if (Linked(node)) linked.push_back(node);
  }
  return linked;
}

void Lane::SetView(const membership::ViewPtr& view, Instant now,
                   Effects* effects) {
  const std::vector<NodeName> before = owners_.members();
  owners_.SetView(view, now.steady);
  bool somebody_died = false;
  for (const NodeName& node : before) {
    if (owners_.IsMember(node)) continue;
    // What it misses from now on it pulls when it comes back.
    Peer& peer = PeerOf(node);
    peer.out.Drop();
    peer.described = false;
    peer.resync.clear();
    somebody_died = true;
  }
  for (const NodeName& node : owners_.members()) {
    Peer& peer = PeerOf(node);
    if (std::binary_search(before.begin(), before.end(), node)) continue;
    if (!peer.linked) {
      peer.unlinked_since = now.steady;
      peer.cut = false;
    }
    if (!peer.heard) continue;
    SendTo(node, DigestRequest{}, effects);
    SendDigest(node, /*complete=*/true, now, effects);
  }
  FollowOwners(now, effects);
  if (!ready_) {
    // This process does not know who was an owner before it.
    for (const SlotId slot : syncing_) {
      AddSources(slot, owners_.WithoutSelf(slot));
    }
    if (placement_told_ != owners_.placement_hash()) {
      placement_told_ = owners_.placement_hash();
      SendDigests(/*complete=*/true, now, effects);
    }
  }
  for (auto it = peers_.begin(); it != peers_.end();) {
    const bool known = owners_.Knows(it->first) && !owners_.IsGone(it->first);
    it = known || it->second.linked ? std::next(it) : peers_.erase(it);
  }
  // Death sync: what only one survivor has reaches all of them
  // (replication.md 2.7).
  if (somebody_died) SendDigests(/*complete=*/true, now, effects);
  SettleAllWaits(now, effects);
  for (const auto& [slot, calls] : calls_by_slot_) to_advance_.insert(slot);
  Finish(now, effects);
}

void Lane::LinkUp(const NodeName& name, Instant now, Effects* effects) {
  Peer& peer = PeerOf(name);
  peer.linked = true;
  peer.cut = false;
  peer.heard = false;
  peer.refused = false;
  peer.described = false;
  peer.out.Suspend();
  SayHello(name, &peer, now, effects);
  if (peer.process != 0) Acknowledge(name, peer, {}, effects);
  Finish(now, effects);
}

void Lane::LinkDown(const NodeName& name, Instant now, Effects* effects) {
  Peer& peer = PeerOf(name);
  peer.linked = false;
  peer.unlinked_since = now.steady;
  peer.heard = false;
  peer.described = false;
  peer.out.Suspend();
  puller_.Forget(name);
  transfers_.Forget(name);
  SettleAllWaits(now, effects);
  for (const auto& [slot, calls] : calls_by_slot_) to_advance_.insert(slot);
  if (owners_.IsGone(name)) peers_.erase(name);
  Finish(now, effects);
}

void Lane::Step(const NodeName& from, const Message& message, Instant now,
                Effects* effects) {
  if (from == self_.name) return;
  if (const Hello* hello = std::get_if<Hello>(&message)) {
    OnHello(from, *hello, now, effects);
  } else {
    const auto it = peers_.find(from);
    if (it == peers_.end() || it->second.process == 0) {
      return;  // it has not said who it is
    }
    std::visit(
        [&](const auto& body) {
          using Body = std::decay_t<decltype(body)>;
          if constexpr (std::is_same_v<Body, Frame>) {
            OnFrame(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, FrameAck>) {
            OnFrameAck(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, Pull>) {
            OnPull(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, PullMore>) {
            OnPullMore(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, PullReply>) {
            OnPullReply(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, DigestRequest>) {
            SendDigest(from, /*complete=*/true, now, effects);
          } else if constexpr (std::is_same_v<Body, Digest>) {
            OnDigest(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, Resync>) {
            OnResync(from, body);
          } else if constexpr (std::is_same_v<Body, Touches>) {
            OnTouches(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, Refuse>) {
            OnRefuse(from, body, now, effects);
          } else if constexpr (std::is_same_v<Body, DropAsk>) {
            OnDropAsk(from, body, effects);
          } else if constexpr (std::is_same_v<Body, DropConsent>) {
            OnDropConsent(from, body, now, effects);
          }
        },
        message);
  }
  Finish(now, effects);
}

void Lane::AfterChange(SlotId slot, const SlotChanges& changes, Instant now,
                       Effects* effects) {
  SlotState& state = StateOf(slot);
  const size_t cost = state.slot.payload_bytes() +
                      state.slot.lives().size() * kSessionOverheadBytes;
  memory_bytes_ += cost;
  memory_bytes_ -= state.memory_bytes;
  state.memory_bytes = cost;
  parked_bytes_ += state.slot.parked_bytes();
  parked_bytes_ -= state.parked_bytes;
  state.parked_bytes = state.slot.parked_bytes();
  if (state.slot.parked_count() == 0) {
    state.parked_since = absl::InfiniteFuture();
    parked_slots_.erase(slot);
  } else if (parked_slots_.insert(slot).second) {
    state.parked_since = now.steady;
  }
  for (auto& [name, peer] : peers_) {
    // Also what a pull has covered. While a frame of the peer is being read its
    // own acknowledgement says it.
    if (peer.unapplied.empty() || name == reading_from_) continue;
    std::vector<SlotDot> settled = TakeSettled(&peer, slot);
    if (!settled.empty()) Acknowledge(name, peer, std::move(settled), effects);
  }
  if (!changes.any) return;
  if (state.phase.phase == Phase::kNone) {
    // Whoever sent it takes this node for an owner. It is not lost here: it is
    // handed over.
    SetPhase(slot, Phase::kLeaving, /*degraded=*/true, now);
  }
  if (state.phase.phase == Phase::kLeaving) VoidConsents(slot);
  state.changed_at = now.steady;
  to_advance_.insert(slot);
  for (const SlotChanges::Ended& ended : changes.ended) {
    Emit({.kind = Event::Kind::kSessionEnded,
          .slot = slot,
          .session = ended.ids.empty() ? "" : SessionHash(ended.ids.front()),
          .reason = ended.reason},
         effects);
  }
  UpdateWatches(slot, changes, effects);
}

void Lane::Finish(Instant now, Effects* effects) {
  while (!to_advance_.empty()) {
    const SlotId slot = *to_advance_.begin();
    to_advance_.erase(to_advance_.begin());
    AdvanceSlotCalls(slot, now, effects);
    AdvanceProbe(slot, now, effects);
  }
  if (!ready_ || !syncing_.empty()) AdvanceReadiness(now, effects);
  if (!degraded_.empty() || !partial_.empty()) AdvanceRecovery(now);
  StartPulls(now, effects);
  TellPhases(effects);
  if (now.steady >= next_ask_at_) AskToDrop(now, effects);
  FlushAll(now, effects);
  NoteClock(now, effects);
}

void Lane::NoteClock(Instant now, Effects* effects) {
  const bool behind = IsClockBehind(now);
  if (behind && !clock_behind_) {
    Emit({.kind = Event::Kind::kClockBehind,
          .detail = absl::StrCat(
              "this node's clock was set back by ",
              absl::FormatDuration(hlc_.Ahead(now.wall)),
              ": it takes no changes until it has come so far again")},
         effects);
  }
  clock_behind_ = behind;
}

void Lane::Leave(Instant now, Effects* effects) {
  leaving_ = true;
  owners_.SetLeaving(self_.name, true, now.steady);
  FollowOwners(now, effects);
  SendDigests(/*complete=*/true, now, effects);
  Finish(now, effects);
}

bool Lane::handed_over() const {
  const bool nothing_left = std::all_of(
      slots_.begin(), slots_.end(),
      [](const SlotState& state) { return state.phase.phase == Phase::kNone; });
  return nothing_left || alone();
}

bool Lane::alone() const {
  return std::all_of(owners_.members().begin(), owners_.members().end(),
                     [this](const NodeName& node) {
                       const auto it = peers_.find(node);
                       return it == peers_.end() ||
                              (owners_.IsSuspect(node) && !it->second.linked);
                     });
}

void Lane::Tick(Instant now, Effects* effects) {
  owners_.Tick(now.steady);
  FollowOwners(now, effects);
  if (now.wall - ActorEpoch(actor_) > config_.actor_rotation()) {
    TakeNewActor(now, effects);
    Emit({.kind = Event::Kind::kActorRotated}, effects);
  }
  bool somebody_cut = false;
  for (auto& [name, peer] : peers_) {
    if (!peer.linked) {
      const bool cut = now.steady - peer.unlinked_since >= config_.link_grace;
      somebody_cut = somebody_cut || (cut && !peer.cut);
      peer.cut = cut;
      continue;
    }
    if (peer.refused && now.steady - peer.hello_sent >= kRefusedPause) {
      peer.refused = false;
    }
    // Frames that nobody acknowledges on a standing stream: ask where the peer
    // is.
    if (peer.heard && !peer.out.suspended() &&
        now.steady - peer.out.oldest_sent() >= config_.pull_timeout) {
      peer.out.Suspend();
      peer.heard = false;
      SayHello(name, &peer, now, effects);
    } else if (!peer.heard && !peer.refused &&
               now.steady - peer.hello_sent >= config_.hello_interval) {
      SayHello(name, &peer, now, effects);
    }
    if (peer.heard && !peer.described &&
        now.steady - peer.digest_requested >= config_.pull_timeout) {
      peer.digest_requested = now.steady;
      SendTo(name, DigestRequest{}, effects);
    }
  }
  if (somebody_cut) SettleAllWaits(now, effects);
  puller_.Expire(now.steady);
  transfers_.Expire(now.steady);
  RunTimers(now, effects);
  if (now.steady >= next_scan_at_) ScanSlots(now, effects);
  if (now.steady >= next_touch_flush_at_) FlushTouches(now, effects);
  PullForParked(now);
  // Not with lives that should be gone: the others would miss them.
  if (now.steady >= next_digest_at_ && !IsScanBehind(now)) {
    next_digest_at_ = now.steady + config_.digest_interval;
    SendDigests(/*complete=*/false, now, effects);
    for (SlotState& state : slots_) {
      const bool changes = now.steady - state.changed_at < config_.settle_time;
      state.left_out = changes && IsLively(state, now) ? state.left_out + 1 : 0;
    }
  }
  Finish(now, effects);
}

void Lane::RunTimers(Instant now, Effects* effects) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    const CallHandle handle = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (calls_.count(handle) > 0) {
      AdvanceCall(handle, now, effects);
    } else if (watches_.count(handle) > 0) {
      GiveUpWatch(handle, effects);
    } else {
      SettleWait(handle, now, effects);
    }
  }
}

absl::Time Lane::NextDeadline() const {
  absl::Time next = std::min({next_scan_at_, next_digest_at_, next_ask_at_,
                              owners_.next_takeover_at()});
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  if (!touched_.empty()) next = std::min(next, next_touch_flush_at_);
  next = std::min({next, puller_.next_timeout(), puller_.retry_at(),
                   transfers_.next_timeout()});
  for (const auto& [name, peer] : peers_) {
    if (!peer.linked) {
      if (!peer.cut) {
        next = std::min(next, peer.unlinked_since + config_.link_grace);
      }
      continue;
    }
    if (peer.refused) {
      next = std::min(next, peer.hello_sent + kRefusedPause);
    } else if (!peer.heard) {
      next = std::min(next, peer.hello_sent + config_.hello_interval);
    } else {
      next = std::min(next, peer.out.oldest_sent() + config_.pull_timeout);
      if (!peer.described || (peer.ask_again && !syncing_.empty())) {
        next = std::min(next, peer.digest_requested + config_.pull_timeout);
      }
    }
  }
  for (const SlotId slot : parked_slots_) {
    next = std::min(next, StateOf(slot).parked_since + config_.parked_patience);
  }
  if (!syncing_.empty()) next = std::min(next, readiness_at_);
  return next;
}

std::optional<SlotId> Lane::ChooseSlot(SlotId wanted, uint64_t number) const {
  if (IsInLane(wanted) && IsReady(wanted)) return wanted;
  const auto is_ready = [](const SlotState& state) {
    return state.phase.phase == Phase::kReady;
  };
  const auto ready = static_cast<uint64_t>(
      std::count_if(slots_.begin(), slots_.end(), is_ready));
  if (ready == 0) return std::nullopt;
  uint64_t left = number % ready;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (is_ready(slots_[i]) && left-- == 0) return SlotAt(i);
  }
  return std::nullopt;
}

LaneStatus Lane::status() const {
  LaneStatus status;
  status.ready = ready_ && !leaving_;
  status.degraded = !degraded_.empty();
  status.leaving = leaving_;
  status.alone = alone();
  for (size_t i = 0; i < slots_.size(); ++i) {
    const SlotState& state = slots_[i];
    status.slots_owned += owners_.IsOwnedHere(SlotAt(i)) ? 1 : 0;
    status.slots_ready += state.phase.phase == Phase::kReady ? 1 : 0;
    status.slots_leaving += state.phase.phase == Phase::kLeaving ? 1 : 0;
    status.sessions += state.slot.lives().size();
    status.parked += state.slot.parked_count();
    status.session_bytes += state.slot.payload_bytes();
  }
  status.waiting_calls = calls_.size() + waits_.size();
  return status;
}

std::vector<PeerStatus> Lane::peers(Instant now) const {
  std::vector<PeerStatus> result;
  for (const auto& [name, peer] : peers_) {
    PeerStatus status;
    status.name = name;
    status.connected = peer.linked && peer.heard;
    status.sent = peer.out.sent();
    status.acknowledged = peer.out.acknowledged();
    status.lag_operations = peer.out.backlog();
    const absl::Time oldest = peer.out.oldest_queued();
    if (oldest != absl::InfiniteFuture()) status.lag = now.steady - oldest;
    status.backlog_bytes = peer.out.backlog_bytes();
    status.slots_dirty =
        peer.out.dirty_count() + static_cast<uint32_t>(peer.resync.size());
    status.slots_pulling = puller_.CountFrom(name);
    result.push_back(std::move(status));
  }
  return result;
}

Holder Lane::Holds(absl::string_view session_id) const {
  Holder holder;
  const absl::StatusOr<SlotId> slot = ids_->SlotOf(session_id);
  if (!slot.ok() || *slot % config_.lane_count != config_.lane) return holder;
  holder.slot = *slot;
  holder.phase = StateOf(*slot).phase;
  for (const NodeName& node : owners_.members()) {
    const auto peer = peers_.find(node);
    const bool keeps = peer != peers_.end() &&
                       PhaseAt(peer->second, *slot).phase != Phase::kNone;
    if (keeps || owners_.IsOtherOf(*slot, node)) holder.others.push_back(node);
  }
  const Holdings lives = StateOf(*slot).slot.Lookup(session_id);
  holder.holds = !lives.empty();
  holder.version = HeadsOf(lives);
  for (const Dot& dot : holder.version) {
    const ActorHome* home = actors_.Find(dot.actor);
    holder.writers.push_back(home == nullptr ? "" : home->node);
  }
  return holder;
}

const Slot& Lane::slot(SlotId id) const {
  CHECK_EQ(id % config_.lane_count, config_.lane);
  return StateOf(id).slot;
}

}  // namespace sessionmesh::replication
