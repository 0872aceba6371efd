#include "tests/e2e/faults/history.h"

#include <time.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

namespace sessionmesh::e2e {
namespace {

using Json = nlohmann::ordered_json;

double Seconds(absl::Time time, absl::Time begun) {
  return absl::ToDoubleSeconds(time - begun);
}

Json ValuesJson(const std::vector<Value>& values) {
  Json json = Json::object();
  for (const Value& value : values) {
    json[value.attribute] = {value.writer, value.count};
  }
  return json;
}

}  // namespace

absl::Time SteadyNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

bool Record::final() const {
  return code != "UNAVAILABLE" && code != "DEADLINE_EXCEEDED" &&
         code != "CANCELLED" && code != "UNKNOWN" && code != "INTERNAL" &&
         code != "RESOURCE_EXHAUSTED";
}

absl::string_view Name(Record::Kind kind) {
  switch (kind) {
    case Record::Kind::kCreate:
      return "create";
    case Record::Kind::kGet:
      return "get";
    case Record::Kind::kUpdate:
      return "update";
    case Record::Kind::kTouch:
      return "touch";
    case Record::Kind::kRotate:
      return "rotate";
    case Record::Kind::kDelete:
      return "delete";
  }
  return "?";
}

absl::string_view Name(Record::Level level) {
  switch (level) {
    case Record::Level::kNone:
      return "";
    case Record::Level::kLocal:
      return "local";
    case Record::Level::kSession:
      return "session";
    case Record::Level::kOne:
      return "one";
    case Record::Level::kQuorum:
      return "quorum";
    case Record::Level::kAll:
      return "all";
  }
  return "?";
}

absl::string_view Name(Record::Outcome outcome) {
  switch (outcome) {
    case Record::Outcome::kOk:
      return "ok";
    case Record::Outcome::kRefused:
      return "refused";
    case Record::Outcome::kUnknown:
      return "unknown";
  }
  return "?";
}

std::string ToJson(const Record& record, absl::Time begun) {
  Json json = {{"n", record.number},
               {"client", record.client},
               {"session", record.session},
               {"call", record.call},
               {"try", record.attempt},
               {"kind", Name(record.kind)},
               {"level", Name(record.level)},
               {"asked", record.asked},
               {"by", record.answered_by},
               {"invoked", Seconds(record.invoked, begun)},
               {"answered", Seconds(record.answered, begun)},
               {"outcome", Name(record.outcome)},
               {"code", record.code}};
  if (record.id_number > 0) json["id_number"] = record.id_number;
  if (!record.reason.empty()) json["reason"] = record.reason;
  if (!record.message.empty()) json["message"] = record.message;
  if (!record.tokens.empty()) json["tokens"] = record.tokens;
  if (record.token >= 0) json["token"] = record.token;
  if (!record.wrote.empty()) json["wrote"] = ValuesJson(record.wrote);
  if (record.shows) json["shows"] = ValuesJson(record.values);
  if (record.replicas > 0) json["replicas"] = record.replicas;
  if (record.degraded) json["degraded"] = true;
  if (record.peek) json["peek"] = true;
  if (record.audit) json["audit"] = true;
  if (record.idle > absl::ZeroDuration()) {
    json["idle"] = absl::ToDoubleSeconds(record.idle);
  }
  if (!record.id.empty()) json["id"] = record.id;
  return json.dump();
}

void WriteJsonLines(const Story& story, std::ostream* out) {
  for (const Trouble& trouble : story.troubles) {
    *out << Json{{"trouble", trouble.kind},
                 {"nodes", trouble.nodes},
                 {"begin", Seconds(trouble.begin, story.begun)},
                 {"end", Seconds(trouble.end, story.begun)},
                 {"detail", trouble.detail}}
                .dump()
         << "\n";
  }
  for (const End& end : story.ends) {
    *out << Json{{"end", end.crash ? "crash" : "leave"},
                 {"node", end.node},
                 {"asked", end.asked},
                 {"at", Seconds(end.at, story.begun)}}
                .dump()
         << "\n";
  }
  for (const absl::Time at : story.whole) {
    *out << Json{{"whole", Seconds(at, story.begun)}}.dump() << "\n";
  }
  *out << Json{{"healed", Seconds(story.healed, story.begun)},
               {"settled", story.settled},
               {"replicas", story.replicas}}
              .dump()
       << "\n";
  for (const Record& record : story.records) {
    *out << ToJson(record, story.begun) << "\n";
  }
}

History::History() { story_.begun = SteadyNow(); }

void History::Add(Record record) {
  const std::lock_guard<std::mutex> lock(mutex_);
  record.number = static_cast<int64_t>(story_.records.size()) + 1;
  // The order of the answers, as far as one clock knows it.
  record.answered = SteadyNow();
  story_.records.push_back(std::move(record));
}

void History::AddTrouble(Trouble trouble) {
  const std::lock_guard<std::mutex> lock(mutex_);
  story_.troubles.push_back(std::move(trouble));
}

void History::AddEnd(End end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  story_.ends.push_back(std::move(end));
}

void History::AddWhole(absl::Time at) {
  const std::lock_guard<std::mutex> lock(mutex_);
  story_.whole.push_back(at);
}

void History::SetHealed(absl::Time at) {
  const std::lock_guard<std::mutex> lock(mutex_);
  story_.healed = at;
}

int History::TokenNumber(const std::string& token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [place, fresh] =
      tokens_.emplace(token, static_cast<int>(tokens_.size()));
  return place->second;
}

Story History::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Story story = std::move(story_);
  story_ = Story();
  return story;
}

}  // namespace sessionmesh::e2e
