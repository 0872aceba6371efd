#include "tests/sim/process.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::sim {
namespace {

constexpr char kCluster[] = "simulated";
constexpr absl::Duration kRedialMin = absl::Milliseconds(100);
constexpr absl::Duration kRedialMax = absl::Seconds(1);
constexpr absl::Duration kHandOverMax = absl::Seconds(5);

bool Serves(membership::State state) {
  return state == membership::State::kAlive ||
         state == membership::State::kSuspect;
}

uint64_t ClusterHashOf(const ProcessOptions& options) {
  wire::NodeInfo info;
  info.cluster_id = kCluster;
  info.slot_count = options.replication.slot_count;
  info.lane_count = options.replication.lane_count;
  info.replicas = options.replication.replicas;
  info.absolute_lifetime_max = options.replication.absolute_lifetime_max;
  return wire::ClusterHash(info);
}

}  // namespace

Process::Process(const ProcessOptions& options,
                 const replication::SessionIds* ids,
                 const replication::KeyedHash* key, const HostClock* clock,
                 EventQueue* queue, Network* network, ProcessObserver* observer)
    : options_(options),
      ids_(ids),
      clock_(clock),
      queue_(queue),
      network_(network),
      observer_(observer),
      cluster_hash_(ClusterHashOf(options)),
      steady_shift_(absl::Milliseconds(
          static_cast<int64_t>(options.process_id % 100000000))),
      random_(options.seed),
      alive_(std::make_shared<bool>(true)),
      inbox_(queue) {
  endpoint_ = network_->Attach(options_.host, options_.address, this);
  swim_.emplace(
      options_.membership,
      membership::Self{options_.name, options_.address, options_.generation},
      random_.Next(), Now());
  for (uint32_t lane = 0; lane < options_.replication.lane_count; ++lane) {
    replication::Config config = options_.replication;
    config.lane = lane;
    lanes_.push_back(std::make_unique<Replicator>(
        config, Replicator::Identity{options_.name, options_.process_id}, ids,
        key, random_.Next(), Now()));
  }
  PublishView();
  if (!options_.seeds.empty()) {
    SwimStep(
        [this](auto* effects) { swim_->Join(options_.seeds, Now(), effects); });
  }
  ScheduleTimer();
}

Process::~Process() {
  if (*alive_) Kill(/*flush=*/true);
}

void Process::Kill(bool flush) {
  *alive_ = false;
  network_->Detach(endpoint_, flush);
}

Instant Process::Now() const {
  const absl::Time truth = queue_->now();
  return {truth - steady_shift_, clock_->Wall(truth)};
}

void Process::Do(Inbox::Kind kind, Inbox::Work work) {
  const std::shared_ptr<bool> alive = alive_;
  inbox_.Push(kind, [this, alive, work = std::move(work)] {
    if (!*alive) return;
    ++steps_;
    work();
    if (*alive) ScheduleTimer();
  });
}

// ---- the two cores

template <typename F>
void Process::SwimStep(F step) {
  membership::Effects effects;
  step(&effects);
  PerformSwim(&effects);
}

template <typename F>
void Process::LaneStep(uint32_t lane, F step) {
  replication::Effects effects;
  step(lanes_[lane].get(), &effects);
  observer_->OnLaneStep(*this, lane);
  PerformLane(lane, &effects);
}

void Process::PerformSwim(membership::Effects* effects) {
  for (const membership::Answer& answer : effects->answers) {
    network_->Answer(
        answer.call,
        wire::EncodeReply(answer.reply, Info()).SerializeAsString());
  }
  for (const membership::Send& send : effects->sends) {
    network_->SendDatagram(endpoint_, send.to,
                           wire::EncodeDatagram(send.datagram, cluster_hash_));
  }
  for (const membership::Exchange& exchange : effects->exchanges) {
    network_->Call(
        endpoint_, exchange.op, exchange.to,
        wire::EncodeRequest(exchange.request, Info()).SerializeAsString(),
        exchange.timeout);
  }
  const bool want_seeds = effects->want_seeds;
  const std::vector<membership::Event> events = std::move(effects->events);
  for (const membership::Event& event : events) {
    observer_->OnMembershipEvent(*this, event);
    const bool over = event.kind == membership::EventKind::kSuperseded ||
                      event.kind == membership::EventKind::kLeaveCompleted;
    if (over && !finished_) {
      finished_ = true;
      observer_->OnFinished(*this);
    }
  }
  if (swim_->view() != view_) PublishView();
  if (want_seeds && !options_.seeds.empty()) {
    SwimStep([this](auto* more) {
      swim_->Step(membership::SeedsResolved{options_.seeds}, Now(), more);
    });
  }
}

void Process::PerformLane(uint32_t lane, replication::Effects* effects) {
  std::map<NodeName, v1::PeerBatch> batches;
  for (const replication::Send& send : effects->sends) {
    const auto link = links_.find(send.to);
    if (link == links_.end() || !link->second.up) continue;
    wire::EncodeLaneMessage(lane, send.message,
                            batches[send.to].add_messages());
  }
  for (auto& [peer, batch] : batches) {
    Link& link = links_[peer];
    if (!link.greeted) *batch.mutable_info() = wire::EncodeNodeInfo(Info());
    link.greeted = true;
    network_->Send(link.stream, batch.SerializeAsString());
  }
  for (const replication::Event& event : effects->events) {
    observer_->OnReplicationEvent(*this, event);
  }
  for (const replication::Reply& reply : effects->replies) {
    observer_->OnReply(*this, reply);
    if (observer_->RepeatsReply(*this)) observer_->OnReply(*this, reply);
  }
}

void Process::PublishView() {
  view_ = swim_->view();
  observer_->OnView(*this);
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    LaneStep(lane, [this](Replicator* core, auto* effects) {
      core->SetView(view_, Now(), effects);
    });
  }
  FollowView();
}

// ---- streams follow membership

void Process::FollowView() {
  for (const membership::Member& member : view_->members()) {
    if (member.name == options_.name) continue;
    const auto link = links_.find(member.name);
    const bool same = link != links_.end() &&
                      link->second.address == member.address &&
                      link->second.generation == member.claim.generation;
    if (link != links_.end() && (!same || !Serves(member.claim.state))) {
      const bool was_up = link->second.up;
      if (link->second.stream != 0) {
        network_->CloseStream(link->second.stream);
        streams_.erase(link->second.stream);
      }
      links_.erase(link);
      if (was_up) TellLanes(member.name, /*up=*/false);
    }
    if (Serves(member.claim.state) && !links_.contains(member.name)) {
      Link fresh;
      fresh.address = member.address;
      fresh.generation = member.claim.generation;
      fresh.backoff = kRedialMin;
      links_[member.name] = fresh;
      OpenLink(member.name);
    }
  }
}

void Process::OpenLink(const NodeName& peer) {
  Link& link = links_[peer];
  link.stream = network_->OpenStream(endpoint_, options_.name, link.address);
  streams_[link.stream] = peer;
}

void Process::RetryLink(const NodeName& peer) {
  const auto link = links_.find(peer);
  if (link == links_.end() || link->second.stream != 0) return;
  OpenLink(peer);
}

void Process::TellLanes(const NodeName& peer, bool up) {
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    LaneStep(lane, [this, &peer, up](Replicator* core, auto* effects) {
      if (up) {
        core->LinkUp(peer, Now(), effects);
      } else {
        core->LinkDown(peer, Now(), effects);
      }
    });
  }
}

void Process::OnStreamOpen(StreamId stream) {
  Do(Inbox::Kind::kLocal, [this, stream] {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    Link& link = links_[found->second];
    link.up = true;
    link.greeted = false;
    link.backoff = kRedialMin;
    TellLanes(NodeName(found->second), /*up=*/true);
  });
}

void Process::OnStreamBroken(StreamId stream) {
  Do(Inbox::Kind::kLocal, [this, stream] {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    const NodeName peer = found->second;
    streams_.erase(found);
    Link& link = links_[peer];
    link.stream = 0;
    const bool was_up = std::exchange(link.up, false);
    const absl::Duration wait = link.backoff;
    link.backoff = std::min(2 * link.backoff, kRedialMax);
    const std::shared_ptr<bool> alive = alive_;
    queue_->After(wait, [this, alive, peer] {
      if (*alive) Do(Inbox::Kind::kLocal, [this, peer] { RetryLink(peer); });
    });
    if (was_up) TellLanes(peer, /*up=*/false);
  });
}

bool Process::ConnectedTo(const NodeName& peer) const {
  const auto link = links_.find(peer);
  return link != links_.end() && link->second.up;
}

// ---- what arrives

wire::NodeInfo Process::Info() const {
  wire::NodeInfo info;
  info.cluster_id = kCluster;
  info.slot_count = options_.replication.slot_count;
  info.lane_count = options_.replication.lane_count;
  info.replicas = options_.replication.replicas;
  info.absolute_lifetime_max = options_.replication.absolute_lifetime_max;
  info.name = options_.name;
  info.generation = options_.generation;
  info.process = options_.process_id;
  info.peer_address = options_.address;
  info.wall = Now().wall;
  return info;
}

void Process::OnDatagram(std::string bytes) {
  observer_->BendBytes(*this, Wire::kDatagram, &bytes);
  Do(Inbox::Kind::kDatagram, [this, bytes = std::move(bytes)] {
    auto datagram = wire::DecodeDatagram(bytes, cluster_hash_);
    if (!datagram.ok()) {
      observer_->OnDamage(*this, datagram.status());
      return;
    }
    observer_->BendDatagram(*this, &*datagram);
    SwimStep([this, &datagram](auto* effects) {
      swim_->Step(membership::DatagramReceived{*std::move(datagram)}, Now(),
                  effects);
    });
  });
}

void Process::OnCall(CallId call, std::string request) {
  Do(Inbox::Kind::kMessage, [this, call, request = std::move(request)] {
    v1::ExchangeRequest proto;
    CHECK(proto.ParseFromString(request));
    const auto theirs = wire::DecodeNodeInfo(proto.info());
    auto decoded = wire::DecodeRequest(proto);
    if (!theirs.ok() || !decoded.ok()) {
      observer_->OnDamage(*this,
                          theirs.ok() ? decoded.status() : theirs.status());
      return;
    }
    SwimStep([&](auto* effects) {
      swim_->Step(membership::RequestReceived{call, *std::move(decoded)}, Now(),
                  effects);
    });
  });
}

void Process::OnCallDone(uint64_t tag, std::optional<std::string> reply) {
  Do(Inbox::Kind::kMessage, [this, tag, reply = std::move(reply)] {
    if (!reply.has_value()) {
      SwimStep([&](auto* effects) {
        swim_->Step(
            membership::ExchangeFailed{
                tag, membership::ExchangeError::kUnreachable, "no answer"},
            Now(), effects);
      });
      return;
    }
    v1::ExchangeResponse proto;
    CHECK(proto.ParseFromString(*reply));
    auto decoded = wire::DecodeReply(proto);
    if (!decoded.ok()) observer_->OnDamage(*this, decoded.status());
    SwimStep([&](auto* effects) {
      if (decoded.ok()) {
        swim_->Step(membership::ReplyReceived{tag, *std::move(decoded)}, Now(),
                    effects);
      } else {
        swim_->Step(
            membership::ExchangeFailed{tag,
                                       membership::ExchangeError::kUnreachable,
                                       decoded.status().ToString()},
            Now(), effects);
      }
    });
  });
}

void Process::OnStreamMessage(const NodeName& from, std::string bytes) {
  observer_->BendBytes(*this, Wire::kStream, &bytes);
  Do(Inbox::Kind::kMessage, [this, from, bytes = std::move(bytes)] {
    auto batch = wire::ParsePeerBatch(bytes);
    if (!batch.ok()) {
      observer_->OnDamage(*this, batch.status());
      return;
    }
    const wire::WireContext context{options_.replication.slot_count,
                                    options_.replication.lane_count};
    for (v1::LaneMessage& proto : *batch->mutable_messages()) {
      auto message = wire::DecodeLaneMessage(std::move(proto), context);
      if (!message.ok()) {
        observer_->OnDamage(*this, message.status());
        continue;
      }
      observer_->BendLaneMessage(*this, &message->message);
      observer_->OnLaneMessage(*this, from, message->message);
      LaneStep(message->lane, [&](Replicator* core, auto* effects) {
        core->Step(from, message->message, Now(), effects);
      });
    }
  });
}

// ---- clients

void Process::Execute(const Command& command, absl::Duration timeout) {
  Do(Inbox::Kind::kLocal, [this, command, deadline = Now().steady + timeout] {
    const auto slot = ids_->SlotOf(command.session_id);
    CHECK(slot.ok()) << slot.status();
    Command copy = command;
    copy.deadline = deadline;
    LaneStep(*slot % static_cast<uint32_t>(lanes_.size()),
             [&](Replicator* core, auto* effects) {
               core->Execute(copy, Now(), effects);
             });
  });
}

void Process::Cancel(SlotId slot, replication::CallHandle handle) {
  lanes_[slot % lanes_.size()]->Cancel(handle);
}

std::string Process::NewSessionId() {
  replication::IdEntropy entropy;
  for (uint8_t& byte : entropy) byte = static_cast<uint8_t>(random_.Below(256));
  const auto slot =
      static_cast<SlotId>(random_.Below(options_.replication.slot_count));
  return ids_->MakeNative(slot, entropy);
}

// ---- time

void Process::ScheduleTimer() {
  absl::Time next = swim_->NextDeadline();
  for (const auto& lane : lanes_) next = std::min(next, lane->NextDeadline());
  if (leaving_ && !left_swim_)
    next = std::min(next, Now().steady + absl::Milliseconds(20));
  if (next == absl::InfiniteFuture()) return;
  const absl::Time due = std::max(next + steady_shift_, queue_->now());
  if (due >= timer_) return;
  timer_ = due;
  const std::shared_ptr<bool> alive = alive_;
  queue_->At(due, [this, alive, due] {
    if (!*alive || timer_ != due) return;
    Do(Inbox::Kind::kLocal, [this] { OnTimer(); });
  });
}

void Process::OnTimer() {
  timer_ = absl::InfiniteFuture();
  if (swim_->NextDeadline() <= Now().steady) {
    SwimStep([this](auto* effects) { swim_->Tick(Now(), effects); });
  }
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane]->NextDeadline() > Now().steady) continue;
    LaneStep(lane, [this](Replicator* core, auto* effects) {
      core->Tick(Now(), effects);
    });
  }
  if (leaving_) LeaveSwimWhenHandedOver();
}

// ---- leaving

void Process::Leave() {
  Do(Inbox::Kind::kLocal, [this] {
    if (leaving_) return;
    leaving_ = true;
    leave_deadline_ = Now().steady + kHandOverMax;
    for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
      LaneStep(lane, [this](Replicator* core, auto* effects) {
        core->Leave(Now(), effects);
      });
    }
  });
}

void Process::LeaveSwimWhenHandedOver() {
  if (left_swim_) return;
  const bool done =
      std::all_of(lanes_.begin(), lanes_.end(),
                  [](const auto& lane) { return lane->handed_over(); });
  if (!done && Now().steady < leave_deadline_) return;
  left_swim_ = true;
  SwimStep([this](auto* effects) { swim_->Leave(Now(), effects); });
}

// ---- what it holds

const replication::Slot& Process::slot(SlotId id) const {
  return lanes_[id % lanes_.size()]->slot(id);
}

replication::Phase Process::phase(SlotId id) const {
  return lanes_[id % lanes_.size()]->phase(id).phase;
}

bool Process::Ready() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->status().ready; });
}

}  // namespace sessionmesh::sim
