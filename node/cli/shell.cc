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
  const absl::Time deadline = absl::Now() + timeout;
  for (const std::string& address : addresses) {
    if (cluster_ != nullptr) {
      break;
    }
    if (absl::Status status = client::CheckAddress(address); !status.ok()) {
      return status;
    }
    const std::shared_ptr<grpc::Channel> channel =
        client::MakeChannel(address, nullptr);
    if (client::WaitConnected(*channel, deadline).ok()) {
      cluster_ = v1::ClusterService::NewStub(channel);
    }
  }
  if (cluster_ == nullptr) {
    return absl::UnavailableError("connection refused or broken");
  }
  return cluster_.get();
}

Style Shell::style() const { return {.color = io_.color, .now = absl::Now()}; }

void Shell::Print(absl::string_view text, absl::string_view json_text) const {
  PrintRaw(json ? json_text : text);
}

void Shell::PrintRaw(absl::string_view bytes) const {
  io_.out->write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  io_.out->flush();
}

void Shell::WarnDegraded(const v1::ReplyInfo& info) const {
  if (info.degraded()) {
    Warn(absl::StrCat("degraded: ", Printable(info.degraded_reason())));
  }
}

void Shell::Warn(absl::string_view sentence) const {
  *io_.err << "sessionctl " << command << ": " << std::string(sentence) << "\n";
}

ExitCode Shell::Fail(const absl::Status& status) const {
  *io_.err << (json ? ErrorJson(status)
                    : Explain(command, status, absl::StrJoin(addresses, ", ")));
  return ExitCodeOf(status);
}

ExitCode Shell::Usage(absl::string_view message) const {
  *io_.err << "sessionctl " << command << ": " << std::string(message)
           << "\n  try: sessionctl " << command << " --help\n";
  return ExitCode::kUsage;
}

}  // namespace sessionmesh::cli
