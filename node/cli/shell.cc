#include "node/cli/shell.h"

#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "node/cli/explain.h"
#include "node/cli/json.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {

absl::StatusOr<client::Client*> Shell::Sessions() {
  if (client_ == nullptr) {
    absl::StatusOr<std::unique_ptr<client::Client>> opened =
        client::Client::Open({.addresses = addresses, .timeout = timeout});
    if (!opened.ok()) {
      return opened.status();
    }
    client_ = *std::move(opened);
  }
  return client_.get();
}

absl::StatusOr<v1::ClusterService::Stub*> Shell::Cluster() {
  if (cluster_ != nullptr) {
    return cluster_.get();
  }
  const absl::Time deadline = absl::Now() + timeout;
  std::vector<std::string> failures;
  for (const std::string& address : addresses) {
    if (absl::Status status = client::CheckAddress(address); !status.ok()) {
      return status;
    }
    const std::shared_ptr<grpc::Channel> channel =
        client::MakeChannel(address, nullptr);
    const bool last = failures.size() + 1 == addresses.size();
    const absl::Time now = absl::Now();
    const absl::Status connected = client::WaitConnected(
        *channel, last ? deadline : now + (deadline - now) / 2);
    if (connected.ok()) {
      cluster_channel_ = channel;
      cluster_ = v1::ClusterService::NewStub(channel);
      return cluster_.get();
    }
    failures.push_back(
        absl::StrCat("node at ", address, ": ", connected.message()));
  }
  return absl::UnavailableError(absl::StrJoin(failures, "; "));
}

absl::Status Shell::ClusterFailure(absl::Status status) {
  // A call that the transport gave up leaves a broken connection, or has used
  // up its time; everything else is the node's word.
  const bool connected = cluster_channel_->GetState(/*try_to_connect=*/false) ==
                         GRPC_CHANNEL_READY;
  if (!connected) {
    cluster_.reset();  // the next call asks all addresses again
  } else if (!absl::IsDeadlineExceeded(status)) {
    status = WithAnswered(std::move(status));
  }
  return status;
}

Style Shell::style() const { return {.color = io_.color, .now = absl::Now()}; }

void Shell::Print(absl::string_view text, absl::string_view json_text) const {
  PrintRaw(json ? json_text : text);
}

void Shell::PrintRaw(absl::string_view bytes) const {
  io_.out->write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  io_.out->flush();
}

bool Shell::Flush() const {
  io_.out->flush();
  return io_.out->good();
}

void Shell::WarnDegraded(const v1::ReplyInfo& info) const {
  if (info.degraded()) {
    Warn(absl::StrCat("degraded: ", Printable(info.degraded_reason())));
  }
}

void Shell::Warn(absl::string_view sentence) const {
  *io_.err << "sessionctl " << command << ": " << std::string(sentence) << "\n";
}

void Shell::PrintError(const absl::Status& status,
                       const std::string& text) const {
  *io_.err << (json ? ErrorJson(status) : text);
}

ExitCode Shell::Fail(const absl::Status& status) const {
  PrintError(status, Explain(command, status, absl::StrJoin(addresses, ", "),
                             with_token));
  return ExitCodeOf(status);
}

ExitCode Shell::Usage(absl::string_view message) const {
  // Before a command is known, the parser speaks.
  const std::string name =
      absl::StrCat("sessionctl", command.empty() ? "" : " ", command);
  PrintError(absl::InvalidArgumentError(message),
             absl::StrCat(name, ": ", message, "\n  try: ", name, " --help\n"));
  return ExitCode::kUsage;
}

ExitCode Shell::NotThere(absl::string_view sentence) const {
  PrintError(absl::NotFoundError(sentence),
             absl::StrCat("sessionctl ", command, ": ", sentence, "\n"));
  return ExitCode::kNotFound;
}

}  // namespace sessionmesh::cli
