#include "tests/sim/network.h"

#include <algorithm>

#include "glog/logging.h"

namespace sessionmesh::sim {

Network::Network(size_t hosts, uint64_t seed, EventQueue* queue)
    : hosts_(hosts), random_(seed), queue_(queue), links_(hosts * hosts) {}

// ---- processes

EndpointId Network::Attach(HostId host, const Address& address,
                           Endpoint* endpoint) {
  CHECK_LT(host, hosts_);
  const EndpointId id = ++last_id_;
  CHECK(listeners_.emplace(address, id).second) << address << " is in use";
  endpoints_[id] = {host, address, endpoint};
  routes_[address] = host;
  return id;
}

void Network::Detach(EndpointId endpoint, bool flush) {
  const auto bound = endpoints_.find(endpoint);
  CHECK(bound != endpoints_.end());
  std::vector<StreamId> own;
  std::vector<StreamId> to_it;
  for (const auto& [id, stream] : streams_) {
    if (stream.from == endpoint) own.push_back(id);
    if (stream.open && stream.to == endpoint) to_it.push_back(id);
  }
  for (const StreamId id : own) {
    if (flush && streams_[id].open) {
      streams_[id].from = 0;  // what is under way arrives, then nobody uses it
    } else {
      streams_.erase(id);
    }
  }
  for (const StreamId id : to_it) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end()) continue;
    const bool cut = IsCut(stream->second.to_host, stream->second.from_host);
    Break(id, cut ? kKeepalive
                  : Delay(stream->second.to_host, stream->second.from_host));
  }
  listeners_.erase(bound->second.address);
  endpoints_.erase(bound);
}

Endpoint* Network::Find(EndpointId id) const {
  const Bound* bound = FindBound(id);
  return bound == nullptr ? nullptr : bound->endpoint;
}

const Network::Bound* Network::FindBound(EndpointId id) const {
  const auto found = endpoints_.find(id);
  return found == endpoints_.end() ? nullptr : &found->second;
}

EndpointId Network::Listener(const Address& address) const {
  const auto found = listeners_.find(address);
  return found == listeners_.end() ? 0 : found->second;
}

absl::Duration Network::Delay(HostId from, HostId to) {
  const LinkQuality& quality = link(from, to).quality;
  const int64_t jitter = absl::ToInt64Nanoseconds(quality.jitter);
  return quality.latency + absl::Nanoseconds(random_.Between(0, jitter));
}

// Two statements: the order in which a compiler evaluates a sum is its own
// choice, and each term draws a number.
absl::Duration Network::RoundTrip(HostId there, HostId back) {
  absl::Duration both = Delay(there, back);
  both += Delay(back, there);
  return both;
}

// ---- datagrams

void Network::SendDatagram(EndpointId from, const Address& to,
                           const std::string& bytes) {
  const Bound* sender = FindBound(from);
  const auto route = routes_.find(to);
  if (sender == nullptr || route == routes_.end()) return;
  const HostId a = sender->host;
  const HostId b = route->second;
  ++counts_.datagrams;
  const LinkQuality& quality = link(a, b).quality;
  if (a != b && random_.Chance(quality.lost, 1000)) {
    ++counts_.lost;
    return;
  }
  const bool twice = random_.Chance(quality.duplicated, 1000);
  if (twice) ++counts_.duplicated;
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    absl::Duration delay = Delay(a, b);
    if (random_.Chance(quality.reordered, 1000)) {
      ++counts_.reordered;
      delay += quality.jitter * random_.Between(1, 20);
    }
    queue_->After(delay,
                  [this, a, to, bytes] { DeliverDatagram(a, to, bytes); });
  }
}

void Network::DeliverDatagram(HostId from, const Address& to,
                              const std::string& bytes) {
  const EndpointId listener = Listener(to);
  if (listener == 0) return;
  if (IsCut(from, endpoints_[listener].host)) {
    ++counts_.cut;
    return;
  }
  endpoints_[listener].endpoint->OnDatagram(bytes);
}

// ---- calls

void Network::Call(EndpointId from, uint64_t tag, const Address& to,
                   std::string request, absl::Duration timeout) {
  const Bound* caller = FindBound(from);
  if (caller == nullptr) return;
  ++counts_.calls;
  const CallId call = ++last_id_;
  const auto route = routes_.find(to);
  const HostId a = caller->host;
  const HostId b = route == routes_.end() ? a : route->second;
  calls_[call] = {from, tag, a, b};
  queue_->After(timeout, [this, call] { FailCall(call); });
  // Two ways to connect and one for the request.
  absl::Duration delay = RoundTrip(a, b);
  delay += Delay(a, b);
  queue_->After(delay, [this, call, to, request = std::move(request)] {
    const auto pending = calls_.find(call);
    if (pending == calls_.end()) return;
    const HostId here = pending->second.from_host;
    const HostId there = pending->second.to_host;
    if (IsCut(here, there) || IsCut(there, here)) return;  // until the timeout
    const EndpointId listener = Listener(to);
    if (listener == 0) {
      FailCall(call);  // refused
      return;
    }
    Find(listener)->OnCall(call, request);
  });
}

void Network::Answer(CallId call, std::string reply) {
  const auto pending = calls_.find(call);
  if (pending == calls_.end()) return;  // timed out
  const absl::Duration delay =
      Delay(pending->second.to_host, pending->second.from_host);
  queue_->After(delay, [this, call, reply = std::move(reply)] {
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    const PendingCall done = found->second;
    if (IsCut(done.to_host, done.from_host)) return;
    calls_.erase(found);
    if (Endpoint* caller = Find(done.from)) caller->OnCallDone(done.tag, reply);
  });
}

void Network::FailCall(CallId call) {
  const auto pending = calls_.find(call);
  if (pending == calls_.end()) return;
  const PendingCall failed = pending->second;
  calls_.erase(pending);
  ++counts_.calls_failed;
  if (Endpoint* caller = Find(failed.from))
    caller->OnCallDone(failed.tag, std::nullopt);
}

// ---- streams

StreamId Network::OpenStream(EndpointId from, const NodeName& as,
                             const Address& to) {
  const StreamId id = ++last_id_;
  const Bound* sender = FindBound(from);
  CHECK(sender != nullptr);
  const auto route = routes_.find(to);
  Stream stream;
  stream.from = from;
  stream.from_host = sender->host;
  stream.to_host = route == routes_.end() ? sender->host : route->second;
  stream.as = as;
  stream.address = to;
  const absl::Duration delay = RoundTrip(stream.from_host, stream.to_host);
  streams_[id] = std::move(stream);
  queue_->After(delay, [this, id] { Connect(id); });
  return id;
}

void Network::Connect(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  if (IsCut(stream.from_host, stream.to_host) ||
      IsCut(stream.to_host, stream.from_host)) {
    Break(id, kKeepalive);
    return;
  }
  stream.to = Listener(stream.address);
  if (stream.to == 0) {
    Break(id, absl::ZeroDuration());
    return;
  }
  stream.open = true;
  ++counts_.streams_opened;
  if (Endpoint* sender = Find(stream.from)) sender->OnStreamOpen(id);
}

void Network::Send(StreamId id, std::string bytes) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.open) return;
  Stream& stream = found->second;
  ++counts_.stream_messages;
  const absl::Time arrival =
      std::max(queue_->now() + Delay(stream.from_host, stream.to_host),
               stream.last_arrival);
  stream.last_arrival = arrival;
  queue_->At(arrival, [this, id, bytes = std::move(bytes)]() mutable {
    Arrive(id, std::move(bytes));
  });
}

void Network::Arrive(StreamId id, std::string bytes) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    ++counts_.stream_messages_lost;
    return;
  }
  Stream& stream = found->second;
  if (IsCut(stream.from_host, stream.to_host) || !stream.stuck.empty()) {
    stream.stuck.push_back(std::move(bytes));
    return;
  }
  Deliver(stream, std::move(bytes));
}

void Network::Deliver(Stream& stream, std::string bytes) {
  Endpoint* receiver = Find(stream.to);
  if (receiver == nullptr) {
    ++counts_.stream_messages_lost;
    return;
  }
  receiver->OnStreamMessage(stream.as, std::move(bytes));
}

void Network::CloseStream(StreamId id) { streams_.erase(id); }

void Network::Break(StreamId id, absl::Duration notice) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  counts_.stream_messages_lost += found->second.stuck.size();
  ++counts_.streams_broken;
  const EndpointId sender = found->second.from;
  streams_.erase(found);
  queue_->After(notice, [this, sender, id] {
    if (Endpoint* endpoint = Find(sender)) endpoint->OnStreamBroken(id);
  });
}

// ---- faults

void Network::SetQuality(HostId from, HostId to, const LinkQuality& quality) {
  link(from, to).quality = quality;
}

void Network::SetQuality(const LinkQuality& quality) {
  for (Link& each : links_) each.quality = quality;
}

void Network::Cut(HostId from, HostId to) {
  if (from == to || IsCut(from, to)) return;
  link(from, to).cut = true;
  link(from, to).changed = queue_->now();
  BreakAfterKeepalive(from, to);
}

// The acknowledgements of TCP need the way back, so a cut of one direction ends
// the streams of both.
void Network::BreakAfterKeepalive(HostId a, HostId b) {
  const absl::Time began = queue_->now();
  queue_->After(kKeepalive, [this, a, b, began] {
    if (!IsCut(a, b) || link(a, b).changed != began) return;
    ResetStreams(a, b);
  });
}

void Network::Heal(HostId from, HostId to) {
  Link& healed = link(from, to);
  if (!healed.cut) return;
  healed.cut = false;
  healed.past_cuts.emplace_back(healed.changed, queue_->now());
  healed.changed = queue_->now();
  std::vector<StreamId> waiting;
  for (const auto& [id, stream] : streams_) {
    if (stream.from_host == from && stream.to_host == to &&
        !stream.stuck.empty()) {
      waiting.push_back(id);
    }
  }
  for (const StreamId id : waiting) {
    // TCP sends it again a little later.
    absl::Duration delay = Delay(from, to);
    delay += absl::Milliseconds(random_.Between(0, 200));
    queue_->After(delay, [this, id] {
      const auto found = streams_.find(id);
      if (found == streams_.end() ||
          IsCut(found->second.from_host, found->second.to_host))
        return;
      while (true) {
        const auto stream = streams_.find(id);
        if (stream == streams_.end() || stream->second.stuck.empty()) return;
        std::string bytes = std::move(stream->second.stuck.front());
        stream->second.stuck.pop_front();
        Deliver(stream->second, std::move(bytes));
      }
    });
  }
}

void Network::HealAll() {
  for (HostId from = 0; from < hosts_; ++from) {
    for (HostId to = 0; to < hosts_; ++to) Heal(from, to);
  }
}

size_t Network::ResetStreams(HostId a, HostId b) {
  std::vector<StreamId> broken;
  for (const auto& [id, stream] : streams_) {
    const bool forward = stream.from_host == a && stream.to_host == b;
    const bool backward = stream.from_host == b && stream.to_host == a;
    if (stream.open && (forward || backward)) broken.push_back(id);
  }
  for (const StreamId id : broken) Break(id, absl::ZeroDuration());
  return broken.size();
}

absl::Duration Network::LongestCut(HostId a, HostId b, absl::Time since) const {
  absl::Duration longest = absl::ZeroDuration();
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    const Link& one = links_[from * hosts_ + to];
    for (const auto& [begin, end] : one.past_cuts) {
      if (end >= since) longest = std::max(longest, end - begin);
    }
    if (one.cut) longest = std::max(longest, queue_->now() - one.changed);
  }
  return longest;
}

}  // namespace sessionmesh::sim
