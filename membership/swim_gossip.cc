// Dissemination: every datagram is filled with news, and while there is news,
// some datagrams are sent for its sake alone.

#include <algorithm>
#include <utility>

#include "membership/limits.h"
#include "membership/scaling.h"
#include "membership/swim_impl.h"

namespace sessionmesh::membership {

void SwimImpl::SendDatagram(const Address& to, DatagramBody body,
                            const NodeName& about) {
  Datagram datagram;
  datagram.from = Me();
  datagram.body = std::move(body);
  // Config::Validate() leaves room for the largest body and the largest update.
  size_t bytes = DatagramOverheadBytesMax(datagram);
  if (const Record* record = about.empty() ? nullptr : table_.Find(about)) {
    datagram.updates.push_back(UpdateAbout(record->member));
    bytes += UpdateBytesMax(datagram.updates.back());
  }
  queue_.Take(config_.datagram_bytes_max - bytes,
              kDatagramUpdatesMax - datagram.updates.size(),
              RetransmitLimit(config_.retransmit_mult, table_.live()), about,
              &datagram.updates);
  effects_->sends.push_back(Send{to, std::move(datagram)});
}

bool SwimImpl::HasGossipTargets(absl::Time steady_now) const {
  return !ring_.empty() || gossip_to_dead_until_ > steady_now;
}

void SwimImpl::TickGossip() {
  if (queue_.empty() || next_gossip_ > now_.steady) return;
  if (!HasGossipTargets(now_.steady)) {
    next_gossip_ = now_.steady;  // at once when somebody turns up
    return;
  }
  next_gossip_ = now_.steady + config_.gossip_interval;
  std::vector<NodeName> lately_dead;
  for (const NodeName& name : table_.dead()) {
    if (table_.Find(name)->changed + config_.gossip_to_dead > now_.steady) {
      lately_dead.push_back(name);
    }
  }
  const std::vector<NodeName>& live = ring_.names();
  for (const size_t i : Sample(static_cast<size_t>(config_.gossip_nodes),
                               live.size() + lately_dead.size(), &random_)) {
    if (queue_.empty()) break;
    const bool dead = i >= live.size();
    const NodeName& name = dead ? lately_dead[i - live.size()] : live[i];
    SendDatagram(table_.Find(name)->member.address, Gossip(), dead ? name : "");
  }
}

void SwimImpl::Tell(Record* record, const Address& to) {
  if (now_.steady < record->told + config_.probe_interval) return;
  record->told = now_.steady;
  SendDatagram(to, Gossip(), record->member.name);
}

}  // namespace sessionmesh::membership
