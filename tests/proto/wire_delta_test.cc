#include "proto/wire_delta.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/proto/lane_samples.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using replication::Delta;
using replication::Op;
using sessionmesh::testing::IsOk;
using sessionmesh::testing::StatusIs;
using testing::CreateSample;
using testing::kAda;
using testing::kBob;
using testing::KillSample;
using testing::kNow;
using testing::RotateSample;
using testing::UpdateSample;

// ---- Errors of core values: the rules of deltas

struct DeltaCase {
  Delta delta;
  std::function<void(Delta*)> change;
  const char* error;  // behind "frame.deltas[0]."
};

void ExpectRefused(const DeltaCase& test) {
  Delta delta = test.delta;
  test.change(&delta);
  EXPECT_THAT(
      testing::Refused(testing::Encoded(delta), [](v1::LaneMessage*) {}),
      StatusIs(StatusCode::kInvalidArgument,
               absl::StrCat("frame.deltas[0].", test.error)));
}

TEST(DecodeDeltaTest, TheSamplesAreLegal) {
  for (const Delta& delta :
       {CreateSample(), UpdateSample(), RotateSample(), KillSample()}) {
    EXPECT_THAT(
        testing::Refused(testing::Encoded(delta), [](v1::LaneMessage*) {}),
        IsOk());
  }
}

TEST(DecodeDeltaTest, NumbersHaveTheirLimits) {
  const DeltaCase kCases[] = {
      {UpdateSample(), [](Delta* d) { d->slot = 18; },
       "slot is 18, which is of lane 2; the message is of lane 1"},
      {UpdateSample(), [](Delta* d) { d->slot = 1025; },
       "slot is 1025; 0 to 1023 are allowed"},
      {UpdateSample(), [](Delta* d) { d->first = 0; },
       "first is 0; 1 to 281474976710655 are allowed"},
      {UpdateSample(), [](Delta* d) { d->first = kCounterMax + 1; },
       "first is 281474976710656; 1 to 281474976710655 are allowed"},
      {CreateSample(), [](Delta* d) { d->first = kCounterMax; },
       "last.counter is 281474976710656; 1 to 281474976710655 are allowed"},
      {UpdateSample(), [](Delta* d) { d->births[0].counter = 0; },
       "births[0].counter is 0; 1 to 281474976710655 are allowed"},
      {UpdateSample(), [](Delta* d) { d->ops[0].hlc = kHlcMax + 1; },
       "ops[0].hlc is 9223372036854775808; 0 to 9223372036854775807 are "
       "allowed"},
      {UpdateSample(),
       [](Delta* d) { d->hlc = d->ops[0].hlc = uint64_t{1} << 63; },
       "hlc_ms is 138970262755328 after the birth of its actor, at "
       "1767225600000; the clock must "
       "be from 0 to 140737488355327"},
      {CreateSample(), [](Delta* d) { d->deadline = absl::UnixEpoch(); },
       "deadline_ms is 0; 1 to 140737488355327 are allowed"},
      {CreateSample(), [](Delta* d) { d->idle = absl::ZeroDuration(); },
       "idle_ms is 0; 1 to 140737488355327 are allowed"},
      {CreateSample(),
       [](Delta* d) { d->idle = absl::Milliseconds(kMillisMax + 1); },
       "idle_ms is 140737488355328; 1 to 140737488355327 are allowed"},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeDeltaTest, ListsHaveTheirLimitsAndAscend) {
  const auto many = [](size_t count) {
    std::vector<replication::Dot> dots;
    for (size_t i = 1; i <= count; ++i) dots.push_back({kBob, i});
    return dots;
  };
  const DeltaCase kCases[] = {
      {UpdateSample(), [&](Delta* d) { d->births = many(4097); },
       "births has more than 4096 elements, which is the limit"},
      {UpdateSample(), [&](Delta* d) { d->deps = many(4097); },
       "deps has more than 4096 elements, which is the limit"},
      {UpdateSample(), [&](Delta* d) { d->ops[0].superseded = many(4097); },
       "ops[0].superseded has more than 4096 elements, which is the limit"},
      {UpdateSample(), [](Delta* d) { d->ops.resize(16385, d->ops[0]); },
       "ops has 16385 elements; at most 16384 are allowed"},
      {UpdateSample(),
       [](Delta* d) {
         d->births = {{kAda, 3}, {kAda, 3}};
       },
       "births[1] is 3ad222d00000ada:3, not above 3ad222d00000ada:3 before it"},
      {UpdateSample(),
       [](Delta* d) {
         d->deps = {{kBob, 3}, {kAda, 3}};
       },
       "deps[1] is 3ad222d00000ada:3, not above 3ad2fe8a0000b0b:3 before it"},
      {RotateSample(), [](Delta* d) { d->inner_heads = {d->dot(0)}; },
       "inner_heads must not be there: a ROTATE is never coalesced"},
      {CreateSample(), [](Delta* d) { d->inner_heads = {d->dot(1)}; },
       "inner_heads[0] is 1 after the one before; 0 or more, and less than 1, "
       "is allowed"},
      {CreateSample(),
       [](Delta* d) {
         d->inner_heads = {d->dot(0), d->dot(0)};
       },
       "inner_heads[1] is 0 after the one before; 1 or more, and less than 1, "
       "is allowed"},
      {KillSample(), [](Delta* d) { d->inner_heads = {d->dot(0)}; },
       "inner_heads[0] is 0 after the one before; 0 or more, and less than 0, "
       "is allowed"},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeDeltaTest, EachKindHasWhatItNeedsAndNothingElse) {
  const DeltaCase kCases[] = {
      {CreateSample(), [](Delta* d) { d->ops.clear(); }, "ops is missing"},
      {CreateSample(),
       [](Delta* d) {
         d->deps = {{kBob, 1}};
       },
       "deps must not be there: a CREATE depends on nothing"},
      {CreateSample(),
       [](Delta* d) {
         d->ops[0].superseded = {{kBob, 1}};
       },
       "ops[0].superseded must not be there: a CREATE gives the first id"},
      {UpdateSample(), [](Delta* d) { d->ops.clear(); }, "ops is missing"},
      {UpdateSample(), [](Delta* d) { d->births.clear(); },
       "births is missing"},
      {UpdateSample(), [](Delta* d) { d->deps.clear(); }, "deps is missing"},
      {RotateSample(), [](Delta* d) { d->ops.clear(); }, "ops is missing"},
      {RotateSample(), [](Delta* d) { d->births.clear(); },
       "births is missing"},
      {RotateSample(), [](Delta* d) { d->ops[0].superseded.clear(); },
       "ops[0].superseded is missing"},
      {KillSample(), [](Delta* d) { d->births.clear(); }, "births is missing"},
      {KillSample(), [](Delta* d) { d->ops = UpdateSample().ops; },
       "ops must not be there: a KILL has none"},
      {KillSample(),
       [](Delta* d) {
         d->deps = {{kBob, 1}};
       },
       "deps must not be there: a KILL waits for nothing"},
      {KillSample(),
       [](Delta* d) { d->reason = replication::EndReason::kDeadline; },
       "reason is 0; 1 to 3 are known"},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeDeltaTest, OnlyCreateAndRotateGiveAnId) {
  const char kOn[] =
      "is on the session id; op 0 of a CREATE or ROTATE, and no other, is to "
      "PUT it";
  const char kNotOn[] =
      "is not on the session id; op 0 of a CREATE or ROTATE, and no other, is "
      "to PUT it";
  const auto id = std::string(replication::kIdAttribute);
  const std::string value = CreateSample().ops[0].value;
  const std::string at0_on = absl::StrCat("ops[0] ", kOn);
  const std::string at1_on = absl::StrCat("ops[1] ", kOn);
  const std::string at0_not = absl::StrCat("ops[0] ", kNotOn);
  const DeltaCase kCases[] = {
      {CreateSample(), [](Delta* d) { d->ops[0].name = "cart"; },
       at0_not.c_str()},
      {RotateSample(), [](Delta* d) { d->ops[0].name = "cart"; },
       at0_not.c_str()},
      {CreateSample(),
       [&](Delta* d) {
         d->ops[1].name = id;
         d->ops[1].value = value;
       },
       at1_on.c_str()},
      {UpdateSample(),
       [&](Delta* d) {
         d->ops[0].name = id;
         d->ops[0].value = value;
       },
       at0_on.c_str()},
      {RotateSample(),
       [](Delta* d) {
         d->ops[0].kind = Op::Kind::kDelete;
         d->ops[0].value.clear();
       },
       at0_on.c_str()},
      {CreateSample(),
       [](Delta* d) {
         d->ops[0].kind = Op::Kind::kVoid;
         d->ops[0].value.clear();
       },
       at0_on.c_str()},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
}

TEST(DecodeDeltaTest, NamesAndValuesHaveTheirLimits) {
  const DeltaCase kCases[] = {
      {UpdateSample(), [](Delta* d) { d->ops[0].name.clear(); },
       "ops[0].name has 0 bytes; 1 to 1024 are allowed"},
      {UpdateSample(), [](Delta* d) { d->ops[0].name.assign(1025, 'n'); },
       "ops[0].name has 1025 bytes; 1 to 1024 are allowed"},
      {UpdateSample(), [](Delta* d) { d->ops[0].name.assign("\0ids", 4); },
       "ops[0].name is '\\x00ids', reserved (it begins with a zero byte) but "
       "not known"},
      {UpdateSample(),
       [](Delta* d) { d->ops[0].value.assign((1 << 20) + 1, 'v'); },
       "ops[0].value has 1048577 bytes; 0 to 1048576 are allowed"},
      {CreateSample(), [](Delta* d) { d->ops[0].value = "too short"; },
       "ops[0].value of the session id has 9 bytes; 16 to 256 are allowed"},
      {CreateSample(), [](Delta* d) { d->ops[0].value.assign(257, 'x'); },
       "ops[0].value of the session id has 257 bytes; 16 to 256 are allowed"},
      {RotateSample(), [](Delta* d) { d->ops[1].value = "v"; },
       "ops[1].value must not be there: only a PUT has one"},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
  // The user of a session is the other reserved attribute, and any op may set
  // it.
  Delta delta = UpdateSample();
  delta.ops[0].name = std::string(replication::kUserAttribute);
  EXPECT_THAT(
      testing::Refused(testing::Encoded(delta), [](v1::LaneMessage*) {}),
      IsOk());
}

TEST(DecodeDeltaTest, NothingRefersToTheFutureOfItsOwnActor) {
  const DeltaCase kCases[] = {
      {UpdateSample(),
       [](Delta* d) {
         d->births = {{kAda, 12}};
       },
       "births names 3ad222d00000ada:12, which is not older than "
       "3ad222d00000ada:12"},
      {UpdateSample(),
       [](Delta* d) {
         d->deps = {{kAda, 13}};
       },
       "deps names 3ad222d00000ada:13, which is not older than "
       "3ad222d00000ada:12"},
      {KillSample(),
       [](Delta* d) {
         d->births = {{kBob, 5}};
       },
       "births names 3ad2fe8a0000b0b:5, which is not older than "
       "3ad2fe8a0000b0b:5"},
      {CreateSample(),
       [](Delta* d) {
         d->ops[1].superseded = {{kAda, 11}};
       },
       "ops[1].superseded names 3ad222d00000ada:11, which is not older than "
       "3ad222d00000ada:11"},
  };
  for (const DeltaCase& test : kCases) ExpectRefused(test);
}

// ---- Errors that only bytes can have

TEST(DecodeDeltaTest, UnknownKindsAndStrayFieldsAreRefused) {
  const struct {
    Delta delta;
    std::function<void(v1::Delta*)> change;
    const char* error;
  } kCases[] = {
      {UpdateSample(),
       [](v1::Delta* p) { p->set_kind(static_cast<v1::Delta::Kind>(4)); },
       "kind is 4; 0 to 3 are known"},
      {UpdateSample(), [](v1::Delta* p) { p->set_actor(1); },
       "actor is index 1; the message has 1 actors"},
      {UpdateSample(), [](v1::Delta* p) { p->set_hlc_logical(65536); },
       "hlc_logical is 65536; 0 to 65535 are allowed"},
      {UpdateSample(), [](v1::Delta* p) { p->set_hlc_ms(INT64_MIN); },
       "hlc_ms is -9223372036854775808 after the birth of its actor, at "
       "1767225600000; the clock "
       "must be from 0 to 140737488355327"},
      {UpdateSample(),
       [](v1::Delta* p) {
         p->mutable_ops(0)->set_kind(static_cast<v1::Op::Kind>(3));
       },
       "ops[0].kind is 3; 0 to 2 are known"},
      {UpdateSample(),
       [](v1::Delta* p) { p->mutable_ops(0)->set_hlc(INT64_MIN); },
       "ops[0].hlc is 9339189209027575808; 0 to 9223372036854775807 are "
       "allowed"},
      {UpdateSample(), [](v1::Delta* p) { p->set_deadline_ms(1); },
       "deadline_ms must not be there: only a CREATE has one"},
      {UpdateSample(), [](v1::Delta* p) { p->set_idle_ms(1); },
       "idle_ms must not be there: only a CREATE has one"},
      {UpdateSample(), [](v1::Delta* p) { p->set_reason(v1::END_REASON_IDLE); },
       "reason must not be there: only a KILL has one"},
      {CreateSample(), [](v1::Delta* p) { p->add_births(0); },
       "births must not be there: a CREATE is its own birth"},
      {UpdateSample(), [](v1::Delta* p) { p->set_births(0, 1); },
       "births[0].actor is missing: the list ends before its index"},
      {UpdateSample(),
       [](v1::Delta* p) {
         p->set_births(0, 1);
         p->add_births(uint64_t{1} << 40);
       },
       "births[0].actor is 1099511627776; 0 to 4294967295 are allowed"},
      {UpdateSample(),
       [](v1::Delta* p) {
         p->set_births(0, 1);
         p->add_births(9);
       },
       "births[0].actor is index 9; the message has 1 actors"},
  };
  for (const auto& test : kCases) {
    const auto change = [&test](v1::LaneMessage* message) {
      test.change(message->mutable_frame()->mutable_deltas(0));
    };
    EXPECT_THAT(testing::Refused(testing::Encoded(test.delta), change),
                StatusIs(StatusCode::kInvalidArgument,
                         absl::StrCat("frame.deltas[0].", test.error)));
  }
}

// ---- Sizes

// An update in a cluster that has been busy for days: the numbers are large.
Delta BusyUpdate(replication::ActorId actor, uint64_t first,
                 absl::Duration actor_age) {
  Delta delta = UpdateSample();
  delta.slot = 1017;
  delta.actor = actor;
  delta.first = first;
  delta.births = {{actor, first - 50000}};
  delta.deps = {{actor, first - 1}};
  delta.ops[0].superseded = {{actor, first - 1}};
  delta.hlc = delta.ops[0].hlc = replication::MakeHlc(
      absl::ToUnixMillis(replication::ActorEpoch(actor) + actor_age), 0);
  return delta;
}

size_t FrameBytes(const std::vector<Delta>& deltas) {
  replication::Frame frame{0xfedcba9876543210, 1 << 20, {}};
  for (const Delta& delta : deltas) {
    frame.deltas.push_back(std::make_shared<Delta>(delta));
  }
  return testing::Encoded(frame).ByteSizeLong();
}

TEST(DeltaSizeTest, AnUpdateInAFrameOfItsOwn) {
  // A name of 8 bytes and a value of 32.
  EXPECT_EQ(testing::Encoded(UpdateSample()).ByteSizeLong(), 87u);
  EXPECT_EQ(FrameBytes({BusyUpdate(kAda, 1000000, absl::Minutes(10))}), 93u);
  EXPECT_EQ(FrameBytes({BusyUpdate(kAda, 1000000, absl::Hours(180))}), 95u);
}

TEST(DeltaSizeTest, EachFurtherUpdateInAFrame) {
  std::vector<Delta> deltas;
  for (uint64_t i = 0; i < 100; ++i) {
    deltas.push_back(BusyUpdate(kAda, 1000000 + i, absl::Hours(180)));
  }
  const size_t one = FrameBytes({deltas[0]});
  EXPECT_EQ((FrameBytes(deltas) - one) / 99, 69u);
}

}  // namespace
}  // namespace sessionmesh::wire
