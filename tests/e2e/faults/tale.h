#ifndef TESTS_E2E_FAULTS_TALE_H_
#define TESTS_E2E_FAULTS_TALE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/judge.h"

namespace sessionmesh::e2e {

inline absl::Time At(double seconds) {
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

inline Value Own(int64_t count, int writer = 1) {
  return {.attribute = "own" + std::to_string(writer),
          .writer = writer,
          .count = count};
}

inline Value Both(int64_t count, int writer) {
  return {.attribute = "both", .writer = writer, .count = count};
}

// A history made by hand. Calls come one after the other, 0.1 s each from
// second 1 on; the first makes session 0, of client 1, and gives token 0.
class Tale {
 public:
  explicit Tale(absl::Duration idle = absl::ZeroDuration()) {
    story_.begun = At(0);
    story_.healed = At(1000);
    Record& create = Add(Record::Kind::kCreate, 1);
    create.idle = idle;
    create.token = 0;
    create.replicas = 2;
  }

  Record& Add(Record::Kind kind, int client, std::vector<int> tokens = {}) {
    Record record;
    record.number = static_cast<int64_t>(story_.records.size()) + 1;
    record.session = 0;
    record.client = client;
    record.kind = kind;
    record.call = record.number;
    record.tokens = std::move(tokens);
    record.asked = record.answered_by = "a";
    record.invoked = At(now_);
    record.answered = At(now_ + 0.05);
    record.outcome = Record::Outcome::kOk;
    record.level = kind == Record::Kind::kGet ? Record::Level::kSession
                                              : Record::Level::kOne;
    record.replicas = 2;
    now_ += 0.1;
    story_.records.push_back(std::move(record));
    return story_.records.back();
  }

  Record& Write(Value value, std::vector<int> tokens, int token) {
    Record& record =
        Add(Record::Kind::kUpdate, value.writer, std::move(tokens));
    record.wrote = {std::move(value)};
    record.token = token;
    return record;
  }

  Record& Read(int client, std::vector<int> tokens, int token,
               std::vector<Value> values) {
    Record& record = Add(Record::Kind::kGet, client, std::move(tokens));
    record.token = token;
    record.shows = true;
    record.values = std::move(values);
    return record;
  }

  Record& Fails(Record::Kind kind, std::vector<int> tokens,
                const std::string& code, const std::string& reason) {
    Record& record = Add(kind, 1, std::move(tokens));
    record.outcome = Record::Outcome::kRefused;
    record.code = code;
    record.reason = reason;
    return record;
  }

  Record& NotFound(std::vector<int> tokens) {
    return Fails(Record::Kind::kGet, std::move(tokens), "NOT_FOUND",
                 "SESSION_NOT_FOUND");
  }

  // What a node shows in the end.
  Record& Audit(const std::string& node, std::vector<Value> values,
                std::vector<int> tokens = {}) {
    Record& record = Read(9, std::move(tokens), 99, std::move(values));
    record.asked = node;
    record.audit = true;
    record.peek = true;
    return record;
  }

  // Where the next call begins.
  void Wait(double seconds) { now_ += seconds; }
  double now() const { return now_; }
  void Crash(const std::string& node) {
    story_.ends.push_back({node, At(now_), /*crash=*/true});
    Wait(0.1);
  }
  void Leave(const std::string& node) {
    story_.ends.push_back({node, At(now_), /*crash=*/false});
    Wait(0.1);
  }
  void Whole() {
    story_.whole.push_back(At(now_));
    Wait(0.1);
  }
  void Trouble(const std::string& kind, std::vector<std::string> nodes,
               double seconds) {
    story_.troubles.push_back(
        {kind, std::move(nodes), At(now_), At(now_ + seconds), ""});
    Wait(seconds);
  }
  void Healed() { story_.healed = At(now_); }
  Story& story() { return story_; }

  // The rules that are broken, one name for each violation.
  std::vector<std::string> Broken() const {
    std::vector<std::string> names;
    for (const Violation& violation : Judge(story_).violations) {
      names.emplace_back(Name(violation.rule));
    }
    return names;
  }

 private:
  Story story_;
  double now_ = 1;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_TALE_H_
