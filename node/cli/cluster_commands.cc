#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "node/cli/arguments.h"
#include "node/cli/commands.h"
#include "node/cli/format.h"
#include "node/cli/json.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

constexpr char kGroup[] = "Cluster";
constexpr absl::Duration kPollInterval = absl::Milliseconds(200);
// On top of the time that the node was told, for the way there and back.
constexpr absl::Duration kSlack = absl::Seconds(2);
// A node waits no longer for the first answer of a seed.
constexpr absl::Duration kJoinPatienceMax = absl::Minutes(1);

struct Arguments {
  std::string id;
  std::string wait;
  absl::Duration patience = absl::ZeroDuration();
  bool history = false;
  std::vector<std::string> seeds;
};

using Body = std::function<ExitCode(Shell* shell, const Arguments&)>;

std::pair<CLI::App*, std::shared_ptr<Arguments>> AddCommand(
    CLI::App* app, Shell* shell, const std::string& name,
    const std::string& help, const std::string& examples,
    absl::Duration patience, Body body) {
  auto arguments = std::make_shared<Arguments>();
  arguments->patience = patience;
  CLI::App* command = app->add_subcommand(name, help);
  command->group(kGroup);
  command->footer("Examples:\n" + examples);
  command->callback([shell, name, arguments, body = std::move(body)] {
    shell->command = name;
    shell->action = [shell, arguments, body] {
      return body(shell, *arguments);
    };
  });
  return {command, arguments};
}

absl::StatusOr<v1::ClusterStatusResponse> AskStatus(Shell* shell) {
  return shell->CallCluster(&v1::ClusterService::Stub::ClusterStatus,
                            v1::ClusterStatusRequest(), shell->timeout);
}

ExitCode PrintStatus(Shell* shell, const v1::ClusterStatusResponse& reply) {
  shell->Print(StatusText(reply, shell->style()), StatusJson(reply));
  return VerdictRank(reply.verdict()) > 0 ? ExitCode::kOk
                                          : ExitCode::kUnavailable;
}

// Asks until the verdict is good enough or patience ends.
ExitCode WaitForStatus(Shell* shell, const Arguments& arguments) {
  const absl::Time deadline = absl::Now() + arguments.patience;
  for (;;) {
    const auto reply = AskStatus(shell);
    if (reply.ok() &&
        VerdictRank(reply->verdict()) >= VerdictRank(arguments.wait)) {
      return PrintStatus(shell, *reply);
    }
    if (absl::Now() + kPollInterval >= deadline) {
      if (!reply.ok()) {
        return shell->Fail(reply.status());
      }
      PrintStatus(shell, *reply);
      shell->Warn(absl::StrCat("still ", Printable(reply->verdict()), " after ",
                               ShortDuration(arguments.patience), ", not ",
                               arguments.wait));
      return ExitCode::kUnavailable;
    }
    absl::SleepFor(kPollInterval);
  }
}

ExitCode Status(Shell* shell, const Arguments& arguments) {
  if (!arguments.wait.empty()) {
    return WaitForStatus(shell, arguments);
  }
  const auto reply = AskStatus(shell);
  return reply.ok() ? PrintStatus(shell, *reply) : shell->Fail(reply.status());
}

ExitCode Members(Shell* shell, const Arguments&) {
  const auto reply = shell->CallCluster(&v1::ClusterService::Stub::Members,
                                        v1::MembersRequest(), shell->timeout);
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  shell->Print(MembersText(*reply, shell->style()), MembersJson(*reply));
  return ExitCode::kOk;
}

ExitCode Lag(Shell* shell, const Arguments&) {
  const auto reply =
      shell->CallCluster(&v1::ClusterService::Stub::Replication,
                         v1::ReplicationRequest(), shell->timeout);
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  shell->Print(LagText(*reply, shell->style()), LagJson(*reply));
  return ExitCode::kOk;
}

ExitCode Where(Shell* shell, const Arguments& arguments) {
  v1::WhereIsRequest request;
  request.set_id(UnprotectId(arguments.id));
  const auto reply = shell->CallCluster(&v1::ClusterService::Stub::WhereIs,
                                        request, shell->timeout);
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  shell->Print(WhereText(*reply, shell->style()), WhereJson(*reply));
  const bool held =
      std::any_of(reply->owners().begin(), reply->owners().end(),
                  [](const auto& owner) { return owner.holds(); });
  return held ? ExitCode::kOk : ExitCode::kNotFound;
}

ExitCode Events(Shell* shell, const Arguments& arguments) {
  const auto stub = shell->Cluster();
  if (!stub.ok()) {
    return shell->Fail(stub.status());
  }
  v1::WatchEventsRequest request;
  request.set_history(arguments.history);
  grpc::ClientContext
      context;  // no deadline: it ends with the node or with Ctrl-C
  const auto reader = (*stub)->WatchEvents(&context, request);
  v1::Event event;
  while (reader->Read(&event)) {
    shell->Print(EventText(event, shell->style()), EventJson(event));
    if (!shell->Flush()) {
      context.TryCancel();  // nobody sees the rest
      return ExitCode::kFailed;
    }
  }
  const absl::Status status = client::FromGrpc(reader->Finish());
  return status.ok() ? ExitCode::kOk : shell->Fail(status);
}

ExitCode Join(Shell* shell, const Arguments& arguments) {
  if (arguments.patience > kJoinPatienceMax) {
    return shell->Usage(
        absl::StrCat("--for ", ShortDuration(arguments.patience),
                     ": a node waits ", ShortDuration(kJoinPatienceMax),
                     " at most; it goes on trying by itself after that"));
  }
  v1::JoinRequest request;
  request.mutable_seeds()->Assign(arguments.seeds.begin(),
                                  arguments.seeds.end());
  absl::Duration rest = arguments.patience;
  request.mutable_timeout()->set_seconds(
      absl::IDivDuration(rest, absl::Seconds(1), &rest));
  request.mutable_timeout()->set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(rest)));
  const auto reply = shell->CallCluster(&v1::ClusterService::Stub::Join,
                                        request, arguments.patience + kSlack);
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  shell->Print(
      absl::StrCat("joined: ", Count(reply->members(), "member"), " known\n"),
      JoinJson(*reply));
  return ExitCode::kOk;
}

ExitCode Leave(Shell* shell, const Arguments& arguments) {
  const auto reply =
      shell->CallCluster(&v1::ClusterService::Stub::Leave, v1::LeaveRequest(),
                         arguments.patience + kSlack);
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  const std::string message =
      reply->message().empty()
          ? ""
          : absl::StrCat(": ", Printable(reply->message()));
  shell->Print(
      reply->handed_over()
          ? absl::StrCat("left; every acknowledged change is on another owner",
                         message, "\n")
          : absl::StrCat(
                "left; NOT every change is known to be on another owner",
                message, "\n"),
      LeaveJson(*reply));
  return reply->handed_over() ? ExitCode::kOk : ExitCode::kFailed;
}

void AddViews(CLI::App* app, Shell* shell) {
  {
    auto [command, arguments] = AddCommand(
        app, shell, "status",
        "Every node and a verdict; exit code 4 when nobody is ready",
        "  sessionctl status\n"
        "  sessionctl status --wait healthy --for 1m && ./deploy-the-rest\n",
        absl::Seconds(30), Status);
    command
        ->add_option("--wait", arguments->wait,
                     "Wait until the verdict is at least this good")
        ->type_name("healthy|degraded")
        ->check(CLI::IsMember({"healthy", "degraded"}));
    AddDuration(command, "--for", &arguments->patience,
                "How long --wait waits (default 30s)");
  }
  AddCommand(app, shell, "members",
             "Who is in the cluster, and who accused whom",
             "  sessionctl members\n", absl::ZeroDuration(), Members);
  AddCommand(app, shell, "lag", "How far each peer is behind this node",
             "  sessionctl lag\n  watch -n1 sessionctl lag\n",
             absl::ZeroDuration(), Lag);
  {
    auto [command, arguments] = AddCommand(
        app, shell, "where", "Which owners hold a session, and which version",
        "  sessionctl where ID\n", absl::ZeroDuration(), Where);
    command->add_option("ID", arguments->id, "The session")->required();
  }
  {
    auto [command, arguments] = AddCommand(
        app, shell, "events", "What happens, as it happens, one event a line",
        "  sessionctl events --history\n"
        "  sessionctl -o json events | jq -c 'select(.area == \"member\")'\n",
        absl::ZeroDuration(), Events);
    command->add_flag("--history", arguments->history,
                      "First the events of the last minutes, oldest first");
  }
}

void AddChanges(CLI::App* app, Shell* shell) {
  {
    auto [command, arguments] = AddCommand(
        app, shell, "join", "Make the node join a cluster through other nodes",
        "  sessionctl join app2:7401 app3:7401\n", absl::Seconds(10), Join);
    command
        ->add_option("SEED", arguments->seeds,
                     "host:port of peers, or DNS names")
        ->required();
    AddDuration(command, "--for", &arguments->patience,
                "How long to wait for the first answer, at most 1m (default "
                "10s)");
  }
  {
    auto [command, arguments] = AddCommand(
        app, shell, "leave",
        "Make the node hand over, leave the cluster and end",
        "  sessionctl leave\n  sessionctl --address app2:7400 leave --for 5m\n",
        absl::Seconds(60), Leave);
    AddDuration(command, "--for", &arguments->patience,
                "How long it may take (default 60s)");
  }
}

}  // namespace

void AddClusterCommands(CLI::App* app, Shell* shell) {
  AddViews(app, shell);
  AddChanges(app, shell);
}

}  // namespace sessionmesh::cli
