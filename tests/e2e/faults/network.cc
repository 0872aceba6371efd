#include "tests/e2e/faults/network.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace sessionmesh::e2e {
namespace {

constexpr char kNamePrefix[] = "smf-";
constexpr char kSpacesDirectory[] = "/run/netns";
constexpr char kSwitchAddress[] = "10.77.255.254/16";

// Namespaces of runs whose process is gone.
void RemoveLeftOvers() {
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator(kSpacesDirectory, none)) {
    const std::string name = entry.path().filename().string();
    absl::string_view rest = name;
    if (!absl::ConsumePrefix(&rest, kNamePrefix)) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(rest, '-');
    pid_t pid = 0;
    if (!absl::SimpleAtoi(parts.front(), &pid) || pid <= 0) continue;
    if (kill(pid, 0) == 0 || errno != ESRCH) continue;
    const absl::Status removed = RunProgram({"ip", "netns", "del", name});
    LOG_IF(WARNING, !removed.ok()) << removed;
  }
}

}  // namespace

absl::Status RunProgram(const std::vector<std::string>& arguments,
                        const std::string& input, std::string* output) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  int in[2];
  int out[2];
  PCHECK(pipe2(in, O_CLOEXEC) == 0);
  PCHECK(pipe2(out, O_CLOEXEC) == 0);
  const pid_t pid = fork();
  PCHECK(pid >= 0);
  if (pid == 0) {
    // Nothing but system calls between fork and exec.
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(out[1], STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  // Smaller than a pipe holds, so this does not block.
  const ssize_t wrote = write(in[1], input.data(), input.size());
  close(in[1]);
  std::string said;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(out[0], buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said.append(buffer, static_cast<size_t>(got));
  }
  close(out[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (output != nullptr) *output = said;
  if (wrote == static_cast<ssize_t>(input.size()) && WIFEXITED(status) &&
      WEXITSTATUS(status) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat(
      absl::StrJoin(arguments, " "), ": ",
      WIFEXITED(status) ? absl::StrCat("exit code ", WEXITSTATUS(status))
                        : "ended by a signal",
      "; ", absl::StripAsciiWhitespace(said)));
}

Network::~Network() {
  if (host_ >= 0) PCHECK(setns(host_, CLONE_NEWNET) == 0);
  for (auto& [name, node] : nodes_) {
    if (node.file >= 0) close(node.file);
  }
  if (switch_ >= 0) close(switch_);
  if (host_ >= 0) close(host_);
  for (const std::string& space : spaces_) {
    const absl::Status removed = RunProgram({"ip", "netns", "del", space});
    LOG_IF(ERROR, !removed.ok()) << removed;
  }
}

absl::Status Network::Open(const std::vector<std::string>& nodes) {
  prefix_ = absl::StrCat(kNamePrefix, getpid(), "-");
  RemoveLeftOvers();
  if (absl::Status s = Make(nodes); !s.ok()) return s;
  host_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  switch_ = open(absl::StrCat(kSpacesDirectory, "/", spaces_.front()).c_str(),
                 O_RDONLY | O_CLOEXEC);
  if (host_ < 0 || switch_ < 0) {
    return absl::ErrnoToStatus(errno, "cannot open a network namespace");
  }
  for (auto& [name, node] : nodes_) {
    node.file = open(absl::StrCat(kSpacesDirectory, "/", node.space).c_str(),
                     O_RDONLY | O_CLOEXEC);
    if (node.file < 0) {
      return absl::ErrnoToStatus(errno, "cannot open a network namespace");
    }
  }
  if (setns(switch_, CLONE_NEWNET) != 0) {
    return absl::ErrnoToStatus(errno, "cannot enter a network namespace");
  }
  return absl::OkStatus();
}

absl::Status Network::Make(const std::vector<std::string>& nodes) {
  const auto run = [](const std::string& command) {
    return RunProgram(absl::StrSplit(command, ' '));
  };
  const std::string middle = absl::StrCat(prefix_, "switch");
  std::vector<std::string> commands = {
      absl::StrCat("ip netns add ", middle),
      absl::StrCat("ip -n ", middle, " link set lo up"),
      absl::StrCat("ip -n ", middle, " link add bridge type bridge"),
      absl::StrCat("ip -n ", middle, " addr add ", kSwitchAddress,
                   " dev bridge"),
      absl::StrCat("ip -n ", middle, " link set bridge up")};
  for (size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes_[nodes[i]];
    node.address = absl::StrCat("10.77.0.", i + 1);
    node.space = absl::StrCat(prefix_, nodes[i]);
    const std::string port = absl::StrCat("port", i + 1);
    for (const std::string& command :
         {absl::StrCat("ip netns add ", node.space),
          absl::StrCat("ip -n ", node.space, " link set lo up"),
          absl::StrCat("ip -n ", middle, " link add ", port,
                       " type veth peer name wire netns ", node.space),
          absl::StrCat("ip -n ", middle, " link set ", port, " master bridge"),
          absl::StrCat("ip -n ", middle, " link set ", port, " up"),
          absl::StrCat("ip -n ", node.space, " addr add ", node.address,
                       "/16 dev wire"),
          absl::StrCat("ip -n ", node.space, " link set wire up")}) {
      commands.push_back(command);
    }
  }
  for (const std::string& command : commands) {
    if (absl::Status s = run(command); !s.ok()) return s;
    absl::string_view made = command;
    if (absl::ConsumePrefix(&made, "ip netns add ")) spaces_.emplace_back(made);
  }
  // Whether faults can be made shows before anything is started.
  for (auto& [name, node] : nodes_) {
    node.queue = true;
    node.loss = 0.5;
    node.cut_from = {name};
    if (absl::Status s = RunProgram(
            {"nsenter",
             absl::StrCat("--net=", kSpacesDirectory, "/", node.space),
             "iptables-restore", "-w"},
            RulesOf(node));
        !s.ok()) {
      return s;
    }
  }
  Heal();
  Apply();
  return absl::OkStatus();
}

void Network::Enter(const std::string& node) {
  const int file = node.empty() ? switch_ : nodes_.at(node).file;
  PCHECK(setns(file, CLONE_NEWNET) == 0) << node;
}

std::string Network::AddressOf(const std::string& node) const {
  return nodes_.at(node).address;
}

void Network::Cut(const std::string& from, const std::string& to) {
  nodes_.at(to).cut_from.insert(from);
}

void Network::SetLoss(const std::string& node, double fraction) {
  nodes_.at(node).loss = fraction;
}

void Network::SetQueue(const std::string& node, bool on) {
  nodes_.at(node).queue = on;
}

void Network::Heal() {
  for (auto& [name, node] : nodes_) {
    node.cut_from.clear();
    node.loss = 0;
    node.queue = false;
  }
}

std::string Network::RulesOf(const Node& node) const {
  std::string rules = "*filter\n:INPUT ACCEPT [0:0]\n";
  for (const std::string& from : node.cut_from) {
    absl::StrAppend(&rules, "-A INPUT -s ", nodes_.at(from).address,
                    " -j DROP\n");
  }
  if (node.loss > 0) {
    absl::StrAppend(&rules,
                    "-A INPUT -i wire -m statistic --mode random "
                    "--probability ",
                    absl::StrCat(node.loss), " -j DROP\n");
  }
  if (node.queue) {
    absl::StrAppend(&rules,
                    "-A INPUT -i wire -j NFQUEUE --queue-num 0 "
                    "--queue-bypass\n");
  }
  absl::StrAppend(&rules, "COMMIT\n");
  return rules;
}

void Network::Apply() {
  for (auto& [name, node] : nodes_) {
    const std::string rules = RulesOf(node);
    if (rules == node.applied) continue;
    const absl::Status applied = RunProgram(
        {"nsenter", absl::StrCat("--net=", kSpacesDirectory, "/", node.space),
         "iptables-restore", "-w"},
        rules);
    CHECK(applied.ok()) << applied;
    node.applied = rules;
  }
}

int64_t Network::Dropped() {
  int64_t dropped = 0;
  for (const auto& [name, node] : nodes_) {
    if (node.cut_from.empty() && node.loss == 0) continue;
    std::string text;
    const absl::Status listed = RunProgram(
        {"nsenter", absl::StrCat("--net=", kSpacesDirectory, "/", node.space),
         "iptables", "-w", "-nvxL", "INPUT"},
        "", &text);
    CHECK(listed.ok()) << listed;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      const std::vector<absl::string_view> words =
          absl::StrSplit(line, ' ', absl::SkipWhitespace());
      int64_t packets = 0;
      if (words.size() > 2 && words[2] == "DROP" &&
          absl::SimpleAtoi(words[0], &packets)) {
        dropped += packets;
      }
    }
  }
  return dropped;
}

}  // namespace sessionmesh::e2e
