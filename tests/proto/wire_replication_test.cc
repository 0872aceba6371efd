#include "proto/wire_replication.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/proto/lane_samples.h"
#include "tests/proto/random_values.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using sessionmesh::testing::IsOk;
using sessionmesh::testing::StatusIs;
using testing::kAda;

enum Alternative {
  kHello,
  kFrame,
  kFrameAck,
  kPull,
  kPullMore,
  kPullReply,
  kDigestRequest,
  kDigest,
  kResync,
  kTouches,
  kRefuse,
  kDropAsk,
  kDropConsent
};

struct LaneCase {
  Alternative sample;
  std::function<void(v1::LaneMessage*)> change;
  const char* error;
};

void ExpectRefused(const LaneCase& test) {
  EXPECT_THAT(
      testing::Refused(testing::Encoded(testing::MessageSamples()[test.sample]),
                       test.change),
      StatusIs(StatusCode::kInvalidArgument, test.error));
}

TEST(DecodeLaneMessageTest, TheSamplesAreLegal) {
  for (const replication::Message& message : testing::MessageSamples()) {
    EXPECT_THAT(
        testing::Refused(testing::Encoded(message), [](v1::LaneMessage*) {}),
        IsOk());
  }
}

TEST(DecodeLaneMessageTest, LaneAndTableAreChecked) {
  const LaneCase kCases[] = {
      {kHello, [](v1::LaneMessage* p) { p->set_lane(8); },
       "lane is 8; 0 to 7 are allowed"},
      {kHello, [](v1::LaneMessage* p) { p->clear_body(); }, "body is missing"},
      {kHello, [](v1::LaneMessage* p) { p->set_actors(0, 0); },
       "actors[0] is 0, which is no actor"},
      {kHello,
       [](v1::LaneMessage* p) { p->mutable_actors()->Resize(16385, 1); },
       "actors has 16385 elements; at most 16384 are allowed"},
  };
  for (const LaneCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeLaneMessageTest, StreamMessagesHaveTheirLimits) {
  const LaneCase kCases[] = {
      {kHello, [](v1::LaneMessage* p) { p->mutable_hello()->set_process(0); },
       "hello.process is 0; 1 to 18446744073709551615 are allowed"},
      {kHello,
       [](v1::LaneMessage* p) {
         p->mutable_hello()->set_received_seq(kFrameSeqMax + 1);
       },
       "hello.received_seq is 4611686018427387905; 0 to 4611686018427387904 "
       "are allowed"},
      {kHello,
       [](v1::LaneMessage* p) {
         for (int i = 0; i < 256; ++i) p->mutable_hello()->add_actors();
       },
       "hello.actors has 257 elements; at most 256 are allowed"},
      {kHello,
       [](v1::LaneMessage* p) {
         p->mutable_hello()->mutable_actors(0)->set_actor(1);
       },
       "hello.actors[0].actor is index 1; the message has 1 actors"},
      {kHello,
       [](v1::LaneMessage* p) {
         p->mutable_hello()->mutable_actors(0)->clear_node();
       },
       "hello.actors[0].node has 0 bytes; 1 to 64 are allowed"},
      {kHello,
       [](v1::LaneMessage* p) {
         p->mutable_hello()->mutable_actors(0)->clear_process();
       },
       "hello.actors[0].process is 0; 1 to 18446744073709551615 are allowed"},
      {kFrame, [](v1::LaneMessage* p) { p->mutable_frame()->set_seq(0); },
       "frame.seq is 0; 1 to 4611686018427387904 are allowed"},
      {kFrame,
       [](v1::LaneMessage* p) {
         for (int i = 0; i < 16384; ++i) p->mutable_frame()->add_deltas();
       },
       "frame.deltas has 16385 elements; at most 16384 are allowed"},
      {kFrameAck,
       [](v1::LaneMessage* p) { p->mutable_frame_ack()->set_process(0); },
       "frame_ack.process is 0; 1 to 18446744073709551615 are allowed"},
      {kFrameAck,
       [](v1::LaneMessage* p) { p->mutable_frame_ack()->set_seq(UINT64_MAX); },
       "frame_ack.seq is 18446744073709551615; 0 to 4611686018427387904 are "
       "allowed"},
      {kFrameAck,
       [](v1::LaneMessage* p) {
         p->mutable_frame_ack()->mutable_parked()->add_slots(9);
       },
       "frame_ack.parked.slots has 2 elements, but dots has 1"},
      {kFrameAck,
       [](v1::LaneMessage* p) {
         p->mutable_frame_ack()->mutable_settled()->set_slots(0, 8);
       },
       "frame_ack.settled.slots[0].slot is 8, which is of lane 0; the message "
       "is of lane 1"},
      {kFrameAck,
       [](v1::LaneMessage* p) {
         p->mutable_frame_ack()->mutable_settled()->mutable_dots()->Resize(
             70000, 0);
       },
       "frame_ack.settled.dots has more than 65536 elements, which is the "
       "limit"},
      {kTouches, [](v1::LaneMessage* p) { p->mutable_touches()->add_slots(9); },
       "touches.slots has 2 elements, but accesses has 1"},
      {kTouches,
       [](v1::LaneMessage* p) { p->mutable_touches()->set_slots(0, 1025); },
       "touches.slots[0].slot is 1025; 0 to 1023 are allowed"},
      {kTouches,
       [](v1::LaneMessage* p) {
         p->mutable_touches()->mutable_accesses()->add_times_ms(1);
       },
       "touches.accesses.times_ms has 2 elements, but births has 1"},
      {kTouches,
       [](v1::LaneMessage* p) {
         p->mutable_touches()->mutable_accesses()->set_times_ms(0, -1);
       },
       "touches.accesses.times_ms[0].sum is 18446744073709551615; 0 to "
       "140737488355327 are "
       "allowed"},
      {kTouches,
       [](v1::LaneMessage* p) {
         p->mutable_touches()->mutable_accesses()->mutable_births()->Resize(
             300000, 0);
       },
       "touches.accesses.births has more than 262144 elements, which is the "
       "limit"},
      {kRefuse,
       [](v1::LaneMessage* p) {
         p->mutable_refuse()->set_why(std::string(1025, '!'));
       },
       "refuse.why has 1025 bytes; 0 to 1024 are allowed"},
  };
  for (const LaneCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeLaneMessageTest, SyncMessagesHaveTheirLimits) {
  const LaneCase kCases[] = {
      {kPull, [](v1::LaneMessage* p) { p->mutable_pull()->set_slot(16); },
       "pull.slot is 16, which is of lane 0; the message is of lane 1"},
      {kPull, [](v1::LaneMessage* p) { p->mutable_pull()->clear_context(); },
       "pull.context is missing"},
      {kPull, [](v1::LaneMessage* p) { p->mutable_pull()->clear_live_hash(); },
       "pull.live_hash is missing"},
      {kPullMore,
       [](v1::LaneMessage* p) { p->mutable_pull_more()->set_part(1 << 20); },
       "pull_more.part is 1048576; 0 to 1048575 are allowed"},
      {kDigest,
       [](v1::LaneMessage* p) { p->mutable_digest()->set_slots(1, 9); },
       "digest.slots[1] is 9, not above 9 before it"},
      {kDigest,
       [](v1::LaneMessage* p) { p->mutable_digest()->set_slots(1, 18); },
       "digest.slots[1].slot is 18, which is of lane 2; the message is of lane "
       "1"},
      {kDigest,
       [](v1::LaneMessage* p) { p->mutable_digest()->set_phases(1, 8); },
       "digest.phases[1] is 8; 0 to 7 are allowed"},
      {kDigest, [](v1::LaneMessage* p) { p->mutable_digest()->add_phases(0); },
       "digest.phases has 3 elements, but slots has 2"},
      {kDropAsk,
       [](v1::LaneMessage* p) { p->mutable_drop_ask()->set_slot(16); },
       "drop_ask.slot is 16, which is of lane 0; the message is of lane 1"},
      {kDropAsk,
       [](v1::LaneMessage* p) { p->mutable_drop_ask()->clear_context(); },
       "drop_ask.context is missing"},
      {kDropConsent,
       [](v1::LaneMessage* p) { p->mutable_drop_consent()->set_slot(16); },
       "drop_consent.slot is 16, which is of lane 0; the message is of lane 1"},
      {kDigest,
       [](v1::LaneMessage* p) { p->mutable_digest()->add_context_hashes(1); },
       "digest.context_hashes has 3 elements, but slots has 2"},
      {kDigest,
       [](v1::LaneMessage* p) { p->mutable_digest()->clear_live_hashes(); },
       "digest.live_hashes has 0 elements, but slots has 2"},
      {kResync, [](v1::LaneMessage* p) { p->mutable_resync()->add_slots(1); },
       "resync.slots[2] is 1, not above 17 before it"},
  };
  for (const LaneCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeLaneMessageTest, ContextsAscendAndAreMinimal) {
  const auto change = [](std::function<void(v1::Context*)> f) {
    return [f = std::move(f)](v1::LaneMessage* p) {
      f(p->mutable_pull()->mutable_context());
    };
  };
  // The sample: ada 1..13 and bob 1..3, 7..9; bounds 1 12, 1 2, 4 2.
  const LaneCase kCases[] = {
      {kPull, change([](v1::Context* c) { c->set_actors(1, 0); }),
       "pull.context.actors[1] is 3ad222d00000ada, not above "
       "3ad222d00000ada before it"},
      {kPull, change([](v1::Context* c) { c->set_actors(1, 5); }),
       "pull.context.actors is index 5; the message has 2 actors"},
      {kPull, change([](v1::Context* c) { c->add_actors(0); }),
       "pull.context.range_counts has 2 elements, but actors has 3"},
      {kPull, change([](v1::Context* c) { c->set_range_counts(0, 0); }),
       "pull.context.range_counts is 0; 1 to 65536 are allowed"},
      {kPull, change([](v1::Context* c) { c->set_range_counts(0, 2); }),
       "pull.context.bounds has 6 elements, but the ranges' sum of ends has 8"},
      {kPull, change([](v1::Context* c) { c->set_bounds(0, 0); }),
       "pull.context.bounds[0].gap is 0; 1 to 281474976710655 are allowed"},
      {kPull, change([](v1::Context* c) { c->set_bounds(4, 1); }),
       "pull.context.bounds[4].gap is 1; 2 to 281474976710655 are allowed"},
      {kPull, change([](v1::Context* c) { c->set_bounds(4, kCounterMax); }),
       "pull.context.bounds[4].first is 281474976710658; 1 to 281474976710655 "
       "are allowed"},
      {kPull, change([](v1::Context* c) { c->set_bounds(5, kCounterMax); }),
       "pull.context.bounds[4].length is 281474976710655; 0 to 281474976710648 "
       "are allowed"},
      {kPull,
       change([](v1::Context* c) { c->mutable_bounds()->Resize(131074, 2); }),
       "pull.context.ranges has 65537 elements; at most 65536 are allowed"},
  };
  for (const LaneCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeLaneMessageTest, PullRepliesHaveWhatTheirKindHas) {
  const auto reply = [](std::function<void(v1::PullReply*)> f) {
    return
        [f = std::move(f)](v1::LaneMessage* p) { f(p->mutable_pull_reply()); };
  };
  const LaneCase kCases[] = {
      {kPullReply, reply([](v1::PullReply* r) {
         r->set_kind(v1::PullReply::KIND_UNSPECIFIED);
       }),
       "pull_reply.kind is 0; 1 to 5 are known"},
      {kPullReply, reply([](v1::PullReply* r) { r->set_slot(1024); }),
       "pull_reply.slot is 1024; 0 to 1023 are allowed"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->set_kind(v1::PullReply::EQUAL); }),
       "pull_reply.state must not be there: the reply is of another kind"},
      {kPullReply, reply([](v1::PullReply* r) { r->clear_state(); }),
       "pull_reply.state is missing"},
      {kPullReply, reply([](v1::PullReply* r) { r->add_deltas(); }),
       "pull_reply.deltas must not be there: the reply is of another kind"},
      {kPullReply, reply([](v1::PullReply* r) { r->set_recent(1, "no de"); }),
       "pull_reply.recent[1].name has the byte 32 at offset 2; printable ASCII "
       "without blanks is "
       "allowed"},
      {kPullReply, reply([](v1::PullReply* r) { r->add_recent_age_ms(1); }),
       "pull_reply.recent_age_ms has 3 elements, but recent has 2"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->set_recent_age_ms(0, UINT64_MAX); }),
       "pull_reply.recent_age_ms[0].age is 18446744073709551615; 0 to "
       "4398046511104 are allowed"},
      {kPullReply, reply([](v1::PullReply* r) {
         for (int i = 0; i < 4095; ++i) r->add_recent("n");
       }),
       "pull_reply.recent has 4097 elements; at most 4096 are allowed"},
      {kPullReply, reply([](v1::PullReply* r) { r->set_slot(9); }),
       "pull_reply.state.parked[0].slot is 17; the reply is about slot 9"},
      {kPullReply, reply([](v1::PullReply* r) {
         r->set_kind(v1::PullReply::DELTAS);
         r->clear_state();
         *r->add_deltas() =
             testing::Encoded(testing::UpdateSample()).frame().deltas(0);
         r->set_slot(9);
       }),
       "pull_reply.deltas[0].slot is 17; the reply is about slot 9"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->mutable_state()->set_part(1 << 20); }),
       "pull_reply.state.part is 1048576; 0 to 1048575 are allowed"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->mutable_state()->set_part(1); }),
       "pull_reply.state.context must not be there: this is not part 0"},
      {kPullReply, reply([](v1::PullReply* r) {
         r->mutable_state()->set_part(1);
         r->mutable_state()->clear_context();
       }),
       "pull_reply.state.live_hash must not be there: this is not part 0"},
      {kPullReply, reply([](v1::PullReply* r) {
         r->mutable_state()->set_part(1);
         r->mutable_state()->clear_context();
         r->mutable_state()->clear_live_hash();
       }),
       "pull_reply.state.parked must not be there: this is not part 0"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->mutable_state()->clear_context(); }),
       "pull_reply.state.context is missing"},
      {kPullReply,
       reply([](v1::PullReply* r) { r->mutable_state()->clear_live_hash(); }),
       "pull_reply.state.live_hash is missing"},
      {kPullReply, reply([](v1::PullReply* r) {
         for (int i = 0; i < 65535; ++i) r->mutable_state()->add_lives();
       }),
       "pull_reply.state.lives has 65537 elements; at most 65536 are allowed"},
  };
  for (const LaneCase& test : kCases) ExpectRefused(test);
}

TEST(ParsePeerBatchTest, SizeAndCountAreBounded) {
  EXPECT_THAT(ParsePeerBatch(std::string((4 << 20) + 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument,
                       "batch has 4194305 bytes; 0 to 4194304 are allowed"));
  EXPECT_THAT(ParsePeerBatch("\xff\xff"),
              StatusIs(StatusCode::kInvalidArgument,
                       "batch has 2 bytes that are not a PeerBatch"));
  v1::PeerBatch batch;
  for (int i = 0; i < 1025; ++i) batch.add_messages();
  EXPECT_THAT(ParsePeerBatch(batch.SerializeAsString()),
              StatusIs(StatusCode::kInvalidArgument,
                       "messages has 1025 elements; at most 1024 are allowed"));
  EXPECT_THAT(ParsePeerBatch(""), IsOk());
}

TEST(EncodeLaneMessageTest, AReasonThatIsTooLongIsCut) {
  const v1::LaneMessage proto =
      testing::Encoded(replication::Refuse{std::string(5000, '!')});
  EXPECT_EQ(proto.refuse().why().size(), kRefuseBytesMax);
}

TEST(EncodeLaneMessageTest, EachActorIsNamedOnce) {
  const v1::LaneMessage proto =
      testing::Encoded(testing::MessageSamples()[kPullReply]);
  EXPECT_EQ(proto.actors_size(), 2);
  EXPECT_EQ(proto.actors(0), kAda);
}

}  // namespace
}  // namespace sessionmesh::wire
