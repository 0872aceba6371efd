#include "tests/proto/lane_samples.h"

#include <utility>

#include "tests/proto/random_values.h"

namespace sessionmesh::wire::testing {

using replication::Delta;
using replication::DeltaPtr;
using replication::Op;

namespace {

constexpr char kId[] = "0123456789abcdef0123456789abcd";
constexpr char kNextId[] = "abcdef0123456789abcdef01234567";

DeltaPtr Shared(Delta delta) {
  return std::make_shared<Delta>(std::move(delta));
}

replication::PullReply StateSample() {
  replication::PullReply reply;
  reply.pull = 5;
  reply.slot = kSlot;
  reply.kind = replication::PullReply::Kind::kState;
  reply.ready = true;
  reply.owners_hash = 0x1111;
  reply.last_access_hash = 0x7777;
  reply.degraded = true;
  reply.recent = {{"node-1", absl::ZeroDuration()},
                  {"node-2", absl::Seconds(90)}};
  reply.last_accesses = {{{kAda, 10}, 1767229800000},
                         {{kBob, 4}, 1767229790000}};
  reply.part = 0;
  reply.last = true;
  reply.state.context.AddRange({kAda, 1, 13});
  reply.state.context.AddRange({kBob, 1, 3});
  reply.state.context.AddRange({kBob, 7, 9});
  reply.state.live_hash = {0x2222, 0x3333};
  auto whole = std::make_shared<replication::Life>(LifeSample());
  reply.state.lives.push_back(
      {whole->birth, 1767229800000, whole->LiveDots(), whole});
  reply.state.lives.push_back(
      {{kBob, 4}, 1767229790000, {{kAda, 13}, {kBob, 4}}, nullptr});
  reply.state.parked = {Shared(UpdateSample())};
  return reply;
}

}  // namespace

Delta CreateSample() {
  Delta delta;
  delta.slot = kSlot;
  delta.kind = Delta::Kind::kCreate;
  delta.actor = kAda;
  delta.first = 10;
  delta.births = {{kAda, 10}};
  delta.hlc = kNow;
  delta.ops.push_back(
      {Op::Kind::kPut, std::string(replication::kIdAttribute), kId, {}, kNow});
  delta.ops.push_back({Op::Kind::kPut, "cart", "3 apples", {}, kNow});
  delta.deadline = absl::FromUnixMillis(1767316200000);
  delta.idle = absl::Minutes(30);
  return delta;
}

Delta UpdateSample() {
  Delta delta;
  delta.slot = kSlot;
  delta.kind = Delta::Kind::kUpdate;
  delta.actor = kAda;
  delta.first = 12;
  delta.births = {{kAda, 10}};
  delta.deps = {{kAda, 11}};
  delta.hlc = kNow;
  delta.ops.push_back(
      {Op::Kind::kPut, "cartsize", std::string(32, 'v'), {{kAda, 11}}, kNow});
  return delta;
}

Delta RotateSample() {
  Delta delta;
  delta.slot = kSlot;
  delta.kind = Delta::Kind::kRotate;
  delta.actor = kBob;
  delta.first = 3;
  delta.births = {{kAda, 10}};
  delta.deps = {{kAda, 12}};
  delta.hlc = kNow + 2;
  delta.ops.push_back({Op::Kind::kPut,
                       std::string(replication::kIdAttribute),
                       kNextId,
                       {{kAda, 10}},
                       kNow + 2});
  delta.ops.push_back({Op::Kind::kDelete, "cart", "", {{kAda, 11}}, kNow + 2});
  return delta;
}

Delta KillSample() {
  Delta delta;
  delta.slot = kSlot;
  delta.kind = Delta::Kind::kKill;
  delta.actor = kBob;
  delta.first = 5;
  delta.births = {{kAda, 10}, {kBob, 2}};
  delta.hlc = kNow;
  delta.reason = replication::EndReason::kIdle;
  return delta;
}

replication::Life LifeSample() {
  replication::Life life;
  life.birth = {kAda, 10};
  life.heads = {{kAda, 12}, {kBob, 3}};
  life.deadline_ms = 1767316200000;
  life.idle_ms = 1800000;
  life.ended = {{{kAda, 10}, replication::HashId(kId)}};
  // The attribute "cart" has two siblings.
  life.attributes = replication::AttributeTable::Pack({
      {replication::kIdAttribute, {kBob, 3}, kNow + 2, kNextId},
      {"cart", {kAda, 11}, kNow, "3 apples"},
      {"cart", {kAda, 12}, kNow, "4 apples"},
  });
  return life;
}

std::vector<replication::Message> MessageSamples() {
  replication::Context context;
  context.AddRange({kAda, 1, 13});
  context.AddRange({kBob, 1, 3});
  context.AddRange({kBob, 7, 9});
  return {
      replication::Hello{0xaaaa, 0xbbbb, 0xcccc, 6, {{kAda, "node-1", 0xaaaa}}},
      replication::Frame{0xcccc, 7, {Shared(UpdateSample())}},
      replication::FrameAck{
          0xaaaa, 0xcccc, 7, {{kSlot, {kAda, 12}}}, {{9, {kBob, 3}}}},
      replication::Pull{5, kSlot, context, {0x2222, 0x3333}, 0x4444},
      replication::PullMore{5, 1},
      StateSample(),
      replication::DigestRequest{},
      replication::Digest{
          0xaaaa,
          true,
          true,
          0xbbbb,
          {{9, 1, 2, {replication::Phase::kReady, true}},
           {kSlot, 3, 4, {replication::Phase::kSyncing, false}}}},
      replication::Resync{{9, kSlot}},
      replication::Touches{{{kSlot, {{kAda, 10}, 1767229800000}}}},
      replication::Refuse{"clock too far ahead"},
      replication::DropAsk{kSlot, 0x5555, context, 0x6666},
      replication::DropConsent{kSlot, 0x5555},
  };
}

v1::LaneMessage Encoded(const replication::Message& message) {
  v1::LaneMessage proto;
  EncodeLaneMessage(kLane, message, &proto);
  return proto;
}

v1::LaneMessage Encoded(const Delta& delta) {
  return Encoded(replication::Frame{0xcccc, 7, {Shared(delta)}});
}

absl::Status Refused(v1::LaneMessage message,
                     const std::function<void(v1::LaneMessage*)>& change) {
  change(&message);
  return DecodeLaneMessage(std::move(message), kContext).status();
}

}  // namespace sessionmesh::wire::testing
