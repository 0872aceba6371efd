#include "tests/sim/faults.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sessionmesh::sim {
namespace {

// Two offsets of this size are within clock_offset_max of each other with room
// for drift and for the time that a message is on its way.
absl::Duration OffsetMax(const replication::Config& config) {
  return config.clock_offset_max * 2 / 5;
}

}  // namespace

Faults::Faults(const Schedule& schedule, uint64_t seed, World* world)
    : schedule_(schedule), random_(seed), world_(world) {}

void Faults::Begin() {
  active_ = true;
  Repeat(schedule_.crash, &Faults::Crash);
  Repeat(schedule_.leave, &Faults::Leave);
  Repeat(schedule_.partition, &Faults::Partition);
  Repeat(schedule_.one_way, &Faults::CutOneWay);
  Repeat(schedule_.reset, &Faults::ResetStreams);
  Repeat(schedule_.stall, &Faults::Stall);
  Repeat(schedule_.block, &Faults::Block);
  Repeat(schedule_.slow, &Faults::Slow);
  Repeat(schedule_.clock_jump, &Faults::JumpClock);
  Repeat(schedule_.weather, &Faults::ChangeWeather);
}

void Faults::End() {
  active_ = false;
  world_->net().HealAll();
  world_->net().SetQuality(LinkQuality());
  for (HostId id = 0; id < world_->host_count(); ++id) {
    Process* process = world_->host(id).process.get();
    if (process == nullptr) {
      world_->Start(id);
      continue;
    }
    process->inbox().SetServiceTime(absl::ZeroDuration());
    process->inbox().SetBlocked(false);
    process->inbox().SetStalled(false);
    // One that is leaving comes back when it is gone.
    if (process->leaving()) StartLater(id, absl::Seconds(1));
  }
}

void Faults::Repeat(absl::Duration mean, void (Faults::*fault)()) {
  if (mean == absl::ZeroDuration()) return;
  world_->queue().After(Between(mean / 4, mean * 7 / 4), [this, mean, fault] {
    if (!active_) return;
    (this->*fault)();
    Repeat(mean, fault);
  });
}

void Faults::After(absl::Duration delay, std::function<void()> action) {
  world_->queue().After(delay, std::move(action));
}

absl::Duration Faults::Between(absl::Duration low, absl::Duration high) {
  return absl::Nanoseconds(random_.Between(absl::ToInt64Nanoseconds(low),
                                           absl::ToInt64Nanoseconds(high)));
}

size_t Faults::Running() const { return world_->processes().size(); }

bool Faults::PickRunning(HostId* host) {
  const std::vector<Process*> running = world_->processes();
  if (running.empty()) return false;
  *host = running[random_.Below(running.size())]->host();
  return true;
}

void Faults::StartLater(HostId host, absl::Duration delay) {
  After(delay, [this, host] {
    const Process* process = world_->host(host).process.get();
    if (process == nullptr) {
      world_->Start(host);
    } else if (process->leaving()) {
      StartLater(host, absl::Milliseconds(200));
    }
  });
}

void Faults::Crash() {
  HostId host;
  // Mostly somebody is left; now and then nobody is.
  if (!PickRunning(&host) || (Running() == 1 && !random_.Chance(1, 10))) return;
  world_->Count("fault_crash");
  world_->Kill(host, /*flush=*/random_.Chance(1, 2));
  const bool at_once = random_.Chance(1, 3);
  StartLater(host, at_once
                       ? Between(absl::Milliseconds(1), absl::Milliseconds(300))
                       : Between(absl::Milliseconds(300), absl::Seconds(12)));
}

void Faults::Leave() {
  HostId host;
  if (Running() < 2 || !PickRunning(&host)) return;
  Process* process = world_->host(host).process.get();
  if (process->leaving()) return;
  world_->Count("fault_leave");
  world_->trace().Note(world_->now(), "leave", process->name());
  process->Leave();
  StartLater(host, Between(absl::Seconds(2), absl::Seconds(10)));
}

void Faults::Partition() {
  const size_t hosts = world_->host_count();
  if (hosts < 2) return;
  uint64_t side = 0;
  if (hosts <= 16) {
    side = 1 + random_.Below((uint64_t{1} << hosts) - 2);
  } else {
    // Hosts beyond the bits share the sides of the first ones.
    side = 1 + random_.Below((uint64_t{1} << 16) - 2);
  }
  std::vector<std::pair<HostId, HostId>> cut;
  for (HostId a = 0; a < hosts; ++a) {
    for (HostId b = 0; b < hosts; ++b) {
      if ((side >> a % 16 & 1) != (side >> b % 16 & 1) &&
          !world_->net().IsCut(a, b))
        cut.emplace_back(a, b);
    }
  }
  world_->Count("fault_partition");
  world_->trace().Note(world_->now(), "partition",
                       absl::StrCat("of hosts ", side));
  for (const auto& [a, b] : cut) world_->net().Cut(a, b);
  After(Between(absl::Milliseconds(500), absl::Seconds(12)), [this, cut] {
    world_->trace().Note(world_->now(), "heal", "the partition");
    for (const auto& [a, b] : cut) world_->net().Heal(a, b);
  });
}

void Faults::CutOneWay() {
  const size_t hosts = world_->host_count();
  if (hosts < 2) return;
  const HostId a = random_.Below(hosts);
  const HostId b = (a + 1 + random_.Below(hosts - 1)) % hosts;
  if (world_->net().IsCut(a, b)) return;
  world_->Count("fault_one_way");
  world_->trace().Note(world_->now(), "cut", absl::StrCat(a, " to ", b));
  world_->net().Cut(a, b);
  After(Between(absl::Milliseconds(300), absl::Seconds(8)), [this, a, b] {
    world_->trace().Note(world_->now(), "heal", absl::StrCat(a, " to ", b));
    world_->net().Heal(a, b);
  });
}

void Faults::ResetStreams() {
  const size_t hosts = world_->host_count();
  if (hosts < 2) return;
  const HostId a = random_.Below(hosts);
  const HostId b = (a + 1 + random_.Below(hosts - 1)) % hosts;
  if (world_->net().ResetStreams(a, b) == 0) return;
  world_->Count("fault_reset");
  world_->trace().Note(world_->now(), "reset", absl::StrCat(a, " and ", b));
}

void Faults::Stall() {
  HostId host;
  if (!PickRunning(&host)) return;
  const absl::Duration length =
      Between(absl::Milliseconds(50), absl::Seconds(6));
  Process* process = world_->host(host).process.get();
  if (process->inbox().stalled()) return;
  world_->Count("fault_stall");
  world_->trace().Note(world_->now(), "stall", process->name());
  world_->Disturb(host, world_->now() + length);
  process->inbox().SetStalled(true);
  After(length, [this, host] {
    Process* still = world_->host(host).process.get();
    if (still != nullptr) still->inbox().SetStalled(false);
  });
}

void Faults::Block() {
  HostId host;
  if (!PickRunning(&host)) return;
  const absl::Duration length =
      Between(absl::Milliseconds(50), absl::Seconds(6));
  Process* process = world_->host(host).process.get();
  if (process->inbox().blocked()) return;
  world_->Count("fault_block");
  world_->trace().Note(world_->now(), "block", process->name());
  world_->Disturb(host, world_->now() + length);
  process->inbox().SetBlocked(true);
  After(length, [this, host] {
    Process* still = world_->host(host).process.get();
    if (still != nullptr) still->inbox().SetBlocked(false);
  });
}

void Faults::Slow() {
  HostId host;
  if (!PickRunning(&host)) return;
  const absl::Duration length = Between(absl::Seconds(1), absl::Seconds(6));
  Process* process = world_->host(host).process.get();
  world_->Count("fault_slow");
  world_->trace().Note(world_->now(), "slow", process->name());
  world_->Disturb(host, world_->now() + length + absl::Seconds(2));
  process->inbox().SetServiceTime(
      Between(absl::Milliseconds(1), absl::Milliseconds(30)));
  After(length, [this, host] {
    Process* still = world_->host(host).process.get();
    if (still != nullptr) still->inbox().SetServiceTime(absl::ZeroDuration());
  });
}

void Faults::JumpClock() {
  const HostId host = random_.Below(world_->host_count());
  const absl::Duration bound = OffsetMax(world_->config());
  const absl::Duration offset = Between(-bound, bound);
  world_->Count("fault_clock_jump");
  world_->trace().Note(
      world_->now(), "clock",
      absl::StrCat(host, " to ", absl::FormatDuration(offset)));
  world_->SetClock(host, offset);
}

void Faults::ChangeWeather() {
  LinkQuality quality;
  quality.latency = Between(absl::Microseconds(50), absl::Milliseconds(10));
  quality.jitter = Between(absl::Microseconds(100), absl::Milliseconds(20));
  quality.lost = static_cast<uint32_t>(random_.Below(200));
  quality.duplicated = static_cast<uint32_t>(random_.Below(50));
  quality.reordered = static_cast<uint32_t>(random_.Below(100));
  world_->Count("fault_weather");
  world_->trace().Note(world_->now(), "weather",
                       absl::StrCat("loss ", quality.lost));
  world_->net().SetQuality(quality);
  After(Between(absl::Seconds(2), absl::Seconds(8)), [this] {
    if (active_) world_->net().SetQuality(LinkQuality());
  });
}

}  // namespace sessionmesh::sim
