// The life of a Node after its start: serving, leaving, the end.

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "node/node.h"

namespace sessionmesh::node {
namespace {

// How long each step of leaving may take; together below five seconds.
constexpr absl::Duration kHandOverMax = absl::Seconds(2);
constexpr absl::Duration kClientCallsEndMax = absl::Milliseconds(500);
constexpr absl::Duration kGoodbyeMax = absl::Seconds(1);
constexpr absl::Duration kPeerCallsEndMax = absl::Milliseconds(200);
constexpr absl::Duration kHandOverLook = absl::Milliseconds(10);

std::chrono::system_clock::time_point After(const Clock& clock,
                                            absl::Duration time) {
  return absl::ToChronoTime(clock.Now().wall + time);
}

}  // namespace

absl::Status Node::Run(const std::function<void()>& on_ready) {
  bool ready = false;
  for (;;) {
    membership::ViewPtr view;
    {
      MutexLock lock(&mutex_);
      while (!progress_ && !leave_requested_ && view_to_save_ == nullptr) {
        changed_.Wait(&mutex_);
      }
      if (leave_requested_) break;
      progress_ = false;
      view.swap(view_to_save_);
    }
    if (view != nullptr) SavePeers(view);
    if (!ready && lanes_.ready()) {
      ready = true;
      SetServing(true);
      Announce(Severity::kInfo, "ready", "every slot serves");
      on_ready();
    }
  }
  HandOver();
  SayGoodbye();
  StopEverything();
  MutexLock lock(&mutex_);
  return failure_;
}

void Node::RequestLeave() {
  MutexLock lock(&mutex_);
  leave_requested_ = true;
  changed_.SignalAll();
}

void Node::LeaveFor(ClusterService::LeaveDone done) {
  HandedOver result;
  {
    MutexLock lock(&mutex_);
    if (!handed_over_.has_value()) {
      leavers_.push_back(std::move(done));
      leave_requested_ = true;
      changed_.SignalAll();
      return;
    }
    // Nobody looks at leavers_ any more, and the server waits for the answer.
    result = *handed_over_;
  }
  done(result.all, result.message);
}

void Node::Fail(absl::Status status) {
  MutexLock lock(&mutex_);
  if (failure_.ok()) failure_ = std::move(status);
  leave_requested_ = true;
  changed_.SignalAll();
}

// ---- Leaving

void Node::HandOver() {
  leaving_ = true;
  SetServing(false);
  Announce(Severity::kInfo, "leaving", "handing over and leaving the cluster");
  lanes_.Leave();
  const absl::Time until = clock_->Now().steady + kHandOverMax;
  HandedOver result{lanes_.handed_over(), ""};
  while (!result.all && clock_->Now().steady < until) {
    {
      MutexLock lock(&mutex_);
      changed_.WaitUntil(&mutex_, clock_->Now().steady + kHandOverLook);
    }
    result.all = lanes_.handed_over();
  }
  const replication::LaneStatus status = lanes_.status();
  if (status.alone && status.sessions > 0) {
    result = {false,
              absl::StrCat("no other owner is in reach: ", status.sessions,
                           " session(s) end with this node")};
  } else if (status.alone) {
    result.message = "there was nothing to hand over, and nobody to take it";
  } else if (result.all) {
    result.message = "every change that this node holds is on another owner";
  } else {
    result.message = absl::StrCat("not everything could be handed over in ",
                                  absl::FormatDuration(kHandOverMax));
  }
  Announce(result.all ? Severity::kInfo : Severity::kWarning, "handed_over",
           result.message);
  std::vector<ClusterService::LeaveDone> leavers;
  {
    MutexLock lock(&mutex_);
    handed_over_ = result;
    leavers.swap(leavers_);
  }
  for (const ClusterService::LeaveDone& done : leavers) {
    done(result.all, result.message);
  }
  cluster_.Shutdown();
  if (client_server_ != nullptr) {
    client_server_->Shutdown(After(*clock_, kClientCallsEndMax));
  }
}

void Node::SayGoodbye() {
  membership_.Leave();
  const absl::Time until =
      clock_->Now().steady +
      std::min(kGoodbyeMax, options_.membership.leave_timeout);
  MutexLock lock(&mutex_);
  while (!goodbye_said_ && clock_->Now().steady < until) {
    changed_.WaitUntil(&mutex_, until);
  }
}

void Node::StopEverything() {
  cluster_.Shutdown();
  links_.Shutdown();
  peer_client_.Shutdown();
  forwarder_.Shutdown();
  if (client_server_ != nullptr) {
    client_server_->Shutdown(After(*clock_, absl::ZeroDuration()));
  }
  if (peer_server_ != nullptr) {
    peer_server_->Shutdown(After(*clock_, kPeerCallsEndMax));
  }
  membership_.Stop();
  lanes_.Stop();
}

}  // namespace sessionmesh::node
