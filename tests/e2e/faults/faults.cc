#include "tests/e2e/faults/faults.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "glog/logging.h"

namespace sessionmesh::e2e {
namespace {

// Any two clocks agree within twice this; sessiond asks for 500 ms.
constexpr absl::Duration kClockMax = absl::Milliseconds(200);
// What cannot be told from the time that a call takes proves nothing.
constexpr absl::Duration kClockTold = absl::Milliseconds(40);
constexpr absl::Duration kAwayMax = absl::Seconds(15);
constexpr absl::Duration kReadyMax = absl::Seconds(90);
constexpr absl::Duration kCalm = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(50);

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration), " ms");
}

}  // namespace

Faults::Faults(Fleet* fleet, Network* network, History* history, uint32_t seed,
               bool double_crashes, std::function<bool()> stopped)
    : fleet_(fleet),
      network_(network),
      history_(history),
      stopped_(std::move(stopped)),
      random_(seed),
      kinds_{{"kill", &Faults::Kill},
             {"kill", &Faults::Kill},
             {"stop", &Faults::Stop},
             {"stop", &Faults::Stop},
             {"partition", &Faults::Partition},
             {"partition_kill", &Faults::PartitionKill},
             {"bridge", &Faults::Bridge},
             {"one_way", &Faults::OneWay},
             {"loss", &Faults::Loss},
             {"delay", &Faults::Delay},
             {"leave", &Faults::Leave},
             {"rolling", &Faults::Rolling}} {
  if (Fleet::ClocksCanBeSet()) kinds_.push_back({"clock", &Faults::Clock});
  if (double_crashes) {
    kinds_.push_back({"double_kill", &Faults::DoubleKill});
    kinds_.push_back({"double_kill", &Faults::DoubleKill});
  }
}

bool Faults::Run(absl::Time until) {
  while (true) {
    std::shuffle(kinds_.begin(), kinds_.end(), random_);
    for (const Kind& kind : kinds_) {
      if (SteadyNow() >= until || stopped_()) return true;
      LOG(INFO) << kind.name;
      const bool good = (this->*kind.run)();
      Calm();
      if (!good && !stopped_()) {
        LOG(ERROR) << "the cluster is not whole after " << kind.name;
        return false;
      }
      Sleep(Between(absl::Seconds(1), absl::Seconds(3)));
    }
  }
}

bool Faults::Kill() {
  Unsettle();
  return KillAndRestart("kill", Some(1, 1));
}

bool Faults::DoubleKill() { return KillAndRestart("double_kill", Some(2, 2)); }

bool Faults::KillAndRestart(const std::string& kind, const Names& nodes) {
  const absl::Time begin = SteadyNow();
  bool struck = true;
  for (const std::string& node : nodes) struck = fleet_->Kill(node) && struck;
  const absl::Duration away = Roll(1, 2) == 1
                                  ? absl::ZeroDuration()
                                  : Between(absl::Seconds(1), kAwayMax);
  Sleep(away);
  for (const std::string& node : nodes) fleet_->Start(node);
  Sleep(absl::Seconds(1));
  Calm();
  const bool whole = AwaitWhole();
  if (struck)
    Write(kind, nodes, begin, absl::StrCat("away ", Milliseconds(away)));
  return whole;
}

bool Faults::Stop() {
  Unsettle();
  const Names nodes = Some(1, 1);
  const absl::Duration time =
      Between(absl::Milliseconds(100), absl::Seconds(6));
  const absl::Time begin = SteadyNow();
  fleet_->Stop(nodes[0]);
  Sleep(time);
  fleet_->Continue(nodes[0]);
  Write("stop", nodes, begin, Milliseconds(time));
  return true;
}

void Faults::CutHalves(const Names& left, const Names& right) {
  for (const std::string& a : left) {
    for (const std::string& b : right) {
      network_->Cut(a, b);
      network_->Cut(b, a);
    }
  }
}

bool Faults::Partition() {
  Unsettle();
  const Names nodes = Shuffled();
  const auto middle =
      nodes.begin() + Roll(1, static_cast<int>(nodes.size()) / 2);
  const Names left(nodes.begin(), middle);
  CutHalves(left, {middle, nodes.end()});
  Hold("partition", nodes, absl::StrCat(absl::StrJoin(left, ""), " cut off"),
       Between(absl::Seconds(1), absl::Seconds(9)));
  return true;
}

bool Faults::PartitionKill() {
  const Names nodes = Shuffled();
  const auto middle = nodes.begin() + static_cast<int>(nodes.size()) / 2;
  const Names left(nodes.begin(), middle);
  const absl::Time begin = SteadyNow();
  CutHalves(left, {middle, nodes.end()});
  network_->Apply();
  Sleep(Between(absl::Milliseconds(500), absl::Seconds(5)));
  const bool killed = fleet_->Kill(nodes[0]);
  fleet_->Start(nodes[0]);
  Sleep(Between(absl::ZeroDuration(), absl::Seconds(4)));
  const bool struck = killed && network_->Dropped() > 0;
  Calm();
  if (struck) {
    Write("partition_kill", nodes, begin,
          absl::StrCat(absl::StrJoin(left, ""), " cut off, ", nodes[0],
                       " killed"));
  }
  return AwaitWhole();
}

bool Faults::Bridge() {
  const Names nodes = Shuffled();
  if (nodes.size() < 3) return Partition();
  // The first one hears all.
  const auto middle =
      nodes.begin() + 1 + static_cast<int>(nodes.size() - 1) / 2;
  const Names left(nodes.begin() + 1, middle);
  CutHalves(left, {middle, nodes.end()});
  Hold("bridge", nodes,
       absl::StrCat(absl::StrJoin(left, ""), " cut from ",
                    absl::StrJoin(middle, nodes.end(), ""), ", ", nodes[0],
                    " hears both"),
       Between(absl::Seconds(1), absl::Seconds(9)));
  return true;
}

bool Faults::OneWay() {
  Unsettle();
  const Names nodes = Shuffled();
  const size_t deaf = Roll(1, 2) == 1 ? 1 : nodes.size() - 1;
  for (size_t i = 1; i <= deaf; ++i) network_->Cut(nodes[0], nodes[i]);
  Hold("one_way",
       Names(nodes.begin(),
             nodes.begin() + 1 + static_cast<std::ptrdiff_t>(deaf)),
       absl::StrCat(nodes[0], " is not heard by the others"),
       Between(absl::Seconds(1), absl::Seconds(8)));
  return true;
}

bool Faults::Loss() {
  const Names nodes = Some(1, fleet_->names().size());
  const double fraction = Roll(1, 20) / 100.0;
  AddLoss(nodes, fraction);
  Hold("loss", nodes, absl::StrCat(fraction * 100, " %"),
       Between(absl::Seconds(2), absl::Seconds(8)));
  return true;
}

bool Faults::Delay() {
  const Names nodes = Some(1, fleet_->names().size());
  const absl::Duration delay =
      Between(absl::Milliseconds(5), absl::Milliseconds(100));
  const absl::Time begin = SteadyNow();
  AddDelay(nodes, delay);
  network_->Apply();
  Sleep(Between(absl::Seconds(2), absl::Seconds(8)));
  const bool struck = Delayed() > 0;
  Calm();
  if (struck) Write("delay", nodes, begin, Milliseconds(delay));
  return true;
}

bool Faults::Clock() {
  const Names nodes = Some(1, fleet_->names().size());
  const absl::Time begin = SteadyNow();
  std::string detail;
  bool struck = false;
  for (const std::string& node : nodes) {
    const absl::Duration offset = Between(-kClockMax, kClockMax);
    fleet_->SetClock(node, offset);
    const absl::Duration seen = fleet_->ClockOf(node);
    struck |= absl::AbsDuration(seen - offset) < kClockTold &&
              absl::AbsDuration(offset) > kClockTold;
    absl::StrAppend(&detail, node, " ", Milliseconds(offset), " (says ",
                    Milliseconds(seen), ") ");
  }
  Sleep(Between(absl::Milliseconds(500), absl::Seconds(3)));
  LOG_IF(WARNING, !struck) << "no clock was set: " << detail;
  if (struck) Write("clock", nodes, begin, detail);
  return true;
}

bool Faults::LeaveAndRejoin(const std::string& node, absl::Duration away) {
  if (!fleet_->Leave(node)) LOG(ERROR) << node << " did not leave";
  Sleep(away);
  fleet_->Start(node);
  return AwaitWhole();
}

bool Faults::Leave() {
  const Names nodes = Some(1, 1);
  const absl::Time begin = SteadyNow();
  const bool whole =
      LeaveAndRejoin(nodes[0], Between(absl::ZeroDuration(), absl::Seconds(8)));
  Write("leave", nodes, begin, "");
  return whole;
}

bool Faults::Rolling() {
  const absl::Time begin = SteadyNow();
  const Names nodes = Shuffled();
  for (const std::string& node : nodes) {
    if (!LeaveAndRejoin(node, absl::ZeroDuration())) return false;
  }
  Write("rolling", nodes, begin, "");
  return true;
}

bool Faults::AwaitWhole() {
  if (!fleet_->AwaitWhole(kReadyMax, stopped_)) return false;
  Sleep(kCalm);
  // Only now nothing of before can meet what comes next.
  return fleet_->AwaitWhole(kReadyMax, stopped_);
}

void Faults::Hold(const std::string& kind, const Names& nodes,
                  const std::string& detail, absl::Duration time) {
  const absl::Time begin = SteadyNow();
  network_->Apply();
  Sleep(time);
  const bool struck = network_->Dropped() > 0;
  Calm();
  if (struck) Write(kind, nodes, begin, detail);
}

void Faults::Unsettle() {
  const int roll = Roll(1, 6);
  if (roll == 1) {
    const double fraction = Roll(1, 10) / 100.0;
    const Names nodes = Shuffled();
    AddLoss(nodes, fraction);
    beside_ = {
        "loss", nodes, SteadyNow(), {}, absl::StrCat(fraction * 100, " %")};
  }
  if (roll == 2) {
    const Names nodes = Some(1, 3);
    const absl::Duration delay =
        Between(absl::Milliseconds(5), absl::Milliseconds(50));
    AddDelay(nodes, delay);
    beside_ = {"delay", nodes, SteadyNow(), {}, Milliseconds(delay)};
  }
  network_->Apply();
}

void Faults::Calm() {
  if (beside_.has_value() && (Delayed() > 0 || network_->Dropped() > 0)) {
    beside_->end = SteadyNow();
    history_->AddTrouble(*beside_);
  }
  beside_.reset();
  network_->Heal();
  network_->Apply();
  shapers_.clear();
}

void Faults::AddLoss(const Names& nodes, double fraction) {
  for (const std::string& node : nodes) network_->SetLoss(node, fraction);
}

void Faults::AddDelay(const Names& nodes, absl::Duration delay) {
  for (const std::string& node : nodes) {
    shapers_.push_back(std::make_unique<Shaper>(
        [this, node] { network_->Enter(node); }, delay, delay / 2, random_()));
    network_->SetQueue(node, true);
  }
}

int64_t Faults::Delayed() const {
  int64_t delayed = 0;
  for (const auto& shaper : shapers_) delayed += shaper->delayed();
  return delayed;
}

void Faults::Write(const std::string& kind, const Names& nodes,
                   absl::Time begin, const std::string& detail) {
  history_->AddTrouble({kind, nodes, begin, SteadyNow(), detail});
}

Faults::Names Faults::Shuffled() {
  Names names = fleet_->names();
  std::shuffle(names.begin(), names.end(), random_);
  return names;
}

Faults::Names Faults::Some(size_t least, size_t most) {
  Names names = Shuffled();
  most = std::min(most, names.size());
  names.resize(static_cast<size_t>(
      Roll(static_cast<int>(least), static_cast<int>(most))));
  return names;
}

absl::Duration Faults::Between(absl::Duration low, absl::Duration high) {
  return low + (high - low) * std::uniform_real_distribution<double>()(random_);
}

int Faults::Roll(int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random_);
}

void Faults::Sleep(absl::Duration time) {
  const absl::Time until = SteadyNow() + time;
  while (SteadyNow() < until && !stopped_()) {
    absl::SleepFor(std::min(kLook, until - SteadyNow()));
  }
}

}  // namespace sessionmesh::e2e
