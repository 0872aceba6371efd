#include "proto/wire_snapshot.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/proto/lane_samples.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using sessionmesh::testing::StatusIs;

constexpr size_t kState = 5;  // the index of PullReply

// lives[0] is whole: ada:10 with heads ada:12 and bob:3; lives[1] is bob:4 with
// two live dots.
absl::Status LivesRefused(const std::function<void(v1::StatePart*)>& change) {
  return testing::Refused(
      testing::Encoded(testing::MessageSamples()[kState]),
      [&change](v1::LaneMessage* message) {
        change(message->mutable_pull_reply()->mutable_state());
      });
}

void ExpectRefused(const std::function<void(v1::StatePart*)>& change,
                   const char* error) {
  EXPECT_THAT(LivesRefused(change),
              StatusIs(StatusCode::kInvalidArgument,
                       absl::StrCat("pull_reply.state.", error)));
}

TEST(DecodeLivesTest, LivesAscendAndHaveOneBirth) {
  ExpectRefused(
      [](v1::StatePart* s) { s->mutable_lives()->SwapElements(0, 1); },
      "lives[1].birth is 3ad222d00000ada:10, not above 3ad2fe8a0000b0b:4 "
      "before "
      "it");
  ExpectRefused([](v1::StatePart* s) { s->mutable_lives(0)->clear_birth(); },
                "lives[0].birth is missing");
  ExpectRefused([](v1::StatePart* s) { s->mutable_lives(0)->add_birth(0); },
                "lives[0].birth has more than one element");
  ExpectRefused(
      [](v1::StatePart* s) { s->mutable_lives(0)->set_birth(0, 0); },
      "lives[0].birth.counter is 0; 1 to 281474976710655 are allowed");
  ExpectRefused(
      [](v1::StatePart* s) {
        s->mutable_lives(0)->set_last_access_ms(UINT64_MAX);
      },
      "lives[0].last_access_ms is 18446744073709551615; 0 to 140737488355327 "
      "are "
      "allowed");
}

TEST(DecodeLivesTest, LiveDotsAscendAndHoldTheBirth) {
  ExpectRefused(
      [](v1::StatePart* s) { s->mutable_lives(0)->add_live_dots(0); },
      "lives[0].live_dots must not be there: they follow from the whole life");
  ExpectRefused(
      [](v1::StatePart* s) { s->mutable_lives(1)->clear_live_dots(); },
      "lives[1].the birth among live_dots is missing");
  ExpectRefused([](v1::StatePart* s) { s->mutable_lives(1)->add_live_dots(0); },
                "lives[1].live_dots[2] is 3ad2fe8a0000b0b:4, not above "
                "3ad2fe8a0000b0b:4 before it");
  ExpectRefused(
      [](v1::StatePart* s) {
        // 65537 dots, each one above the one before.
        s->mutable_lives(1)->mutable_live_dots()->Resize(0, 0);
        s->mutable_lives(1)->mutable_live_dots()->Resize(65537, 2);
      },
      "lives[1].live_dots has more than 65536 elements, which is the limit");
}

TEST(DecodeLivesTest, AWholeLifeHasHeadsTimesAndAnId) {
  const auto life = [](const std::function<void(v1::Life*)>& change) {
    return [change](v1::StatePart* s) {
      change(s->mutable_lives(0)->mutable_whole());
    };
  };
  ExpectRefused(life([](v1::Life* l) { l->clear_heads(); }),
                "lives[0].whole.heads is missing");
  ExpectRefused(life([](v1::Life* l) { l->add_heads(0); }),
                "lives[0].whole.heads[2] is 3ad2fe8a0000b0b:3, not above "
                "3ad2fe8a0000b0b:3 before "
                "it");
  ExpectRefused(
      life([](v1::Life* l) { l->set_deadline_ms(0); }),
      "lives[0].whole.deadline_ms is 0; 1 to 140737488355327 are allowed");
  ExpectRefused(life([](v1::Life* l) { l->set_idle_ms(uint64_t{1} << 47); }),
                "lives[0].whole.idle_ms is 140737488355328; 1 to "
                "140737488355327 are allowed");
  ExpectRefused(
      life([](v1::Life* l) { l->clear_ended_hashes(); }),
      "lives[0].whole.ended_hashes has 0 elements, but ended_dots has 1");
  ExpectRefused(life([](v1::Life* l) {
                  for (int i = 0; i < 16; ++i) l->add_ended_dots(2);
                }),
                "lives[0].whole.ended_dots has more than 16 elements, which is "
                "the limit");
  ExpectRefused(
      life([](v1::Life* l) { l->mutable_entries()->DeleteSubrange(0, 1); }),
      "lives[0].whole.entry of the session id is missing");
}

TEST(DecodeLivesTest, EntriesAscendAndAreLegal) {
  const auto entry = [](int i, const std::function<void(v1::Entry*)>& change) {
    return [i, change](v1::StatePart* s) {
      change(s->mutable_lives(0)->mutable_whole()->mutable_entries(i));
    };
  };
  ExpectRefused(
      entry(0, [](v1::Entry* e) { e->clear_name(); }),
      "lives[0].whole.entries[0].name has 0 bytes; 1 to 1024 are allowed");
  ExpectRefused(
      entry(1, [](v1::Entry* e) { e->set_name(std::string(1025, 'n')); }),
      "lives[0].whole.entries[1].name has 1025 bytes; 1 to 1024 are allowed");
  ExpectRefused(
      entry(1, [](v1::Entry* e) { e->set_name(std::string("\0x", 2)); }),
      "lives[0].whole.entries[1].name is '\\x00x', reserved (it begins with a "
      "zero "
      "byte) but not known");
  ExpectRefused(entry(2, [](v1::Entry* e) { e->set_name("a"); }),
                "lives[0].whole.entries[2] is not above the one before it, by "
                "name and dot");
  ExpectRefused(entry(2,
                      [](v1::Entry* e) {
                        e->set_name("d");
                        e->set_dot(0, 2);
                      }),
                "lives[0].whole.entries have the dot 3ad222d00000ada:11 twice");
  ExpectRefused(entry(0, [](v1::Entry* e) { e->set_value("short"); }),
                "lives[0].whole.entries[0].value of the session id has 5 "
                "bytes; 16 to 256 are "
                "allowed");
  ExpectRefused(entry(1,
                      [](v1::Entry* e) {
                        e->set_value(std::string((1 << 20) + 1, 'v'));
                      }),
                "lives[0].whole.entries[1].value has 1048577 bytes; 0 to "
                "1048576 are allowed");
  ExpectRefused(
      entry(1, [](v1::Entry* e) { e->set_hlc_ms(INT64_MAX); }),
      "lives[0].whole.entries[1].hlc_ms is 9223372036854775807 after the birth "
      "of its "
      "actor, at 1767225600000; the clock must be from 0 to 140737488355327");
  ExpectRefused(entry(1, [](v1::Entry* e) { e->clear_dot(); }),
                "lives[0].whole.entries[1].dot is missing");
  ExpectRefused(
      [](v1::StatePart* s) {
        for (int i = 0; i < 65534; ++i)
          s->mutable_lives(0)->mutable_whole()->add_entries();
      },
      "lives[0].whole.entries has 65537 elements; at most 65536 are allowed");
}

}  // namespace
}  // namespace sessionmesh::wire
