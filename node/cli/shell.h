#ifndef NODE_CLI_SHELL_H_
#define NODE_CLI_SHELL_H_

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "client/error.h"
#include "node/cli/exit_code.h"
#include "node/cli/format.h"
#include "proto/cluster.grpc.pb.h"

namespace sessionmesh::cli {

// Where a command reads and writes. All outlive the call.
struct Io {
  std::istream* in;
  std::ostream* out;
  std::ostream* err;
  bool color = false;  // `out` is a terminal that shows colours
};

// What every command needs: the global options, the connections, and one way to
// print results and errors. One per run of the program; not thread-safe.
class Shell {
 public:
  explicit Shell(const Io& io) : io_(io) {}

  // The global options, filled in by the parser.
  std::vector<std::string> addresses = {std::string(client::kDefaultAddress)};
  absl::Duration timeout = absl::Seconds(2);
  bool json = false;

  // Whether the command was given a token: without one a node cannot know what
  // it has missed.
  bool with_token = false;

  // What the chosen subcommand does, and its name.
  std::function<ExitCode()> action;
  std::string command;

  // Opened at the first use.
  absl::StatusOr<client::Client*> Sessions();
  // The stub of the first address that can be reached. A silent one gets half
  // of what is left of the timeout while there are others to ask. UNAVAILABLE
  // with what became of each.
  absl::StatusOr<v1::ClusterService::Stub*> Cluster();

  // One unary call of the operator's service.
  template <typename Request, typename Response>
  using ClusterMethod = grpc::Status (v1::ClusterService::Stub::*)(
      grpc::ClientContext*, const Request&, Response*);
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallCluster(ClusterMethod<Request, Response> method,
                                       const Request& request,
                                       absl::Duration budget) {
    absl::StatusOr<v1::ClusterService::Stub*> stub = Cluster();
    if (!stub.ok()) {
      return stub.status();
    }
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + budget));
    Response response;
    if (absl::Status status =
            client::FromGrpc(((*stub)->*method)(&context, request, &response));
        !status.ok()) {
      return ClusterFailure(std::move(status));
    }
    return response;
  }

  Style style() const;
  std::istream& in() const { return *io_.in; }

  // The result: one of the two, flushed (a reader at the other end of a pipe
  // sees each event as it comes).
  void Print(absl::string_view text, absl::string_view json_text) const;
  // Bytes as they are.
  void PrintRaw(absl::string_view bytes) const;
  // Whether everything printed so far has been written.
  bool Flush() const;
  // A sentence to the error stream when the reply promises less than asked.
  void WarnDegraded(const v1::ReplyInfo& info) const;
  void Warn(absl::string_view sentence) const;
  // Prints the error; returns its exit code.
  ExitCode Fail(const absl::Status& status) const;
  // Prints a mistake in the command line.
  ExitCode Usage(absl::string_view message) const;
  // Prints that something is not there although every node did what it was
  // asked.
  ExitCode NotThere(absl::string_view sentence) const;

 private:
  // Marks what a node has said itself (explain.h), and lets go of a connection
  // that is broken.
  absl::Status ClusterFailure(absl::Status status);
  // To the error stream: the sentence, or the status as JSON.
  void PrintError(const absl::Status& status, const std::string& text) const;

  const Io io_;
  std::unique_ptr<client::Client> client_;
  std::shared_ptr<grpc::Channel> cluster_channel_;
  std::unique_ptr<v1::ClusterService::Stub> cluster_;
};

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_SHELL_H_
