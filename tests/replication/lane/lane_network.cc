#include "tests/replication/lane/lane_network.h"

#include <algorithm>

#include "glog/logging.h"
#include "replication/slot.h"

namespace sessionmesh::replication {

std::string Id(const std::string& name) {
  return name + std::string(20 - std::min<size_t>(name.size(), 19), '.');
}

Config LaneNetwork::SmallConfig() {
  Config config;
  config.slot_count = 4;
  config.lane_count = 1;
  config.orphan_grace = absl::Seconds(20);
  return config;
}

LaneNetwork::LaneNetwork(Config config)
    : config_(config), ids_(config.slot_count, &key_) {}

Instant LaneNetwork::now(const NodeName& name) const {
  const auto skew = skew_.find(name);
  return {steady_,
          wall_ + (skew == skew_.end() ? absl::ZeroDuration() : skew->second)};
}

void LaneNetwork::Start(const NodeName& name, bool bootstrap,
                        std::vector<membership::Address> former_peers) {
  Config config = config_;
  config.bootstrap = bootstrap;
  config.former_peers = std::move(former_peers);
  const uint64_t process = next_process_++;
  nodes_[name] = std::make_unique<Replicator>(
      config, Replicator::Identity{name, process}, &ids_, &key_,
      /*seed=*/process * 7919, now(name));
  SetView(name, {{name, membership::State::kAlive}});
}

void LaneNetwork::Kill(const NodeName& name) {
  nodes_.erase(name);
  under_way_.erase(std::remove_if(under_way_.begin(), under_way_.end(),
                                  [&](const auto& m) {
                                    return m.first.first == name ||
                                           m.first.second == name;
                                  }),
                   under_way_.end());
  for (const auto& [link, is_up] : std::map<Link, bool>(up_)) {
    if (!is_up || (link.first != name && link.second != name)) continue;
    up_[link] = false;
    if (link.first == name) continue;
    Effects effects;
    nodes_.at(link.first)->LinkDown(name, now(link.first), &effects);
    Perform(link.first, std::move(effects));
  }
}

void LaneNetwork::Leave(const NodeName& name) {
  Effects effects;
  nodes_.at(name)->Leave(now(name), &effects);
  Perform(name, std::move(effects));
}

void LaneNetwork::SetView(const NodeName& node,
                          std::map<NodeName, membership::State> members,
                          bool isolated) {
  std::vector<membership::Member> list;
  for (const auto& [name, state] : members) {
    membership::Member member;
    member.name = name;
    member.address = name + ":7401";
    if (zones_.count(name) > 0) member.zone = zones_.at(name);
    member.claim.generation = 1;
    member.claim.state = state;
    list.push_back(std::move(member));
  }
  const auto view = std::make_shared<const membership::View>(
      node, std::move(list), ++view_version_, isolated);
  Effects effects;
  nodes_.at(node)->SetView(view, now(node), &effects);
  Perform(node, std::move(effects));
}

void LaneNetwork::SetViews(std::map<NodeName, membership::State> members) {
  std::vector<NodeName> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  for (const NodeName& name : names) SetView(name, members);
}

void LaneNetwork::LinkUp(const NodeName& from, const NodeName& to) {
  up_[{from, to}] = true;
  Effects effects;
  nodes_.at(from)->LinkUp(to, now(from), &effects);
  Perform(from, std::move(effects));
}

void LaneNetwork::LinkDown(const NodeName& from, const NodeName& to) {
  up_[{from, to}] = false;
  const Link link{from, to};
  under_way_.erase(
      std::remove_if(under_way_.begin(), under_way_.end(),
                     [&](const auto& m) { return m.first == link; }),
      under_way_.end());
  Effects effects;
  nodes_.at(from)->LinkDown(to, now(from), &effects);
  Perform(from, std::move(effects));
}

void LaneNetwork::LinkAll() {
  std::vector<NodeName> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  for (const NodeName& from : names) {
    for (const NodeName& to : names) {
      if (from != to && !up_[{from, to}]) LinkUp(from, to);
    }
  }
}

void LaneNetwork::StartReady(const std::vector<NodeName>& names) {
  std::map<NodeName, membership::State> members;
  for (const NodeName& name : names) {
    Start(name);
    members[name] = membership::State::kAlive;
  }
  SetViews(members);
  LinkAll();
  DeliverAll();
  Advance(config_.bootstrap_settle + absl::Milliseconds(10));
  for (const NodeName& name : names) {
    CHECK(node(name).status().ready) << name << " did not become ready";
  }
}

void LaneNetwork::DeliverAll() {
  while (true) {
    const auto next = std::find_if(
        under_way_.begin(), under_way_.end(),
        [this](const auto& m) { return held_.count(m.first) == 0; });
    if (next == under_way_.end()) return;
    const auto [link, message] = std::move(*next);
    under_way_.erase(next);
    const auto& [from, to] = link;
    if (nodes_.count(to) == 0) continue;
    if (lose_ && lose_(from, to, message)) continue;
    Effects effects;
    nodes_.at(to)->Step(from, message, now(to), &effects);
    Perform(to, std::move(effects));
  }
}

void LaneNetwork::Advance(absl::Duration by) {
  const absl::Time end = steady_ + by;
  DeliverAll();
  while (true) {
    absl::Time next = end;
    for (const auto& [name, node] : nodes_) {
      next = std::min(next, node->NextDeadline());
    }
    next = std::max(next, steady_);
    wall_ += next - steady_;
    steady_ = next;
    std::vector<NodeName> due;
    for (const auto& [name, node] : nodes_) {
      if (node->NextDeadline() <= steady_) due.push_back(name);
    }
    for (const NodeName& name : due) {
      Effects effects;
      nodes_.at(name)->Tick(now(name), &effects);
      CHECK_GT(nodes_.at(name)->NextDeadline(), steady_)
          << name << " would tick for ever";
      Perform(name, std::move(effects));
    }
    DeliverAll();
    if (due.empty() && steady_ >= end) return;
  }
}

void LaneNetwork::Perform(const NodeName& from, Effects effects) {
  for (Send& send : effects.sends) {
    if (up_[{from, send.to}]) {
      under_way_.push_back({{from, send.to}, std::move(send.message)});
    }
  }
  for (Reply& reply : effects.replies) {
    const CallHandle handle = reply.handle;
    CHECK(replies_.emplace(handle, std::move(reply)).second)
        << "two replies to one call";
  }
  for (Event& event : effects.events) events_[from].push_back(std::move(event));
  for (WatchUpdate& update : effects.watch_updates) {
    watch_updates_[from].push_back(std::move(update));
  }
}

void LaneNetwork::Forge(const NodeName& from, const NodeName& to,
                        const Message& message) {
  Effects effects;
  nodes_.at(to)->Step(from, message, now(to), &effects);
  Perform(to, std::move(effects));
}

CallHandle LaneNetwork::Begin(const NodeName& node, Command command) {
  command.handle = next_handle_++;
  if (command.deadline == absl::Time()) {
    command.deadline = steady_ + absl::Seconds(5);
  }
  Effects effects;
  nodes_.at(node)->Execute(command, now(node), &effects);
  Perform(node, std::move(effects));
  return command.handle;
}

std::optional<Reply> LaneNetwork::TakeReply(CallHandle handle) {
  const auto it = replies_.find(handle);
  if (it == replies_.end()) return std::nullopt;
  Reply reply = std::move(it->second);
  replies_.erase(it);
  return reply;
}

Reply LaneNetwork::Run(const NodeName& node, Command command) {
  const CallHandle handle = Begin(node, std::move(command));
  DeliverAll();
  for (int step = 0; step < 6000; ++step) {
    if (std::optional<Reply> reply = TakeReply(handle)) return *reply;
    Advance(absl::Milliseconds(1));
  }
  LOG(FATAL) << "no reply at " << node;
}

Reply LaneNetwork::Create(const NodeName& node, const std::string& id,
                          std::map<std::string, std::string> set,
                          Durability durability) {
  Command command;
  command.kind = Command::Kind::kCreate;
  command.session_id = id;
  command.set = std::move(set);
  command.durability = durability;
  return Run(node, std::move(command));
}

Reply LaneNetwork::Set(const NodeName& node, const std::string& id,
                       const std::string& name, const std::string& value,
                       std::vector<std::string> tokens, Durability durability) {
  Command command;
  command.kind = Command::Kind::kUpdate;
  command.session_id = id;
  command.set = {{name, value}};
  command.tokens = std::move(tokens);
  command.durability = durability;
  return Run(node, std::move(command));
}

Reply LaneNetwork::Get(const NodeName& node, const std::string& id,
                       std::vector<std::string> tokens,
                       Consistency consistency) {
  Command command;
  command.kind = Command::Kind::kGet;
  command.session_id = id;
  command.tokens = std::move(tokens);
  command.consistency = consistency;
  return Run(node, std::move(command));
}

Reply LaneNetwork::Delete(const NodeName& node, const std::string& id,
                          Durability durability) {
  Command command;
  command.kind = Command::Kind::kDelete;
  command.session_id = id;
  command.durability = durability;
  return Run(node, std::move(command));
}

Reply LaneNetwork::Rotate(const NodeName& node, const std::string& id,
                          const std::string& new_id,
                          const std::string& request_id) {
  Command command;
  command.kind = Command::Kind::kRotate;
  command.session_id = id;
  command.new_session_id = new_id;
  command.request_id = request_id;
  command.durability = Durability::kAll;
  return Run(node, std::move(command));
}

size_t LaneNetwork::CountEvents(const NodeName& name, Event::Kind kind) const {
  const auto it = events_.find(name);
  if (it == events_.end()) return 0;
  return static_cast<size_t>(
      std::count_if(it->second.begin(), it->second.end(),
                    [kind](const Event& e) { return e.kind == kind; }));
}

std::vector<WatchUpdate> LaneNetwork::TakeWatchUpdates(const NodeName& name) {
  return std::exchange(watch_updates_[name], {});
}

std::vector<NodeName> LaneNetwork::NodesWhere(SlotId slot, Phase phase) const {
  std::vector<NodeName> names;
  for (const auto& [name, node] : nodes_) {
    if (node->phase(slot).phase == phase) names.push_back(name);
  }
  return names;
}

bool LaneNetwork::Converged() const {
  const Replicator& first = *nodes_.begin()->second;
  for (const auto& [name, node] : nodes_) {
    for (uint32_t slot = 0; slot < config_.slot_count; ++slot) {
      const SlotId id = static_cast<SlotId>(slot);
      if (!(node->slot(id).context() == first.slot(id).context())) return false;
      if (!(node->slot(id).live_hash() == first.slot(id).live_hash())) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace sessionmesh::replication
