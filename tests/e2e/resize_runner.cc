// Grows and shrinks a cluster of real nodes under load and prints what that
// costs; tests/e2e/resize builds and calls it.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/resize.h"

namespace sessionmesh::e2e {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(2);
constexpr size_t kBrowsers = 8;
constexpr int kFailovers = 15;

struct Figure {
  std::string story;
  std::string name;
  double value = 0;
  double most = 0;  // what it should be at most; negative: anything
  // Takes time or a lucky draw, so that a slow machine can miss it: printed,
  // and left to people to judge.
  bool measured = false;
};

struct Settings {
  size_t sessions = 100000;
  size_t bytes = 1000;
  int nodes = 9;
  int replicas = 3;
};

using Figures = std::vector<Figure>;

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("n", i + 1));
  return names;
}

std::vector<std::string> AddressesOf(Cluster* cluster,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> addresses;
  for (const std::string& name : names) {
    addresses.push_back(cluster->daemon(name).Field("client"));
  }
  return addresses;
}

bool AwaitAllSeeEachOther(Cluster* cluster,
                          const std::vector<std::string>& names) {
  return Eventually([&] { return cluster->AllSeeEachOther(names); }, kPatience);
}

bool StartAll(Cluster* cluster, const std::vector<std::string>& names,
              int replicas) {
  for (const std::string& name : names) {
    cluster->Start(name, {"--replicas", absl::StrCat(replicas)});
    if (!cluster->daemon(name).AwaitLine("ready")) return false;
  }
  return AwaitAllSeeEachOther(cluster, names);
}

uint64_t Sum(const std::map<std::string, uint64_t>& copies) {
  uint64_t sum = 0;
  for (const auto& [name, count] : copies) sum += count;
  return sum;
}

// Until there are exactly so many copies, nobody holds one too many, and all
// owners serve.
absl::Status AwaitCopies(Cluster* cluster,
                         const std::vector<std::string>& names,
                         uint64_t copies) {
  const auto are_there = [&] {
    bool still = Sum(Copies(cluster, names)) == copies;
    for (const std::string& name : names) {
      const v1::NodeStatusResponse status = cluster->client(name).Status();
      still = still && status.slots_ready() == status.slots_owned();
    }
    return still;
  };
  if (Eventually(are_there, kPatience)) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("there are ", Sum(Copies(cluster, names)),
                   " copies instead of ", copies));
}

void AddLoad(const std::string& story, const Visitors& visitors,
             Figures* figures) {
  figures->push_back(
      {story, "calls meanwhile", static_cast<double>(visitors.calls()), -1});
  figures->push_back(
      {story, "calls that failed", static_cast<double>(visitors.failed()), 0});
  figures->push_back(
      {story, "stale answers", static_cast<double>(visitors.stale()), 0});
  figures->push_back({story, "longest call, ms",
                      absl::ToDoubleMilliseconds(visitors.longest()), -1});
  if (!visitors.first_failure().empty()) {
    std::cerr << story << ": " << visitors.first_failure() << "\n";
  }
}

// Every n-th session, read on some node.
uint64_t CountLost(const std::vector<std::string>& addresses,
                   const std::vector<Made>& made) {
  const auto client = *client::Client::Open({.addresses = addresses});
  uint64_t lost = 0;
  const size_t step = std::max<size_t>(1, made.size() / 5000);
  for (size_t i = 0; i < made.size(); i += step) {
    if (!client->Get(made[i].id, {made[i].token}).ok()) ++lost;
  }
  return lost;
}

absl::Status GrowAndDrain(const Settings& settings, Figures* figures) {
  Cluster cluster;
  std::vector<std::string> names = Names(settings.nodes);
  if (!StartAll(&cluster, names, settings.replicas)) {
    return absl::InternalError("the nodes did not come up");
  }
  const std::vector<std::string> addresses = AddressesOf(&cluster, names);
  const auto made = MakeSessions(addresses, settings.sessions, settings.bytes);
  if (!made.ok()) return made.status();
  const uint64_t copies =
      settings.sessions * static_cast<uint64_t>(settings.replicas);
  if (absl::Status s = AwaitCopies(&cluster, names, copies); !s.ok()) return s;
  const double share =
      static_cast<double>(copies) / static_cast<double>(settings.nodes);
  double stray = 0;
  for (const auto& [name, count] : Copies(&cluster, names)) {
    stray =
        std::max(stray, std::abs(static_cast<double>(count) / share - 1) * 100);
  }
  figures->push_back(
      {"spread", "farthest from a node's share, %", stray, 15, true});

  std::vector<std::string> more = names;
  more.push_back("comer");
  Visitors grow(addresses, *made, kBrowsers);
  const absl::Time begin = absl::Now();
  cluster.Start("comer", {"--replicas", absl::StrCat(settings.replicas)});
  if (!cluster.daemon("comer").AwaitLine("ready")) {
    return absl::InternalError("the comer did not become ready");
  }
  if (absl::Status s = AwaitCopies(&cluster, more, copies); !s.ok()) return s;
  figures->push_back(
      {"grow", "seconds", absl::ToDoubleSeconds(absl::Now() - begin), -1});
  grow.Stop();
  const double taken =
      static_cast<double>(cluster.client("comer").Status().sessions());
  figures->push_back({"grow", "moved, of its share",
                      taken / (static_cast<double>(copies) /
                               static_cast<double>(settings.nodes + 1)),
                      1.15, true});
  AddLoad("grow", grow, figures);

  Visitors drain(addresses, *made, kBrowsers);
  const absl::Time leaves = absl::Now();
  grpc::ClientContext context;
  v1::LeaveResponse response;
  const grpc::Status left =
      cluster.client("comer").cluster()->Leave(&context, {}, &response);
  figures->push_back(
      {"drain", "seconds", absl::ToDoubleSeconds(absl::Now() - leaves), -1});
  figures->push_back({"drain", "not handed over",
                      left.ok() && response.handed_over() ? 0.0 : 1.0, 0});
  if (absl::Status s = AwaitCopies(&cluster, names, copies); !s.ok()) return s;
  drain.Stop();
  AddLoad("drain", drain, figures);
  figures->push_back({"drain", "sessions lost",
                      static_cast<double>(CountLost(addresses, *made)), 0});
  return absl::OkStatus();
}

// A third node that takes every session.
absl::Status Join(const Settings& settings, Figures* figures) {
  Cluster cluster;
  const std::vector<std::string> names = Names(2);
  if (!StartAll(&cluster, names, settings.replicas)) {
    return absl::InternalError("the nodes did not come up");
  }
  const auto made = MakeSessions(AddressesOf(&cluster, names),
                                 settings.sessions, settings.bytes);
  if (!made.ok()) return made.status();
  const absl::Time begin = absl::Now();
  cluster.Start("comer", {"--replicas", absl::StrCat(settings.replicas)});
  if (!cluster.daemon("comer").AwaitLine("ready", kPatience)) {
    return absl::InternalError("the comer did not become ready");
  }
  figures->push_back({"join", "seconds until it serves all",
                      absl::ToDoubleSeconds(absl::Now() - begin), 5, true});
  const uint64_t sessions = cluster.client("comer").Status().sessions();
  figures->push_back(
      {"join", "sessions it lacks",
       static_cast<double>(settings.sessions) - static_cast<double>(sessions),
       0});
  return absl::OkStatus();
}

// The node that a client wrote to is killed; the client goes on at another one.
absl::Status Failover(const Settings& settings, Figures* figures) {
  Cluster cluster;
  const std::vector<std::string> names = Names(5);
  if (!StartAll(&cluster, names, settings.replicas)) {
    return absl::InternalError("the nodes did not come up");
  }
  std::vector<double> times;
  uint64_t lost = 0;
  for (int i = 0; i < kFailovers; ++i) {
    const std::string& victim = names[1 + static_cast<size_t>(i) % 4];
    const auto wrote = *client::Client::Open(
        {.addresses = {cluster.daemon(victim).Field("client")}});
    const auto made = wrote->Create({.attributes = {{"cart", "1"}}});
    if (!made.ok()) return made.status();
    std::vector<std::string> others;
    for (const std::string& name : names) {
      if (name != victim) others.push_back(name);
    }
    const auto goes_on =
        *client::Client::Open({.addresses = AddressesOf(&cluster, others)});
    // Connected, as an application's is.
    if (absl::Status s =
            goes_on->Touch(made->session().id(), {made->info().token()})
                .status();
        !s.ok()) {
      return s;
    }
    cluster.Kill(victim);
    const absl::Time begin = absl::Now();
    const auto set = goes_on->Update(
        made->session().id(), {made->info().token()}, {.set = {{"cart", "2"}}});
    times.push_back(absl::ToDoubleMilliseconds(absl::Now() - begin));
    if (!set.ok()) {
      ++lost;
      std::cerr << "failover: " << set.status() << "\n";
    }
    cluster.Start(victim, {"--replicas", absl::StrCat(settings.replicas)});
    if (!cluster.daemon(victim).AwaitLine("ready")) {
      return absl::InternalError("the victim did not come back");
    }
    if (!AwaitAllSeeEachOther(&cluster, names)) {
      return absl::InternalError("the victim was not met again");
    }
  }
  std::sort(times.begin(), times.end());
  figures->push_back({"failover", "median ms without a node",
                      times[times.size() / 2], 100, true});
  figures->push_back({"failover", "longest ms", times.back(), -1});
  figures->push_back(
      {"failover", "writes that failed", static_cast<double>(lost), 0});
  return absl::OkStatus();
}

std::string Table(const Figures& figures) {
  std::string table;
  for (const Figure& f : figures) {
    absl::StrAppendFormat(
        &table, "%-10s %-32s %12.2f  %s\n", f.story, f.name, f.value,
        f.most < 0          ? ""
        : f.value <= f.most ? absl::StrFormat("<= %g", f.most)
                            : absl::StrFormat("MORE THAN %g", f.most));
  }
  return table;
}

std::string Json(const Figures& figures) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Figure& f : figures) {
    nlohmann::ordered_json row = {
        {"story", f.story}, {"name", f.name}, {"value", f.value}};
    if (f.most >= 0) row["most"] = f.most;
    array.push_back(std::move(row));
  }
  return array.dump(2) + "\n";
}

int Main(int argc, char** argv) {
  CLI::App app{"What it costs to grow, shrink and lose a node, under load"};
  Settings settings;
  std::vector<std::string> only;
  bool json = false;
  const std::vector<
      std::pair<std::string, absl::Status (*)(const Settings&, Figures*)>>
      stories = {
          {"grow", GrowAndDrain}, {"join", Join}, {"failover", Failover}};
  std::vector<std::string> known;
  for (const auto& [name, story] : stories) known.push_back(name);
  app.add_option("--sessions", settings.sessions)->capture_default_str();
  app.add_option("--bytes", settings.bytes, "of each session")
      ->capture_default_str();
  app.add_option("--nodes", settings.nodes, "of the cluster that grows")
      ->check(CLI::Range(2, 20))
      ->capture_default_str();
  app.add_option("--replicas", settings.replicas)
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--story", only, "only these")->check(CLI::IsMember(known));
  app.add_flag("--json", json, "print only a JSON array");
  CLI11_PARSE(app, argc, argv);
  Figures figures;
  for (const auto& [name, story] : stories) {
    if (!only.empty() && std::count(only.begin(), only.end(), name) == 0) {
      continue;
    }
    std::cerr << name << "\n";
    if (absl::Status s = story(settings, &figures); !s.ok()) {
      std::cerr << name << ": " << s << "\n";
      return 1;
    }
  }
  std::cout << (json ? Json(figures) : Table(figures));
  return std::all_of(figures.begin(), figures.end(),
                     [](const Figure& f) {
                       return f.measured || f.most < 0 || f.value <= f.most;
                     })
             ? 0
             : 1;
}

}  // namespace
}  // namespace sessionmesh::e2e

int main(int argc, char** argv) { return sessionmesh::e2e::Main(argc, argv); }
