#include "node/identity.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "membership/limits.h"
#include "node/option_values.h"
#include "node/socket_address.h"

namespace sessionmesh::node {
namespace {

constexpr char kHeader[] = "sessiond node-state 1";

absl::Status FileError(absl::string_view doing, const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot ", doing, " ", path, ": ", strerror(errno),
      "; choose another directory by --state-dir or fix its permissions"));
}

absl::Status WriteAll(int file, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "write");
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file) == 0 ? absl::OkStatus()
                          : absl::ErrnoToStatus(errno, "fsync");
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return absl::NotFoundError(path);
    return FileError("open", path);
  }
  std::string text(kStateFileBytesMax, '\0');
  size_t size = 0;
  ssize_t got = 0;
  while (size < text.size() &&
         (got = read(file, text.data() + size, text.size() - size)) > 0) {
    size += static_cast<size_t>(got);
  }
  const bool failed = got < 0;
  if (failed) {
    const absl::Status status = FileError("read", path);
    close(file);
    return status;
  }
  close(file);
  text.resize(size);
  return text;
}

void SyncDirectory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  fsync(directory);
  close(directory);
}

absl::Status Damaged(int line, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("line ", line, ": ", what));
}

absl::Status ParseLine(absl::string_view key, absl::string_view value, int line,
                       NodeState* state) {
  if (key == "name") {
    if (!CheckName(value).ok()) return Damaged(line, "this is no node's name");
    state->name = std::string(value);
  } else if (key == "generation") {
    if (!absl::SimpleAtoi(value, &state->generation)) {
      return Damaged(line, "the generation is not a number");
    }
    // The next one must be allowed as well.
    if (state->generation >= membership::kGenerationMax) {
      return Damaged(
          line, absl::StrCat("the generation is ", value, ", more than ",
                             membership::kGenerationMax - 1, ", the limit"));
    }
  } else if (key == "peer") {
    if (!ParseHostPort(value).ok()) {
      return Damaged(line, "the peer is not host:port");
    }
    if (state->peers.size() < kStatePeersMax) state->peers.emplace_back(value);
  } else {
    return Damaged(line, "unknown word");
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatNodeState(const NodeState& state) {
  std::string text = absl::StrCat(kHeader, "\nname ", state.name,
                                  "\ngeneration ", state.generation, "\n");
  for (const membership::Address& peer : state.peers) {
    absl::StrAppend(&text, "peer ", peer, "\n");
  }
  return text;
}

absl::StatusOr<NodeState> ParseNodeState(absl::string_view text) {
  if (!absl::ConsumeSuffix(&text, "\n")) {
    return Damaged(1, "the last line is cut off, or the file is empty");
  }
  NodeState state;
  int line = 0;
  for (const absl::string_view row : absl::StrSplit(text, '\n')) {
    if (++line == 1) {
      if (row != kHeader) {
        return Damaged(line, absl::StrCat("expected \"", kHeader, "\""));
      }
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(row, absl::MaxSplits(' ', 1));
    const absl::Status status =
        ParseLine(parts.first, parts.second, line, &state);
    if (!status.ok()) return status;
  }
  if (state.name.empty()) return Damaged(line, "the name is missing");
  if (state.generation == 0) return Damaged(line, "the generation is missing");
  return state;
}

absl::StatusOr<std::unique_ptr<Identity>> Identity::Open(
    const std::string& directory, const membership::NodeName& name,
    absl::Time wall_now) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    errno = error.value();
    return FileError("make the state directory", directory);
  }
  const std::string lock_path = absl::StrCat(directory, "/lock");
  const int lock_file =
      open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_file < 0) return FileError("open", lock_path);
  auto identity = absl::WrapUnique(new Identity(directory, lock_file));
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    // Not every file system can lock.
    if (errno != EWOULDBLOCK) return FileError("lock", lock_path);
    return absl::FailedPreconditionError(absl::StrCat(
        "another sessiond uses the state directory ", directory,
        "; stop it, or give this one its own by --state-dir (and --name)"));
  }
  const absl::Status status = identity->Load(name, wall_now);
  if (!status.ok()) return status;
  return identity;
}

Identity::Identity(std::string directory, int lock_file)
    : directory_(std::move(directory)), lock_file_(lock_file) {}

Identity::~Identity() { close(lock_file_); }

absl::Status Identity::Load(const membership::NodeName& name,
                            absl::Time wall_now) {
  const std::string path = absl::StrCat(directory_, "/node-state");
  absl::StatusOr<std::string> text = ReadAll(path);
  if (text.ok()) {
    absl::StatusOr<NodeState> state = ParseNodeState(*text);
    if (!state.ok()) {
      return absl::DataLossError(absl::StrCat(
          path, " is damaged: ", state.status().message(),
          ". It holds only this node's generation and the addresses of its "
          "peers: if no other process of this node runs, remove the file and "
          "start again, with --join when the node is part of a cluster"));
    }
    if (state->name != name) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, " belongs to node \"", state->name, "\", this one is \"", name,
          "\"; use --name ", state->name, " or another --state-dir"));
    }
    state_ = *std::move(state);
  } else if (!absl::IsNotFound(text.status())) {
    return text.status();
  }
  state_.name = name;
  const auto clock = static_cast<membership::Generation>(
      std::max<int64_t>(absl::ToUnixMillis(wall_now), 1));
  state_.generation = std::max(state_.generation + 1, clock);
  const membership::Generation newest =
      clock + static_cast<membership::Generation>(
                  absl::ToInt64Milliseconds(membership::kGenerationAheadMax));
  if (state_.generation > newest) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " has generation ", state_.generation - 1,
        ", more than a day ahead of this machine's clock, which says ",
        absl::FormatTime(wall_now, absl::UTCTimeZone()),
        ": no other node would believe it. Set the clock; if it is right and "
        "was wrong before, remove the file, and start with --join when the "
        "node is part of a cluster"));
  }
  return Save();
}

absl::Status Identity::SavePeers(std::vector<membership::Address> peers) {
  if (peers.size() > kStatePeersMax) peers.resize(kStatePeersMax);
  if (peers == state_.peers) return absl::OkStatus();
  state_.peers = std::move(peers);
  return Save();
}

absl::Status Identity::Save() const {
  const std::string path = absl::StrCat(directory_, "/node-state");
  const std::string beside = absl::StrCat(path, ".new");
  const int file =
      open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return FileError("write", beside);
  const absl::Status written = WriteAll(file, FormatNodeState(state_));
  close(file);
  if (!written.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write ", beside, ": ", written.message()));
  }
  if (rename(beside.c_str(), path.c_str()) != 0) {
    return FileError("replace", path);
  }
  SyncDirectory(directory_);
  return absl::OkStatus();
}

}  // namespace sessionmesh::node
