#include "node/peer_links.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "node/node_events.h"

namespace sessionmesh::node {

using membership::NodeName;
using membership::State;

PeerLinks::PeerLinks(SelfInfo* self, const Clock* clock, EventLog* log,
                     Listener* listener)
    : self_(self), clock_(clock), log_(log), listener_(listener) {}

PeerLinks::~PeerLinks() { Shutdown(); }

void PeerLinks::SetView(const membership::ViewPtr& view) {
  // Links act outside of the lock: they may call back.
  std::vector<std::pair<std::shared_ptr<PeerLink>, std::optional<PeerTarget>>>
      changes;
  std::vector<std::shared_ptr<PeerLink>> forgotten;
  {
    MutexLock lock(&mutex_);
    if (shut_down_) return;
    for (const membership::Member& member : view->members()) {
      if (member.name == view->self()) continue;
      const bool wanted = member.claim.state == State::kAlive ||
                          member.claim.state == State::kSuspect;
      std::shared_ptr<PeerLink>& link = links_[member.name];
      if (link == nullptr) {
        ++alive_;
        link = std::make_shared<PeerLink>(
            member.name, self_, clock_, static_cast<PeerLink::Listener*>(this));
      }
      changes.emplace_back(
          link, wanted ? std::optional<PeerTarget>(PeerTarget{
                             member.address, member.claim.generation})
                       : std::nullopt);
    }
    for (auto it = links_.begin(); it != links_.end();) {
      if (view->Find(it->first) == nullptr) {
        forgotten.push_back(std::move(it->second));
        it = links_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (auto& [link, target] : changes) link->SetTarget(std::move(target));
  for (const std::shared_ptr<PeerLink>& link : forgotten) link->Shutdown();
}

void PeerLinks::Shutdown() {
  std::map<NodeName, std::shared_ptr<PeerLink>> links;
  {
    MutexLock lock(&mutex_);
    shut_down_ = true;
    links.swap(links_);
  }
  for (const auto& [name, link] : links) link->Shutdown();
  links.clear();
  MutexLock lock(&mutex_);
  while (alive_ > 0) gone_.Wait(&mutex_);
}

std::shared_ptr<PeerLink> PeerLinks::Find(const NodeName& peer) {
  MutexLock lock(&mutex_);
  const auto found = links_.find(peer);
  return found == links_.end() ? nullptr : found->second;
}

void PeerLinks::Enqueue(const NodeName& peer, uint32_t lane,
                        replication::Message message) {
  const std::shared_ptr<PeerLink> link = Find(peer);
  if (link != nullptr) link->Enqueue(lane, std::move(message));
}

void PeerLinks::Flush(const NodeName& peer) {
  const std::shared_ptr<PeerLink> link = Find(peer);
  if (link != nullptr) link->Flush();
}

void PeerLinks::OnLinkUp(const NodeName& peer) {
  NodeEvent event =
      MakeNodeEvent(clock_->Now().wall, Severity::kInfo, "link_up",
                    absl::StrCat("the stream to ", peer, " stands"));
  event.area = "replication";
  event.node = peer;
  log_->Append(std::move(event));
  listener_->OnPeerUp(peer);
}

void PeerLinks::OnLinkDown(const NodeName& peer, const std::string& why) {
  NodeEvent event =
      MakeNodeEvent(clock_->Now().wall, Severity::kInfo, "link_down",
                    absl::StrCat("the stream to ", peer, " has ended: ", why));
  event.area = "replication";
  event.node = peer;
  log_->Append(std::move(event));
  listener_->OnPeerDown(peer);
}

void PeerLinks::OnLinkGone() {
  MutexLock lock(&mutex_);
  --alive_;
  gone_.SignalAll();
}

}  // namespace sessionmesh::node
