#include "tests/e2e/scenario.h"

#include <algorithm>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sessionmesh::e2e {
namespace {

using client::Client;
using client::Tokens;

// Longer apart than this, two nodes differ for good.
constexpr absl::Duration kForGood = absl::Seconds(5);
constexpr int kThinkMsMax = 4;

// One of the two requests: what it did is in the outcome it is given, its own.
struct Request {
  Client* client = nullptr;
  std::function<absl::Status(Client*, Outcome*, Tokens*)> act;
};

struct Try {
  std::string id;
  Tokens tokens;  // of the session as it was made
};

absl::StatusOr<Try> Begin(Client* client) {
  const auto created = client->Create({.attributes = {{"made", "yes"}}});
  if (!created.ok()) return created.status();
  return Try{created->session().id(), {created->info().token()}};
}

absl::Status Set(Client* client, const Try& session, const std::string& name,
                 const std::string& value, Outcome* outcome, Tokens* tokens) {
  const auto set =
      client->Update(session.id, session.tokens, {.set = {{name, value}}});
  // Too late: the session is over.
  if (absl::IsNotFound(set.status())) return absl::OkStatus();
  if (!set.ok()) return set.status();
  outcome->acknowledged.emplace_back(name, value);
  tokens->push_back(set->info().token());
  return absl::OkStatus();
}

absl::StatusOr<Shown> Show(Client* client, const Try& session,
                           const Tokens& tokens, v1::Consistency consistency) {
  const auto got =
      client->Get(session.id, tokens, {.consistency = consistency});
  if (absl::IsNotFound(got.status())) return Shown();
  if (!got.ok()) return got.status();
  return Shown(
      {got->session().attributes().begin(), got->session().attributes().end()});
}

// Both requests at once, each on its own node; then what both nodes show to
// who has seen both answers.
absl::StatusOr<Outcome> Run(const Try& session, Request first, Request second) {
  absl::Notification go;
  Outcome outcomes[2];
  Tokens tokens[2];
  std::future<absl::Status> ends[2];
  Request* const requests[] = {&first, &second};
  for (int i = 0; i < 2; ++i) {
    ends[i] = std::async(std::launch::async, [&, i] {
      go.WaitForNotification();
      return requests[i]->act(requests[i]->client, &outcomes[i], &tokens[i]);
    });
  }
  go.Notify();
  const absl::Status status[] = {ends[0].get(), ends[1].get()};
  for (const absl::Status& s : status) {
    if (!s.ok()) return s;
  }
  Outcome outcome = outcomes[0];
  outcome.acknowledged.insert(outcome.acknowledged.end(),
                              outcomes[1].acknowledged.begin(),
                              outcomes[1].acknowledged.end());
  outcome.logged_out = outcome.logged_out || outcomes[1].logged_out;
  Tokens seen = tokens[0];
  seen.insert(seen.end(), tokens[1].begin(), tokens[1].end());
  // With the tokens of both answers nothing may be missing, not for a moment;
  // and whoever has none sees the same before long.
  const absl::Time patience = absl::Now() + kForGood;
  for (const bool with_tokens : {true, false}) {
    do {
      auto one =
          Show(first.client, session, with_tokens ? seen : Tokens(),
               with_tokens ? v1::CONSISTENCY_SESSION : v1::CONSISTENCY_LOCAL);
      if (!one.ok()) return one.status();
      auto other =
          Show(second.client, session, with_tokens ? seen : Tokens(),
               with_tokens ? v1::CONSISTENCY_SESSION : v1::CONSISTENCY_LOCAL);
      if (!other.ok()) return other.status();
      outcome.first = *std::move(one);
      outcome.second = *std::move(other);
    } while (!with_tokens && outcome.first != outcome.second &&
             absl::Now() < patience);
    Tally tally;
    Count(outcome, &tally);
    if (tally.lost + tally.diverged + tally.resurrected > 0) break;
  }
  return outcome;
}

Request Setting(Client* client, const Try& session, const std::string& name,
                const std::string& value) {
  return {client, [session, name, value](Client* node, Outcome* outcome,
                                         Tokens* tokens) {
            return Set(node, session, name, value, outcome, tokens);
          }};
}

absl::StatusOr<Outcome> DifferentAttributes(Client* first, Client* second,
                                            int number) {
  const absl::StatusOr<Try> session = Begin(first);
  if (!session.ok()) return session.status();
  return Run(*session, Setting(first, *session, "left", absl::StrCat(number)),
             Setting(second, *session, "right", absl::StrCat(number)));
}

absl::StatusOr<Outcome> SameAttribute(Client* first, Client* second,
                                      int number) {
  const absl::StatusOr<Try> session = Begin(first);
  if (!session.ok()) return session.status();
  return Run(
      *session,
      Setting(first, *session, "cart", absl::StrCat("first ", number)),
      Setting(second, *session, "cart", absl::StrCat("second ", number)));
}

absl::StatusOr<Outcome> LogoutAndSlowWrite(Client* first, Client* second,
                                           int number) {
  const absl::StatusOr<Try> session = Begin(first);
  if (!session.ok()) return session.status();
  std::minstd_rand random(static_cast<unsigned>(number) + 1);
  std::uniform_int_distribution<int> think(0, kThinkMsMax * 1000);
  const absl::Duration writer_thinks = absl::Microseconds(think(random));
  const absl::Duration logout_comes = absl::Microseconds(think(random));
  const auto write = [&](Client* node, Outcome* outcome, Tokens* tokens) {
    const auto read = node->Get(session->id, session->tokens);
    if (absl::IsNotFound(read.status())) return absl::OkStatus();
    if (!read.ok()) return read.status();
    absl::SleepFor(writer_thinks);
    const Try seen{session->id, {read->info().token()}};
    return Set(node, seen, "page", "7", outcome, tokens);
  };
  const auto log_out = [&](Client* node, Outcome* outcome, Tokens* tokens) {
    absl::SleepFor(logout_comes);
    const auto over = node->Delete(session->id, session->tokens);
    if (!over.ok()) return over.status();
    outcome->logged_out = true;
    tokens->push_back(over->info().token());
    return absl::OkStatus();
  };
  return Run(*session, {first, write}, {second, log_out});
}

struct Scenario {
  std::string name;
  std::function<absl::StatusOr<Outcome>(Client*, Client*, int)> run;
};

const std::vector<Scenario>& Scenarios() {
  static const auto* const scenarios = new std::vector<Scenario>{
      {"different_attributes", DifferentAttributes},
      {"same_attribute", SameAttribute},
      {"logout_and_slow_write", LogoutAndSlowWrite},
  };
  return *scenarios;
}

bool Lost(const Outcome& outcome, const Shown& shown) {
  if (outcome.logged_out || outcome.acknowledged.empty()) return false;
  if (!shown.has_value()) return true;
  std::map<std::string, std::set<std::string>> values;
  for (const auto& [name, value] : outcome.acknowledged) {
    values[name].insert(value);
  }
  return std::any_of(values.begin(), values.end(), [&shown](const auto& v) {
    const auto found = shown->find(v.first);
    return found == shown->end() || v.second.count(found->second) == 0;
  });
}

}  // namespace

void Count(const Outcome& outcome, Tally* tally) {
  ++tally->tries;
  tally->lost += Lost(outcome, outcome.first) || Lost(outcome, outcome.second);
  tally->diverged += outcome.first != outcome.second;
  tally->resurrected += outcome.logged_out && (outcome.first.has_value() ||
                                               outcome.second.has_value());
}

const std::vector<std::string>& ScenarioNames() {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>;
    for (const Scenario& scenario : Scenarios()) all->push_back(scenario.name);
    return all;
  }();
  return *names;
}

absl::StatusOr<Tally> RunScenario(absl::string_view name, int tries,
                                  Client* first, Client* second) {
  const auto scenario =
      std::find_if(Scenarios().begin(), Scenarios().end(),
                   [name](const Scenario& s) { return s.name == name; });
  if (scenario == Scenarios().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no scenario \"", name, "\""));
  }
  Tally tally{.scenario = scenario->name};
  for (int i = 0; i < tries; ++i) {
    const absl::StatusOr<Outcome> outcome = scenario->run(first, second, i);
    if (!outcome.ok()) return outcome.status();
    Count(*outcome, &tally);
  }
  return tally;
}

std::string TallyTable(const std::vector<Tally>& tallies) {
  std::string table =
      absl::StrFormat("%-22s %6s %6s %9s %12s\n", "scenario", "tries", "lost",
                      "diverged", "resurrected");
  for (const Tally& tally : tallies) {
    absl::StrAppendFormat(&table, "%-22s %6d %6d %9d %12d\n", tally.scenario,
                          tally.tries, tally.lost, tally.diverged,
                          tally.resurrected);
  }
  return table;
}

std::string TallyJson(const std::vector<Tally>& tallies) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Tally& tally : tallies) {
    array.push_back({{"scenario", tally.scenario},
                     {"tries", tally.tries},
                     {"lost", tally.lost},
                     {"diverged", tally.diverged},
                     {"resurrected", tally.resurrected}});
  }
  return array.dump(1) + "\n";
}

}  // namespace sessionmesh::e2e
