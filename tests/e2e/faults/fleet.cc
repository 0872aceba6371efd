#include "tests/e2e/faults/fleet.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"

namespace sessionmesh::e2e {
namespace {

constexpr int kClientPort = 7400;
constexpr int kPeerPort = 7401;
constexpr absl::Duration kLeaveMax = absl::Seconds(15);
constexpr absl::Duration kStatusMax = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(200);

}  // namespace

Fleet::Fleet(std::vector<std::string> names, int replicas,
             std::string directory, Network* network, History* history)
    : names_(std::move(names)),
      replicas_(replicas),
      directory_(std::move(directory)),
      network_(network),
      history_(history) {
  for (const std::string& name : names_) {
    const std::string path = absl::StrCat(directory_, "/", name, ".clock");
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    PCHECK(file >= 0) << path;
    PCHECK(ftruncate(file, sizeof(int64_t)) == 0) << path;
    void* const mapped = mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE,
                              MAP_SHARED, file, 0);
    PCHECK(mapped != MAP_FAILED) << path;
    close(file);
    Node& node = nodes_[name];
    node.clock = static_cast<int64_t*>(mapped);
    node.client = std::make_unique<NodeClient>(ClientAddress(name));
  }
}

Fleet::~Fleet() {
  for (auto& [name, node] : nodes_) {
    node.daemon.reset();
    munmap(node.clock, sizeof(int64_t));
  }
}

std::string Fleet::ClientAddress(const std::string& name) const {
  return absl::StrCat(network_->AddressOf(name), ":", kClientPort);
}

void Fleet::Start(const std::string& name) {
  const std::string peer =
      absl::StrCat(network_->AddressOf(name), ":", kPeerPort);
  std::vector<std::string> arguments = {"--name",
                                        name,
                                        "--client-address",
                                        ClientAddress(name),
                                        "--allow-insecure-client-address",
                                        "--peer-address",
                                        peer,
                                        "--advertise-address",
                                        peer,
                                        "--state-dir",
                                        absl::StrCat(directory_, "/", name),
                                        "--replicas",
                                        absl::StrCat(replicas_),
                                        "--profile",
                                        "fast"};
  // The next two, round and round; so none is a seed of all, and the first one
  // to start begins a cluster only because nobody else is there.
  const auto self = std::find(names_.begin(), names_.end(), name);
  const size_t index = static_cast<size_t>(self - names_.begin());
  for (size_t i = 1; i <= 2 && i < names_.size(); ++i) {
    const std::string& seed = names_[(index + i) % names_.size()];
    arguments.push_back("--join");
    arguments.push_back(
        absl::StrCat(network_->AddressOf(seed), ":", kPeerPort));
  }
  std::map<std::string, std::string> environment;
  if (ClocksCanBeSet()) {
    environment["LD_PRELOAD"] = FAULTS_CLOCK_SHIM;
    environment["FAULTS_CLOCK_FILE"] =
        absl::StrCat(directory_, "/", name, ".clock");
  }
  NoteEnd(name);
  Node& node = nodes_.at(name);
  node.daemon.reset();
  node.end_noted = false;
  network_->Enter(name);
  node.daemon =
      std::make_unique<Daemon>(directory_, name, arguments, environment);
  network_->Enter("");
}

void Fleet::NoteEnd(const std::string& name) {
  Node& node = nodes_.at(name);
  if (node.daemon == nullptr || node.end_noted || node.daemon->running()) {
    return;
  }
  LOG(ERROR) << name << " ended by itself: " << node.daemon->Wait();
  history_->AddEnd({name, SteadyNow(), /*crash=*/true, /*asked=*/false});
  node.end_noted = true;
}

bool Fleet::Kill(const std::string& name) {
  NoteEnd(name);
  Daemon& daemon = *nodes_.at(name).daemon;
  if (!daemon.running()) return false;
  nodes_.at(name).end_noted = true;
  daemon.Signal(SIGKILL);
  daemon.Wait();
  // Now it can have acknowledged nothing that is not yet called.
  history_->AddEnd({name, SteadyNow(), /*crash=*/true, /*asked=*/true});
  return true;
}

bool Fleet::Leave(const std::string& name) {
  NoteEnd(name);
  Daemon& daemon = *nodes_.at(name).daemon;
  if (!daemon.running()) return false;
  nodes_.at(name).end_noted = true;
  daemon.Signal(SIGTERM);
  const int code = daemon.Wait(kLeaveMax);
  const bool left = code == 0;
  if (!left) {
    LOG(ERROR) << name << " did not leave: " << code;
    daemon.Signal(SIGKILL);
    daemon.Wait();
  }
  history_->AddEnd({name, SteadyNow(), /*crash=*/!left, /*asked=*/left});
  return left;
}

void Fleet::Stop(const std::string& name) {
  nodes_.at(name).daemon->Signal(SIGSTOP);
}

void Fleet::Continue(const std::string& name) {
  nodes_.at(name).daemon->Signal(SIGCONT);
}

bool Fleet::Running(const std::string& name) {
  Node& node = nodes_.at(name);
  return node.daemon != nullptr && node.daemon->running();
}

bool Fleet::ClocksCanBeSet() { return FAULTS_CLOCK_SHIM[0] != '\0'; }

void Fleet::SetClock(const std::string& name, absl::Duration offset) {
  __atomic_store_n(nodes_.at(name).clock, absl::ToInt64Nanoseconds(offset),
                   __ATOMIC_RELAXED);
}

absl::Duration Fleet::ClockOf(const std::string& name) {
  // The quickest answer tells it best.
  absl::Duration quickest = absl::InfiniteDuration();
  absl::Duration clock;
  v1::CreateRequest request;
  request.set_durability(v1::DURABILITY_LOCAL);
  for (int i = 0; i < 3; ++i) {
    const absl::Time asked = absl::Now();
    const NodeClient::Result made = nodes_.at(name).client->Create(request);
    const absl::Duration time = absl::Now() - asked;
    if (!made.ok() || time >= quickest) continue;
    quickest = time;
    const auto& access = made.session.last_access();
    clock = absl::FromUnixSeconds(access.seconds()) +
            absl::Nanoseconds(access.nanos()) - (asked + time / 2);
  }
  return clock;
}

bool Fleet::SeesAllReady(const std::string& name) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kStatusMax));
  v1::ClusterStatusResponse response;
  if (!nodes_.at(name)
           .client->cluster()
           ->ClusterStatus(&context, {}, &response)
           .ok()) {
    return false;
  }
  size_t ready = 0;
  for (const auto& node : response.nodes()) {
    ready += node.member().state() == v1::MEMBER_STATE_ALIVE &&
             node.status().ready() && !node.status().isolated();
  }
  return ready == names_.size();
}

bool Fleet::Whole() {
  for (const std::string& name : names_) NoteEnd(name);
  const bool whole = std::all_of(
      names_.begin(), names_.end(),
      [this](const auto& name) { return Running(name) && SeesAllReady(name); });
  if (whole) history_->AddWhole(SteadyNow());
  return whole;
}

bool Fleet::AwaitWhole(absl::Duration timeout,
                       const std::function<bool()>& stop_waiting) {
  const absl::Time until = SteadyNow() + timeout;
  do {
    if (Whole()) return true;
    absl::SleepFor(kLook);
  } while (SteadyNow() < until && !stop_waiting());
  return false;
}

}  // namespace sessionmesh::e2e
