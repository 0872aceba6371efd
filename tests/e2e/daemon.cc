#include "tests/e2e/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& string : *strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Daemon::Daemon(const std::string& directory, const std::string& log_name,
               std::vector<std::string> arguments,
               std::map<std::string, std::string> environment)
    : log_path_(absl::StrCat(directory, "/", log_name, ".log")) {
  arguments.insert(arguments.begin(), SESSIOND_BINARY);
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) {
    variables.push_back(absl::StrCat(name, "=", value));
  }
  // Sanitizers take their options from here.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = getenv(name)) {
      variables.push_back(absl::StrCat(name, "=", value));
    }
  }
  const std::vector<char*> argv = Pointers(&arguments);
  const std::vector<char*> envp = Pointers(&variables);
  int out[2];
  PCHECK(pipe2(out, O_CLOEXEC) == 0);
  const int log =
      open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  PCHECK(log >= 0) << log_path_;
  pid_ = fork();
  PCHECK(pid_ >= 0);
  if (pid_ == 0) {
    // Nothing but system calls between fork and exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out[1], STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out[1]);
  close(log);
  stdout_ = out[0];
}

Daemon::~Daemon() {
  if (running()) {
    kill(pid_, SIGKILL);
    Reap(/*block=*/true);
  }
  close(stdout_);
}

void Daemon::Poll(absl::Duration timeout) {
  pollfd file{stdout_, POLLIN, 0};
  const auto wait_ms = static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (poll(&file, 1, std::max(wait_ms, 0)) <= 0) return;
  char buffer[4096];
  const ssize_t got = read(stdout_, buffer, sizeof(buffer));
  if (got > 0) output_.append(buffer, static_cast<size_t>(got));
}

bool Daemon::AwaitLine(const std::string& word, absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  do {
    for (const absl::string_view line : absl::StrSplit(output_, '\n')) {
      if (!absl::StartsWith(line, absl::StrCat(word, " "))) continue;
      for (const absl::string_view part : absl::StrSplit(line, ' ')) {
        const std::pair<std::string, std::string> pair =
            absl::StrSplit(part, absl::MaxSplits('=', 1));
        if (!pair.second.empty()) fields_[pair.first] = pair.second;
      }
      return true;
    }
    Poll(std::min(until - absl::Now(), absl::Milliseconds(100)));
  } while (absl::Now() < until && running());
  return false;
}

std::string Daemon::Field(const std::string& key) const {
  const auto found = fields_.find(key);
  return found == fields_.end() ? "" : found->second;
}

void Daemon::Signal(int number) {
  if (!running()) return;
  kill(pid_, number);
  if (number != SIGSTOP) return;
  // Its threads may run on for a moment. Looked at only, for Reap() to collect.
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT);
}

void Daemon::Reap(bool block) {
  if (ended_) return;
  int status = 0;
  if (waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return;
  ended_ = true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool Daemon::running() {
  Reap(/*block=*/false);
  return !ended_;
}

int Daemon::Wait(absl::Duration timeout) {
  if (!Eventually([this] { return !running(); }, timeout)) return -1000;
  Poll(absl::ZeroDuration());
  return code_;
}

std::string Daemon::Log() const {
  std::ifstream file(log_path_);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

}  // namespace sessionmesh::e2e
