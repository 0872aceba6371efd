#ifndef TESTS_E2E_SCENARIO_H_
#define TESTS_E2E_SCENARIO_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/client.h"

namespace sessionmesh::e2e {

// What goes wrong with sessions on several servers, as short stories of two
// requests of one user at the same moment on two servers. The same stories are
// told of other session stores, which is why they are counted in one form.

// The attributes that a node shows; nothing: it knows no such session.
using Shown = std::optional<std::map<std::string, std::string>>;

// How one try ended.
struct Outcome {
  // Attributes whose setting was acknowledged, with the value.
  std::vector<std::pair<std::string, std::string>> acknowledged;
  bool logged_out = false;  // a logout was acknowledged
  Shown first;              // when both requests are over and known everywhere
  Shown second;
};

// How all of them did. One try counts at most once in each.
struct Tally {
  std::string scenario;
  int tries = 0;
  // A node shows none of the values that were acknowledged for an attribute,
  // and nobody logged out.
  int lost = 0;
  // The nodes go on showing different things.
  int diverged = 0;
  // A node shows a session that was logged out.
  int resurrected = 0;
};

void Count(const Outcome& outcome, Tally* tally);

// The names that RunScenario takes:
//   different_attributes   each request sets another attribute
//   same_attribute         both set the same one
//   logout_and_slow_write  one reads, thinks and writes; the other logs out
//                          meanwhile
const std::vector<std::string>& ScenarioNames();

// Tells one story `tries` times on two nodes. An error when a node does not do
// what is asked: then nothing can be counted.
absl::StatusOr<Tally> RunScenario(absl::string_view name, int tries,
                                  client::Client* first,
                                  client::Client* second);

// For people; and as an array of {scenario, tries, lost, diverged,
// resurrected}.
std::string TallyTable(const std::vector<Tally>& tallies);
std::string TallyJson(const std::vector<Tally>& tallies);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_SCENARIO_H_
