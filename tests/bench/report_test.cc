#include "tests/bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bench/closed_loop.h"
#include "tests/bench/peer_traffic.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::bench {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ReportTest, APercentileIsTheNearestRank) {
  std::vector<double> samples = {5, 1, 4, 2, 3};

  EXPECT_EQ(Percentile(&samples, 0.5), 3);
  EXPECT_EQ(Percentile(&samples, 0.99), 5);
  EXPECT_EQ(Percentile(&samples, 0.2), 1);
}

TEST(ReportTest, JsonHasTheFourKeysAndNothingElse) {
  EXPECT_EQ(
      Json({{"wire", "bytes_per_update", 120.5, "B"}}),
      "[\n {\n  \"case\": \"wire\",\n  \"metric\": \"bytes_per_update\",\n"
      "  \"unit\": \"B\",\n  \"value\": 120.5\n }\n]\n");
}

TEST(ReportTest, WhatJsonWroteIsReadBack) {
  const std::vector<Row> rows = {{"wire", "per_s", 120.5, "1/s"},
                                 {"memory \"8x64\"", "sessions", 7, ""}};

  const absl::StatusOr<std::vector<Row>> read = ParseJson(Json(rows));

  ASSERT_THAT(read.status(), IsOk());
  EXPECT_EQ(Json(*read), Json(rows));
  for (const char* bad : {"", "{}", "[1]", "[{\"case\": \"wire\"}]"}) {
    EXPECT_THAT(ParseJson(bad).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(ReportTest, TheTableAlignsItsColumns) {
  EXPECT_THAT(
      Table({{"wire", "per_s", 1000, "1/s"}}),
      HasSubstr("wire           per_s                        1000  1/s"));
}

TEST(ClosedLoopTest, EveryCallOfTheRunIsCountedOnceAndTheWarmUpIsNot) {
  size_t started = 0;
  const Loop loop =
      RunClosedLoop(100, 1, [&](size_t n, std::function<void(bool)> done) {
        EXPECT_EQ(n, started++);
        done(n != 50);
      });

  EXPECT_EQ(started, 110u);
  EXPECT_EQ(loop.latencies_us.size(), 100u);
  EXPECT_EQ(loop.failed, 1u);
}

TEST(ClosedLoopTest, CallsThatBlockAreCountedTheSame) {
  size_t started = 0;
  const Loop loop = RunOneByOne(100, [&](size_t n) {
    EXPECT_EQ(n, started++);
    return n != 50;
  });

  EXPECT_EQ(started, 110u);
  EXPECT_EQ(loop.latencies_us.size(), 100u);
  EXPECT_EQ(loop.failed, 1u);
}

TEST(PeerTrafficTest, OnlyConnectionsOfTheGivenPortsCount) {
  const char* output =
      "ESTAB 0 0 127.0.0.1:7401 127.0.0.1:40000\n"
      "\t cubic wscale:7,7 bytes_sent:100 bytes_acked:100 segs_out:3\n"
      "ESTAB 0 0 127.0.0.1:40000 127.0.0.1:7401\n"
      "\t cubic bytes_sent:11\n"
      "ESTAB 0 0 127.0.0.1:9999 127.0.0.1:40001\n"
      "\t cubic bytes_sent:5000\n";

  EXPECT_EQ(SumSentBytes(output, {7401}), 111u);
}

}  // namespace
}  // namespace sessionmesh::bench
