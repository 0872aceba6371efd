#include "tests/proto/random_values.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sessionmesh::wire::testing {

using replication::ActorId;
using replication::DeltaPtr;
using replication::EndReason;
using replication::SlotId;

RandomValues::RandomValues(uint64_t seed) : random_(seed) {
  const absl::Time start = absl::FromUnixSeconds(1767225600);  // 2026-01-01
  for (int i = 0; i < 4; ++i) {
    actors_.push_back(
        replication::MakeActorId(start + absl::Hours(100 * i), random_.Next()));
  }
  // The least and the greatest there can be.
  actors_.push_back(1);
  actors_.push_back(UINT64_MAX);
}

// ---- Small things

// Small and large ones alike.
uint64_t RandomValues::Number(uint64_t max) {
  const uint64_t bits = random_.Below(64);
  const uint64_t number = random_.Next() >> bits;
  return max == UINT64_MAX ? number : number % (max + 1);
}

std::string RandomValues::Name() {
  std::string name = absl::StrCat("node-", random_.Below(100));
  if (random_.Chance(1, 8)) name.resize(kNodeNameBytesMax, '~');
  return name;
}

std::string RandomValues::Bytes(size_t max) {
  std::string bytes(random_.Below(max + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random_.Below(256));
  return bytes;
}

std::string RandomValues::AttributeName() {
  if (random_.Chance(1, 8)) return std::string(replication::kUserAttribute);
  // Any bytes, but not a reserved name.
  return absl::StrCat(random_.Below(10), Bytes(8));
}

std::string RandomValues::SessionId() {
  return absl::StrCat("0123456789abcdef",
                      Bytes(random_.Chance(1, 4) ? 240 : 14));
}

ActorId RandomValues::Actor() { return actors_[random_.Below(actors_.size())]; }

replication::Hlc RandomValues::Clock(ActorId actor) {
  const int64_t age = static_cast<int64_t>(Number(uint64_t{1} << 32));
  const int64_t ms = absl::ToUnixMillis(replication::ActorEpoch(actor)) + age;
  const uint64_t logical = random_.Chance(1, 2) ? 0 : random_.Below(1 << 16);
  return replication::MakeHlc(ms, static_cast<uint16_t>(logical));
}

replication::Dot RandomValues::Dot() {
  return {Actor(), 1 + Number(kCounterMax - 1)};
}

std::vector<replication::Dot> RandomValues::Dots(size_t min, size_t max,
                                                 replication::Dot below) {
  std::set<replication::Dot> dots;
  const size_t count = min + random_.Below(max - min + 1);
  while (dots.size() < count) {
    replication::Dot dot = Dot();
    if (dot.actor == below.actor)
      dot.counter = 1 + dot.counter % (below.counter - 1);
    dots.insert(dot);
  }
  return {dots.begin(), dots.end()};
}

uint32_t RandomValues::Lane() {
  return static_cast<uint32_t>(random_.Below(kContext.lane_count));
}

SlotId RandomValues::Slot(uint32_t lane) {
  const uint64_t row = random_.Below(kContext.slot_count / kContext.lane_count);
  return static_cast<SlotId>(row * kContext.lane_count + lane);
}

std::vector<SlotId> RandomValues::Slots(uint32_t lane) {
  std::set<SlotId> slots;
  for (uint64_t n = random_.Below(6); n > 0; --n) slots.insert(Slot(lane));
  return {slots.begin(), slots.end()};
}

// ---- Membership

membership::Sender RandomValues::Sender() {
  return {Name(), absl::StrCat("10.0.0.", random_.Below(256), ":7401"),
          Number(kGenerationMax), Number(kIncarnationMax), Zone()};
}

membership::Zone RandomValues::Zone() {
  return random_.Chance(1, 2) ? "" : Name();
}

membership::Update RandomValues::Update() {
  membership::Update update;
  update.name = Name();
  update.address =
      random_.Chance(1, 2) ? "[fd00::17]:7401" : "host.example.org:1";
  update.claim = {Number(kGenerationMax), Number(kIncarnationMax),
                  static_cast<membership::State>(random_.Below(4))};
  if (update.claim.state == membership::State::kSuspect ||
      update.claim.state == membership::State::kDead) {
    update.accuser = Name();
  }
  update.zone = Zone();
  return update;
}

membership::Datagram RandomValues::Datagram() {
  membership::Datagram datagram;
  datagram.from = Sender();
  const uint64_t sequence = Number(UINT64_MAX);
  switch (random_.Below(4)) {
    case 0:
      datagram.body =
          membership::Ping{sequence, Name(), Number(kGenerationMax)};
      break;
    case 1:
      datagram.body =
          membership::PingReq{sequence, Name(), Number(kGenerationMax)};
      break;
    case 2:
      datagram.body = membership::Ack{sequence, Name(), Number(kGenerationMax)};
      break;
    default:
      datagram.body = membership::Gossip{};
  }
  for (uint64_t n = random_.Below(5); n > 0; --n)
    datagram.updates.push_back(Update());
  return datagram;
}

membership::Request RandomValues::Request() {
  membership::Request request{Sender(), {}};
  if (random_.Chance(1, 2)) {
    request.body = membership::ReliablePing{Name(), Number(kGenerationMax)};
    return request;
  }
  membership::SyncRequest sync{random_.Next(), {}};
  for (uint64_t n = random_.Below(5); n > 0; --n) sync.push.push_back(Update());
  request.body = sync;
  return request;
}

membership::Reply RandomValues::Reply() {
  membership::Reply reply{Sender(), membership::ReliableAck()};
  switch (random_.Below(3)) {
    case 0:
      break;
    case 1: {
      membership::SyncReply sync{random_.Next(), {}};
      for (uint64_t n = random_.Below(5); n > 0; --n)
        sync.members.push_back(Update());
      reply.body = sync;
      break;
    }
    default: {
      membership::Refusal refusal;
      refusal.reason = static_cast<membership::RefusalReason>(random_.Below(5));
      if (refusal.reason == membership::RefusalReason::kNameConflict ||
          refusal.reason == membership::RefusalReason::kSuperseded) {
        refusal.holder_address = "10.9.9.9:7401";
        refusal.holder_generation = Number(kGenerationMax);
      }
      reply.body = refusal;
    }
  }
  return reply;
}

NodeInfo RandomValues::InfoOf(const membership::Sender& sender) {
  NodeInfo info;
  info.cluster_id = absl::StrCat("shop-", random_.Below(10));
  info.protocol_max = 1 + static_cast<uint32_t>(random_.Below(5));
  info.slot_count = kContext.slot_count;
  info.lane_count = kContext.lane_count;
  info.replicas = 1 + static_cast<uint32_t>(random_.Below(UINT32_MAX));
  info.absolute_lifetime_max = absl::Milliseconds(Millis());
  info.name = sender.name;
  info.generation = sender.generation;
  info.process = 1 + Number(UINT64_MAX - 1);
  info.peer_address = sender.address;
  info.wall =
      absl::FromUnixMicros(static_cast<int64_t>(Number(kMillisMax * 1000)));
  info.key_check = Number(UINT64_MAX);
  return info;
}

// ---- Deltas

replication::Op RandomValues::Op(const replication::Delta& delta,
                                 size_t index) {
  using replication::Delta;
  replication::Op op;
  op.hlc = delta.hlc -
           (index > 0 && random_.Chance(1, 4) ? random_.Below(1 << 20) : 0);
  const bool gives_id = index == 0 && (delta.kind == Delta::Kind::kCreate ||
                                       delta.kind == Delta::Kind::kRotate);
  const bool is_first = gives_id && delta.kind == Delta::Kind::kCreate;
  if (!is_first) op.superseded = Dots(gives_id ? 1 : 0, 3, delta.dot(index));
  if (gives_id) {
    op.name = std::string(replication::kIdAttribute);
    op.value = SessionId();
    return op;
  }
  op.kind = static_cast<replication::Op::Kind>(1 + random_.Below(3));
  op.name = AttributeName();
  if (op.kind == replication::Op::Kind::kPut) op.value = Bytes(40);
  return op;
}

replication::Delta RandomValues::Delta(replication::Delta::Kind kind,
                                       SlotId slot) {
  using Kind = replication::Delta::Kind;
  replication::Delta delta;
  delta.kind = kind;
  delta.slot = slot;
  delta.actor = Actor();
  delta.first = 1000 + Number(kCounterMax - 2000);
  delta.hlc = Clock(delta.actor);
  if (kind == Kind::kCreate) {
    delta.births = {delta.dot(0)};
    delta.deadline = absl::FromUnixMillis(Millis());
    delta.idle = absl::Milliseconds(Millis());
  } else {
    delta.births = Dots(1, 2, delta.dot(0));
  }
  if (kind == Kind::kKill) {
    constexpr EndReason kReasons[] = {EndReason::kDeleted, EndReason::kIdle,
                                      EndReason::kRevoked};
    delta.reason = kReasons[random_.Below(3)];
    return delta;
  }
  if (kind != Kind::kCreate) delta.deps = Dots(1, 3, delta.dot(0));
  const size_t ops = 1 + random_.Below(5);
  for (size_t i = 0; i < ops; ++i) delta.ops.push_back(Op(delta, i));
  if (kind == Kind::kRotate) return delta;
  for (size_t i = 0; i + 1 < ops; ++i) {
    if (random_.Chance(1, 3)) delta.inner_heads.push_back(delta.dot(i));
  }
  return delta;
}

DeltaPtr RandomValues::AnyDelta(SlotId slot) {
  const auto kind = static_cast<replication::Delta::Kind>(1 + random_.Below(4));
  return std::make_shared<replication::Delta>(Delta(kind, slot));
}

std::vector<DeltaPtr> RandomValues::Deltas(SlotId slot) {
  std::vector<DeltaPtr> deltas;
  for (uint64_t n = random_.Below(4); n > 0; --n)
    deltas.push_back(AnyDelta(slot));
  return deltas;
}

// ---- Lives

replication::Life RandomValues::Life() {
  replication::Life life;
  life.birth = Dot();
  const std::vector<replication::Dot> heads = Dots(1, 3, {0, 0});
  life.heads.assign(heads.begin(), heads.end());
  life.deadline_ms = Millis();
  life.idle_ms = Millis();
  for (const replication::Dot& dot : Dots(0, 3, {0, 0})) {
    life.ended.push_back({dot, random_.Next()});
  }
  // Names by dot, then entries by name and dot.
  std::set<std::pair<std::string, replication::Dot>> names;
  names.emplace(replication::kIdAttribute, life.birth);
  for (const replication::Dot& dot : Dots(0, 6, {0, 0})) {
    if (dot == life.birth) continue;
    names.emplace(random_.Chance(1, 3) ? "sibling" : AttributeName(), dot);
  }
  std::vector<std::string> values;
  values.reserve(names.size());
  std::vector<replication::EntryView> entries;
  for (const auto& [name, dot] : names) {
    values.push_back(name == replication::kIdAttribute ? SessionId()
                                                       : Bytes(40));
    entries.push_back({name, dot, Clock(dot.actor), values.back()});
  }
  life.attributes = replication::AttributeTable::Pack(entries);
  return life;
}

replication::SnapshotLife RandomValues::SnapshotLife() {
  replication::SnapshotLife life;
  auto whole = std::make_shared<replication::Life>(Life());
  life.birth = whole->birth;
  life.last_access_ms = Millis();
  life.live_dots = whole->LiveDots();
  if (random_.Chance(2, 3)) life.full = std::move(whole);
  return life;
}

// ---- Messages

replication::Context RandomValues::Context() {
  replication::Context context;
  for (uint64_t n = random_.Below(8); n > 0; --n) {
    const replication::Dot first = Dot();
    const uint64_t length = Number(kCounterMax - first.counter);
    context.AddRange({first.actor, random_.Chance(1, 2) ? 1 : first.counter,
                      first.counter + length});
  }
  return context;
}

replication::LastAccess RandomValues::LastAccess() { return {Dot(), Millis()}; }

std::vector<replication::SlotDot> RandomValues::SlotDots(uint32_t lane) {
  std::vector<replication::SlotDot> dots;
  for (uint64_t n = random_.Below(5); n > 0; --n)
    dots.push_back({Slot(lane), Dot()});
  return dots;
}

replication::PullReply RandomValues::PullReply(uint32_t lane) {
  using Kind = replication::PullReply::Kind;
  replication::PullReply reply;
  reply.pull = Number(UINT64_MAX);
  reply.slot = Slot(lane);
  reply.kind = static_cast<Kind>(1 + random_.Below(5));
  reply.ready = random_.Chance(1, 2);
  reply.owners_hash = random_.Next();
  reply.degraded = random_.Chance(1, 2);
  reply.last_access_hash = random_.Next();
  for (uint64_t n = random_.Below(3); n > 0; --n) {
    reply.recent.push_back({Name(), absl::Milliseconds(static_cast<int64_t>(
                                        random_.Below(1 << 30)))});
  }
  for (uint64_t n = random_.Below(4); n > 0; --n)
    reply.last_accesses.push_back(LastAccess());
  if (reply.kind == Kind::kDeltas) reply.deltas = Deltas(reply.slot);
  if (reply.kind != Kind::kState) return reply;
  reply.part = static_cast<uint32_t>(random_.Below(3));
  reply.last = random_.Chance(1, 2);
  if (reply.part == 0) {
    reply.state.context = Context();
    reply.state.live_hash = {random_.Next(), random_.Next()};
    reply.state.parked = Deltas(reply.slot);
  }
  auto by_birth = [](const replication::SnapshotLife& a,
                     const replication::SnapshotLife& b) {
    return a.birth < b.birth;
  };
  std::set<replication::SnapshotLife, decltype(by_birth)> lives(by_birth);
  for (uint64_t n = random_.Below(4); n > 0; --n) lives.insert(SnapshotLife());
  reply.state.lives.assign(lives.begin(), lives.end());
  return reply;
}

replication::Message RandomValues::Message(size_t alternative, uint32_t lane) {
  switch (alternative) {
    case 0: {
      replication::Hello hello{1 + Number(UINT64_MAX - 1),
                               Number(UINT64_MAX),
                               Number(UINT64_MAX),
                               Number(kFrameSeqMax),
                               {}};
      for (uint64_t n = random_.Below(4); n > 0; --n) {
        hello.actors.push_back({Actor(), Name(), 1 + Number(UINT64_MAX - 1)});
      }
      return hello;
    }
    case 1:
      return replication::Frame{random_.Next(), 1 + Number(kFrameSeqMax - 1),
                                Deltas(Slot(lane))};
    case 2:
      return replication::FrameAck{1 + Number(UINT64_MAX - 1), random_.Next(),
                                   Number(kFrameSeqMax), SlotDots(lane),
                                   SlotDots(lane)};
    case 3:
      return replication::Pull{Number(UINT64_MAX),
                               Slot(lane),
                               Context(),
                               {random_.Next(), random_.Next()},
                               random_.Next()};
    case 4:
      return replication::PullMore{
          Number(UINT64_MAX),
          static_cast<uint32_t>(random_.Below(kStatePartsMax))};
    case 5:
      return PullReply(lane);
    case 6:
      return replication::DigestRequest{};
    case 7: {
      replication::Digest digest{random_.Next(),
                                 random_.Chance(1, 2),
                                 random_.Chance(1, 2),
                                 random_.Next(),
                                 {}};
      for (SlotId slot : Slots(lane)) {
        digest.slots.push_back(
            {slot,
             random_.Next(),
             random_.Next(),
             {static_cast<replication::Phase>(random_.Below(4)),
              random_.Chance(1, 2)}});
      }
      return digest;
    }
    case 8:
      return replication::Resync{Slots(lane)};
    case 9: {
      replication::Touches touches;
      for (uint64_t n = random_.Below(5); n > 0; --n) {
        touches.touches.push_back({Slot(lane), LastAccess()});
      }
      return touches;
    }
    case 10:
      return replication::DropAsk{Slot(lane), random_.Next(), Context(),
                                  random_.Next()};
    case 11:
      return replication::DropConsent{Slot(lane), random_.Next()};
    default:
      return replication::Refuse{Bytes(60)};
  }
}

// ---- Comparison

namespace {

bool SameDeltas(const std::vector<DeltaPtr>& a,
                const std::vector<DeltaPtr>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const DeltaPtr& x, const DeltaPtr& y) { return *x == *y; });
}

bool SameLife(const replication::SnapshotLife& a,
              const replication::SnapshotLife& b) {
  if (a.birth != b.birth || a.last_access_ms != b.last_access_ms ||
      a.live_dots != b.live_dots ||
      (a.full == nullptr) != (b.full == nullptr)) {
    return false;
  }
  if (a.full == nullptr) return true;
  const replication::Life& x = *a.full;
  const replication::Life& y = *b.full;
  return x.birth == y.birth && x.heads == y.heads &&
         x.deadline_ms == y.deadline_ms && x.idle_ms == y.idle_ms &&
         x.attributes == y.attributes && x.ended == y.ended;
}

bool SameBody(const replication::Frame& a, const replication::Frame& b) {
  return a.epoch == b.epoch && a.seq == b.seq && SameDeltas(a.deltas, b.deltas);
}

bool SameBody(const replication::PullReply& a,
              const replication::PullReply& b) {
  return a.pull == b.pull && a.slot == b.slot && a.kind == b.kind &&
         a.ready == b.ready && a.degraded == b.degraded &&
         a.owners_hash == b.owners_hash && a.recent == b.recent &&
         a.last_accesses == b.last_accesses && SameDeltas(a.deltas, b.deltas) &&
         a.part == b.part && a.last == b.last &&
         a.state.context == b.state.context &&
         a.state.live_hash == b.state.live_hash &&
         SameDeltas(a.state.parked, b.state.parked) &&
         std::equal(a.state.lives.begin(), a.state.lives.end(),
                    b.state.lives.begin(), b.state.lives.end(), SameLife);
}

template <typename Body>
bool SameBody(const Body& a, const Body& b) {
  return a == b;
}

}  // namespace

bool Same(const replication::Message& a, const replication::Message& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&b](const auto& body) {
        return SameBody(body, std::get<std::decay_t<decltype(body)>>(b));
      },
      a);
}

}  // namespace sessionmesh::wire::testing
