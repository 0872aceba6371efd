#include "node/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sessionmesh::node {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

NodeEvent Quiet(const std::string& kind) {
  NodeEvent event;
  event.severity = Severity::kDebug;
  event.area = "node";
  event.kind = kind;
  return event;
}

TEST(EventLogTest, NumbersEventsFromOne) {
  EventLog log;
  log.Append(Quiet("a"));
  log.Append(Quiet("b"));

  const EventLog::Batch batch = log.Read(1, 10);

  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[0].number, 1u);
  EXPECT_EQ(batch.events[1].kind, "b");
  EXPECT_EQ(batch.next, 3u);
  EXPECT_EQ(batch.lost, 0u);
}

TEST(EventLogTest, AReaderGoesOnWhereItStopped) {
  EventLog log;
  log.Append(Quiet("a"));
  const EventLog::Batch first = log.Read(1, 10);
  log.Append(Quiet("b"));

  const EventLog::Batch second = log.Read(first.next, 10);

  ASSERT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.events[0].kind, "b");
  EXPECT_THAT(log.Read(second.next, 10).events, IsEmpty());
}

TEST(EventLogTest, ASlowReaderLearnsHowManyItLost) {
  EventLog log(/*capacity=*/2);
  for (const char* kind : {"a", "b", "c", "d", "e"}) log.Append(Quiet(kind));

  const EventLog::Batch batch = log.Read(1, 10);

  EXPECT_EQ(batch.lost, 3u);
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[0].kind, "d");
}

TEST(EventLogTest, CountsByAreaAndKind) {
  EventLog log;
  log.Append(Quiet("a"));
  log.Append(Quiet("a"), 4);
  log.Count("other");
  log.Count("other", 2);

  EXPECT_THAT(log.counters(),
              UnorderedElementsAre(Pair("node_a", 5), Pair("other", 3)));
}

class CountingListener : public EventLog::Listener {
 public:
  void OnEvent() override { ++count; }
  int count = 0;
};

TEST(EventLogTest, ListenersAreToldUntilTheyDie) {
  EventLog log;
  auto listener = std::make_shared<CountingListener>();
  log.AddListener(listener);

  log.Append(Quiet("a"));
  EXPECT_EQ(listener->count, 1);
  listener.reset();
  log.Append(Quiet("b"));

  EXPECT_EQ(log.next_number(), 3u);
}

TEST(EventLogTest, ManyThreadsMayAppendAndRead) {
  EventLog log(/*capacity=*/16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log] {
      uint64_t next = 1;
      for (int round = 0; round < 200; ++round) {
        log.Append(Quiet("a"));
        next = log.Read(next, 4).next;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(log.next_number(), 801u);
}

}  // namespace
}  // namespace sessionmesh::node
