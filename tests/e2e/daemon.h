#ifndef TESTS_E2E_DAEMON_H_
#define TESTS_E2E_DAEMON_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sessionmesh::e2e {

// One real sessiond process. It gets only the arguments and the environment
// that the test gives it. Killed, if it still runs, when this is destroyed.
class Daemon {
 public:
  // `directory` holds its log (NAME.log).
  Daemon(const std::string& directory, const std::string& log_name,
         std::vector<std::string> arguments,
         std::map<std::string, std::string> environment = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Whether a line that begins with `word` came on standard output in time; its
  // key=value pairs are then to be had by Field.
  bool AwaitLine(const std::string& word,
                 absl::Duration timeout = absl::Seconds(30));
  // Of the "listening" or "ready" line, for instance Field("client").
  std::string Field(const std::string& key) const;

  // Of SIGSTOP it returns when the process stands still.
  void Signal(int number);
  // The exit code, or minus the signal that ended it; -1000 when it runs on.
  int Wait(absl::Duration timeout = absl::Seconds(30));
  bool running();

  pid_t pid() const { return pid_; }
  // What it wrote to standard error and standard output so far.
  std::string Log() const;
  std::string Output() const { return output_; }

 private:
  void Poll(absl::Duration timeout);
  void Reap(bool block);

  const std::string log_path_;
  pid_t pid_ = -1;
  int stdout_ = -1;
  bool ended_ = false;
  int code_ = 0;
  std::string output_;
  std::map<std::string, std::string> fields_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_DAEMON_H_
