#include "tests/membership/swim_network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::membership {
namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  return (hash ^ (value + 0x9e3779b97f4a7c15u)) * 0x100000001b3u;
}

uint64_t Mix(uint64_t hash, const std::string& text) {
  for (const char byte : text) {
    hash = Mix(hash, static_cast<unsigned char>(byte));
  }
  return Mix(hash, text.size());
}

}  // namespace

SwimNetwork::SwimNetwork(const Options& options, uint64_t seed)
    : options_(options), random_(seed) {
  now_.steady = absl::UnixEpoch() + absl::Hours(1);
  now_.wall = absl::FromUnixSeconds(1700000000);
}

size_t SwimNetwork::Start() {
  const size_t node = nodes_.size();
  nodes_.emplace_back();
  nodes_[node].name = absl::StrCat("n", node);
  nodes_[node].address =
      absl::StrCat("10.0.", node / 250, ".", node % 250 + 1, ":7401");
  StartProcess(node);
  return node;
}

void SwimNetwork::StartCluster(size_t count) {
  const int loss = options_.loss_percent;
  options_.loss_percent = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t node = Start();
    if (node > 0) Join(node, {0});
  }
  CHECK(RunUntil([this] { return AllAgree(); }, absl::Minutes(2)))
      << "the cluster did not form";
  options_.loss_percent = loss;
}

void SwimNetwork::Join(size_t node, const std::vector<size_t>& seeds) {
  nodes_[node].seeds = seeds;
  Effects effects;
  nodes_[node].swim->Join(Resolve(seeds), now_, &effects);
  Perform(node, &effects);
}

void SwimNetwork::Leave(size_t node) {
  Effects effects;
  nodes_[node].swim->Leave(now_, &effects);
  Perform(node, &effects);
}

void SwimNetwork::Crash(size_t node) {
  nodes_[node].swim.reset();
  nodes_[node].waiting.clear();
  addresses_.erase(nodes_[node].address);
  UpdateDeadline(node);
}

void SwimNetwork::Restart(size_t node, const std::vector<size_t>& seeds,
                          const Address& address) {
  if (running(node)) Crash(node);
  if (!address.empty()) nodes_[node].address = address;
  StartProcess(node);
  if (!seeds.empty()) Join(node, seeds);
}

void SwimNetwork::Partition(const std::vector<size_t>& one,
                            const std::vector<size_t>& other) {
  for (const size_t a : one) {
    for (const size_t b : other) {
      CutDatagrams(a, b);
      CutDatagrams(b, a);
      CutReliable(a, b);
      CutReliable(b, a);
    }
  }
}

void SwimNetwork::HealAll() {
  cut_datagrams_.clear();
  cut_reliable_.clear();
  options_.loss_percent = 0;
}

void SwimNetwork::RunFor(absl::Duration duration) {
  RunUntil([] { return false; }, duration);
}

bool SwimNetwork::RunUntil(const std::function<bool()>& condition,
                           absl::Duration limit) {
  const absl::Time end = now_.steady + limit;
  while (!condition()) {
    const absl::Time message =
        agenda_.empty() ? absl::InfiniteFuture() : agenda_.begin()->first.first;
    const absl::Time deadline =
        deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.begin()->first;
    const absl::Time next = std::max(now_.steady, std::min(message, deadline));
    if (next > end) {
      now_.wall += end - now_.steady;
      now_.steady = end;
      return false;
    }
    now_.wall += next - now_.steady;
    now_.steady = next;
    if (message <= deadline) {  // messages before ticks, as the contract asks
      const std::function<void()> action = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      action();
    } else {
      const size_t node = deadlines_.begin()->second;
      Effects effects;
      nodes_[node].swim->Tick(now_, &effects);
      CHECK_GT(nodes_[node].swim->NextDeadline(), now_.steady)
          << "a tick leaves something due";
      Perform(node, &effects);
    }
  }
  return true;
}

const Member* SwimNetwork::See(size_t observer, size_t subject) {
  Node& node = nodes_[observer];
  CHECK(node.swim != nullptr) << node.name << " is stopped";
  node.view = node.swim->view();
  return node.view->Find(nodes_[subject].name);
}

bool SwimNetwork::Sees(size_t observer, size_t subject, State state) {
  const Member* member = See(observer, subject);
  return member != nullptr && member->claim.state == state;
}

bool SwimNetwork::AllAgree(State stopped) {
  for (size_t observer = 0; observer < size(); ++observer) {
    if (!running(observer)) continue;
    for (size_t subject = 0; subject < size(); ++subject) {
      const Member* member = See(observer, subject);
      if (member == nullptr) return false;
      if (member->claim.state != (running(subject) ? State::kAlive : stopped)) {
        return false;
      }
      if (running(subject) &&
          (member->claim.generation != nodes_[subject].generation ||
           member->address != nodes_[subject].address ||
           member->zone != ZoneOf(subject))) {
        return false;
      }
    }
  }
  return true;
}

int SwimNetwork::CountEvents(size_t observer, EventKind kind,
                             size_t subject) const {
  return static_cast<int>(std::count_if(
      nodes_[observer].events.begin(), nodes_[observer].events.end(),
      [&](const Event& event) {
        return event.kind == kind && event.member.name == nodes_[subject].name;
      }));
}

int SwimNetwork::CountEvents(EventKind kind) const {
  int count = 0;
  for (const Node& node : nodes_) {
    count += static_cast<int>(
        std::count_if(node.events.begin(), node.events.end(),
                      [&](const Event& event) { return event.kind == kind; }));
  }
  return count;
}

Zone SwimNetwork::ZoneOf(size_t node) const {
  return absl::StrCat("rack-", node, "-", nodes_[node].generation);
}

void SwimNetwork::StartProcess(size_t node) {
  Node& started = nodes_[node];
  ++started.generation;
  started.swim = std::make_unique<Swim>(
      options_.config,
      Self{started.name, started.address, started.generation, ZoneOf(node)},
      random_.Next(), now_);
  addresses_[started.address] = node;
  Effects nothing;
  Perform(node, &nothing);
}

void SwimNetwork::Deliver(size_t node, const Message& message) {
  Effects effects;
  nodes_[node].swim->Step(message, now_, &effects);
  Perform(node, &effects);
}

void SwimNetwork::Perform(size_t number, Effects* effects) {
  Node& node = nodes_[number];
  for (const Exchange& exchange : effects->exchanges) {
    node.waiting.insert(exchange.op);
  }
  invariants_.Check(options_.config, *node.swim->view(), *effects,
                    node.waiting.size());
  for (const Event& event : effects->events) {
    trace_hash_ =
        Mix(trace_hash_, static_cast<uint64_t>(absl::ToUnixNanos(now_.steady)));
    trace_hash_ = Mix(trace_hash_, node.name);
    trace_hash_ = Mix(trace_hash_, static_cast<uint64_t>(event.kind));
    trace_hash_ = Mix(trace_hash_, event.member.name);
    trace_hash_ = Mix(trace_hash_, event.member.claim.incarnation);
    node.events.push_back(event);
  }
  for (const Answer& answer : effects->answers) {
    const auto it = calls_.find(answer.call);
    CHECK(it != calls_.end()) << "a call is answered twice";
    const PendingCall call = it->second;
    calls_.erase(it);
    At(now_.steady + Latency(), [this, call, reply = answer.reply] {
      FinishCall(call, ReplyReceived{call.op, reply});
    });
  }
  if (effects->want_seeds) {
    At(now_.steady + Latency(), [this, number, generation = node.generation] {
      if (!running(number) || nodes_[number].generation != generation) return;
      Deliver(number, SeedsResolved{Resolve(nodes_[number].seeds)});
    });
  }
  for (const Send& send : effects->sends) SendDatagram(number, send);
  for (const Exchange& exchange : effects->exchanges) {
    StartCall(number, exchange);
  }
  UpdateDeadline(number);
}

std::vector<Address> SwimNetwork::Resolve(
    const std::vector<size_t>& seeds) const {
  std::vector<Address> addresses;
  addresses.reserve(seeds.size());
  for (const size_t seed : seeds) addresses.push_back(nodes_[seed].address);
  return addresses;
}

void SwimNetwork::SendDatagram(size_t from, const Send& send) {
  ++datagrams_sent_;
  const size_t copies =
      1 + static_cast<size_t>(random_.Chance(
              static_cast<uint64_t>(options_.duplicate_percent), 100));
  for (size_t i = 0; i < copies; ++i) {
    if (random_.Chance(static_cast<uint64_t>(options_.loss_percent), 100)) {
      continue;
    }
    At(now_.steady + Latency(), [this, from, send] {
      const size_t to = Lookup(send.to);
      if (to == size() || cut_datagrams_.count({from, to}) > 0) return;
      Deliver(to, DatagramReceived{send.datagram});
    });
  }
}

void SwimNetwork::StartCall(size_t from, const Exchange& exchange) {
  const PendingCall call{from, nodes_[from].generation, exchange.op};
  const absl::Time timeout = now_.steady + exchange.timeout;
  At(now_.steady + Latency(), [this, call, exchange, timeout] {
    const size_t to = Lookup(exchange.to);
    if (to == size()) {
      FinishCall(call, ExchangeFailed{call.op, ExchangeError::kUnreachable,
                                      "connection refused"});
    } else if (cut_reliable_.count({call.caller, to}) > 0 ||
               cut_reliable_.count({to, call.caller}) > 0) {
      At(timeout, [this, call] {
        FinishCall(call, ExchangeFailed{call.op, ExchangeError::kUnreachable,
                                        "deadline exceeded"});
      });
    } else {
      const CallId id = ++last_call_;
      calls_[id] = call;
      Deliver(to, RequestReceived{id, exchange.request});
      CHECK_EQ(calls_.count(id), 0u) << "a call is not answered";
    }
  });
}

void SwimNetwork::FinishCall(const PendingCall& call, const Message& message) {
  Node& caller = nodes_[call.caller];
  if (caller.swim == nullptr || caller.generation != call.caller_generation) {
    return;
  }
  caller.waiting.erase(call.op);
  Deliver(call.caller, message);
}

void SwimNetwork::At(absl::Time when, std::function<void()> action) {
  agenda_.emplace(std::make_pair(when, ++last_serial_), std::move(action));
}

absl::Duration SwimNetwork::Latency() {
  return absl::Nanoseconds(
      random_.Between(absl::ToInt64Nanoseconds(options_.latency_min),
                      absl::ToInt64Nanoseconds(options_.latency_max)));
}

size_t SwimNetwork::Lookup(const Address& address) const {
  const auto it = addresses_.find(address);
  return it == addresses_.end() ? size() : it->second;
}

void SwimNetwork::UpdateDeadline(size_t number) {
  Node& node = nodes_[number];
  deadlines_.erase({node.deadline, number});
  node.deadline =
      node.swim == nullptr ? absl::InfiniteFuture() : node.swim->NextDeadline();
  if (node.deadline < absl::InfiniteFuture()) {
    deadlines_.insert({node.deadline, number});
  }
}

}  // namespace sessionmesh::membership
