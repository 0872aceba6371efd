#include "tests/e2e/faults/audit.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/clock.h"

namespace sessionmesh::e2e {
namespace {

constexpr int kThreads = 8;
constexpr int kAuditor = 1000;  // number of the first one as a client
// A little longer than the judge allows.
constexpr absl::Duration kPatience = absl::Seconds(12);
constexpr absl::Duration kBetweenRounds = absl::Seconds(4);

Answer Read(const std::string& id, int id_number,
            const std::vector<std::string>& tokens, int session, int door,
            Caller* caller) {
  v1::GetRequest request;
  request.set_id(id);
  request.mutable_tokens()->Assign(tokens.begin(), tokens.end());
  request.set_consistency(v1::CONSISTENCY_SESSION);
  request.set_peek(true);
  return caller->Get(request, {.session = session,
                               .id_number = id_number,
                               .audit = true,
                               .door = door,
                               .patience = kPatience});
}

// True: all nodes show the same.
bool ReadEverywhere(const SharedSession& session, int doors, bool first,
                    Caller* caller) {
  const SharedSession::Id id = session.CurrentId();
  bool same = true;
  Record one;
  for (int door = 0; door < doors; ++door) {
    const Answer answer =
        Read(id.id, id.number, {}, session.number(), door, caller);
    if (door == 0) one = answer.record;
    same &=
        answer.record.code == one.code && answer.record.values == one.values;
  }
  if (!first) return same;
  int number = 0;
  for (const std::string& former : session.FormerIds()) {
    for (int door = 0; door < doors; ++door) {
      Read(former, number, {}, session.number(), door, caller);
    }
    ++number;
  }
  const std::vector<std::string> tokens = session.tokens();
  if (tokens.empty()) return same;
  for (int door = 0; door < doors; ++door) {
    Read(id.id, id.number, tokens, session.number(), door, caller);
  }
  return same;
}

}  // namespace

void Audit(const std::vector<Door>& doors, const SessionBook& book, int rounds,
           uint32_t seed, History* history) {
  const std::vector<std::shared_ptr<SharedSession>> sessions = book.All();
  std::vector<char> same(sessions.size(), 0);
  for (int round = 0; round < rounds; ++round) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> all_same = true;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Caller caller(kAuditor + round * kThreads + i, doors,
                      seed + static_cast<uint32_t>(i), history);
        for (size_t at = next++; at < sessions.size(); at = next++) {
          if (same[at] != 0) continue;
          // Those that may end by idleness meanwhile are not compared.
          same[at] =
              ReadEverywhere(*sessions[at], static_cast<int>(doors.size()),
                             round == 0, &caller) ||
              sessions[at]->idle() > absl::ZeroDuration();
          if (same[at] == 0) all_same = false;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (all_same) return;
    absl::SleepFor(kBetweenRounds);
  }
}

}  // namespace sessionmesh::e2e
