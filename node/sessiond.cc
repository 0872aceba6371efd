// sessiond: one node of a Sessionmesh cluster.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "glog/logging.h"
#include "node/clock.h"
#include "node/mutex.h"
#include "node/node.h"
#include "node/options.h"
#include "node/parked_thread.h"

namespace sessionmesh::node {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitSecondSignal = 130;

// One line for other programs.
void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Complain(const absl::Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    std::fprintf(stderr, "sessiond: %.*s\n", static_cast<int>(line.size()),
                 line.data());
  }
}

void ConfigureLog(const std::string& level) {
  FLAGS_logtostderr = true;
  if (level == "debug") FLAGS_v = 1;
  FLAGS_minloglevel = level == "error"     ? google::GLOG_ERROR
                      : level == "warning" ? google::GLOG_WARNING
                                           : google::GLOG_INFO;
  google::InitGoogleLogging("sessiond");
}

// What concerns the whole process, before there is a second thread.
void ConfigureProcess() {
#ifdef NDEBUG
  // Debian's Abseil looks for deadlocks in every absl::Mutex by default, which
  // doubles what the locks inside of gRPC cost.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  signal(SIGPIPE, SIG_IGN);
}

// Signals are taken by one thread, so that no code runs in a handler.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // Its default is to end the process, without handing over, when a terminal
  // is closed.
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The node that signals are for, while there is one.
class SignalTarget {
 public:
  void Set(Node* node) {
    MutexLock lock(&mutex_);
    node_ = node;
  }
  void RequestLeave() {
    MutexLock lock(&mutex_);
    if (node_ != nullptr) node_->RequestLeave();
  }

 private:
  Mutex mutex_;
  Node* node_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Returns on the next one that asks to end.
void WaitForEnd(const sigset_t& signals) {
  int number = 0;
  do {
    sigwait(&signals, &number);
    if (number == SIGHUP) {
      LOG(INFO) << "SIGHUP: this version reloads nothing; the node goes on";
    }
  } while (number == SIGHUP);
}

void WaitForSignals(sigset_t signals, SignalTarget* target) {
  WaitForEnd(signals);
  target->RequestLeave();
  WaitForEnd(signals);
  std::fprintf(stderr, "sessiond: ended at once by a second signal\n");
  _exit(kExitSecondSignal);
}

int Run(const Options& options) {
  ConfigureProcess();
  ConfigureLog(options.log_level);
  const sigset_t signals = BlockSignals();
  static const RealClock clock;
  static SignalTarget target;  // outlives the thread, which nobody joins
  std::optional<ParkedThread> parked;  // outlives the node
  if (HasThreadToSpare()) parked.emplace();
  const absl::StatusOr<std::unique_ptr<Node>> node =
      Node::Start(options, &clock);
  if (!node.ok()) {
    Complain(node.status());
    return kExitFailed;
  }
  Say((*node)->ListeningLine());
  target.Set(node->get());
  std::thread([signals] { WaitForSignals(signals, &target); }).detach();
  const absl::Status status =
      (*node)->Run([&node] { Say((*node)->ReadyLine()); });
  target.Set(nullptr);
  if (!status.ok()) Complain(status);
  return status.ok() ? 0 : kExitFailed;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Invocation> invocation = ParseOptions(
      std::vector<std::string>(argv + 1, argv + argc), ProcessEnvironment());
  if (!invocation.ok()) {
    Complain(invocation.status());
    return kExitUsage;
  }
  switch (invocation->action) {
    case Invocation::Action::kPrint:
      std::fputs(invocation->text.c_str(), stdout);
      return 0;
    case Invocation::Action::kCheck:
      Say("the configuration is good");
      return 0;
    case Invocation::Action::kRun:
      break;
  }
  return Run(invocation->options);
}

}  // namespace
}  // namespace sessionmesh::node

int main(int argc, char** argv) { return sessionmesh::node::Main(argc, argv); }
