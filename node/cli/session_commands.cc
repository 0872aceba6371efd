#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "node/cli/arguments.h"
#include "node/cli/commands.h"
#include "node/cli/format.h"
#include "node/cli/json.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

constexpr char kGroup[] = "Sessions";

// Everything that a session command can be told; each adds the options it has.
struct Arguments {
  std::string id;
  std::vector<std::string> tokens;
  std::vector<std::string> items;  // NAME=VALUE, or names
  std::string attribute;
  bool literal = false;
  bool raw = false;
  bool access = false;
  bool strict = false;
  bool upsert = false;
  std::string if_version;
  std::vector<std::string> if_absent;
  std::optional<std::string> user;
  absl::Duration idle_timeout = absl::ZeroDuration();  // zero: the server's
  absl::Duration absolute_lifetime = absl::ZeroDuration();
  v1::Consistency consistency = v1::CONSISTENCY_SESSION;
  v1::Durability durability = v1::DURABILITY_DEFAULT;
};

using Body = std::function<ExitCode(Shell* shell, client::Client* client,
                                    const Arguments&)>;

// A subcommand with the arguments it shares with all others. The returned
// arguments live as long as the callback.
std::pair<CLI::App*, std::shared_ptr<Arguments>> AddCommand(
    CLI::App* app, Shell* shell, const std::string& name,
    const std::string& help, const std::string& examples, Body body) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app->add_subcommand(name, help);
  command->group(kGroup);
  command->footer("Examples:\n" + examples);
  command->callback([shell, name, arguments, body = std::move(body)] {
    shell->command = name;
    shell->action = [shell, arguments, body] {
      arguments->id = UnprotectId(arguments->id);
      shell->with_token = !arguments->tokens.empty();
      const absl::StatusOr<client::Client*> client = shell->Sessions();
      return client.ok() ? body(shell, *client, *arguments)
                         : shell->Usage(client.status().message());
    };
  });
  return {command, arguments};
}

void AddId(CLI::App* command, Arguments* arguments) {
  command->add_option("ID", arguments->id, "The session")->required();
  command
      ->add_option("--token", arguments->tokens,
                   "Token of an earlier reply; may be given up to 8 times")
      ->allow_extra_args(false);
}

void AddWrite(CLI::App* command, Arguments* arguments) {
  AddDurability(command, &arguments->durability);
  command->add_flag(
      "--strict", arguments->strict,
      "Fail when fewer owners are alive than the durability asks for");
}

void AddItems(CLI::App* command, Arguments* arguments) {
  command->add_option(
      "NAME=VALUE", arguments->items,
      "Attributes; NAME=@FILE reads a file, NAME=- standard input");
  command->add_flag("--literal", arguments->literal,
                    "Take '@' and '-' as they are");
}

void AddUser(CLI::App* command, Arguments* arguments) {
  command->add_option("--user", arguments->user,
                      "The user that the session belongs to");
}

ExitCode PrintWritten(Shell* shell, const v1::ReplyInfo& info) {
  shell->WarnDegraded(info);
  shell->Print(WrittenText(info), WrittenJson(info));
  return ExitCode::kOk;
}

ExitCode PrintCreated(Shell* shell, const v1::Session& session,
                      const v1::ReplyInfo& info) {
  shell->WarnDegraded(info);
  shell->Print(CreatedText(session, info), CreatedJson(session, info));
  return ExitCode::kOk;
}

ExitCode Create(Shell* shell, client::Client* client,
                const Arguments& arguments) {
  const auto attributes =
      ParseAttributes(arguments.items, arguments.literal, shell->in());
  if (!attributes.ok()) {
    return shell->Usage(attributes.status().message());
  }
  client::CreateOptions options = {.id = arguments.id,
                                   .attributes = *attributes,
                                   .user = arguments.user.value_or(""),
                                   .durability = arguments.durability,
                                   .strict = arguments.strict};
  if (arguments.idle_timeout > absl::ZeroDuration()) {
    options.idle_timeout = arguments.idle_timeout;
  }
  if (arguments.absolute_lifetime > absl::ZeroDuration()) {
    options.absolute_lifetime = arguments.absolute_lifetime;
  }
  const auto reply = client->Create(options);
  return reply.ok() ? PrintCreated(shell, reply->session(), reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Get(Shell* shell, client::Client* client, const Arguments& arguments) {
  if (arguments.raw && arguments.attribute.empty()) {
    return shell->Usage(
        "--raw writes the bytes of one attribute: name it after the id");
  }
  const auto reply = client->Get(arguments.id, arguments.tokens,
                                 {.consistency = arguments.consistency,
                                  .strict = arguments.strict,
                                  .peek = !arguments.access});
  if (!reply.ok()) {
    return shell->Fail(reply.status());
  }
  shell->WarnDegraded(reply->info());
  const v1::Session& session = reply->session();
  if (arguments.attribute.empty()) {
    shell->Print(SessionText(session, reply->info(), shell->style()),
                 SessionJson(session, reply->info()));
    return ExitCode::kOk;
  }
  const auto found = session.attributes().find(arguments.attribute);
  if (found == session.attributes().end()) {
    return shell->NotThere(absl::StrCat("the session has no attribute \"",
                                        Printable(arguments.attribute), "\""));
  }
  if (arguments.raw) {
    shell->PrintRaw(found->second);
  } else {
    shell->Print(absl::StrCat(Printable(found->second), "\n"),
                 AttributeJson(found->first, found->second, reply->info()));
  }
  return ExitCode::kOk;
}

ExitCode Set(Shell* shell, client::Client* client, const Arguments& arguments) {
  const auto attributes =
      ParseAttributes(arguments.items, arguments.literal, shell->in());
  if (!attributes.ok()) {
    return shell->Usage(attributes.status().message());
  }
  if (attributes->empty() && !arguments.user && !arguments.upsert) {
    return shell->Usage("nothing to set: give NAME=VALUE, --user or --upsert");
  }
  const auto reply = client->Update(arguments.id, arguments.tokens,
                                    {.set = *attributes,
                                     .upsert = arguments.upsert,
                                     .if_version = arguments.if_version,
                                     .if_absent = arguments.if_absent,
                                     .durability = arguments.durability,
                                     .strict = arguments.strict,
                                     .user = arguments.user});
  return reply.ok() ? PrintWritten(shell, reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Unset(Shell* shell, client::Client* client,
               const Arguments& arguments) {
  const auto reply = client->Update(arguments.id, arguments.tokens,
                                    {.unset = arguments.items,
                                     .if_version = arguments.if_version,
                                     .durability = arguments.durability,
                                     .strict = arguments.strict});
  return reply.ok() ? PrintWritten(shell, reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Touch(Shell* shell, client::Client* client,
               const Arguments& arguments) {
  const auto reply = client->Touch(arguments.id, arguments.tokens);
  return reply.ok() ? PrintWritten(shell, reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Remove(Shell* shell, client::Client* client,
                const Arguments& arguments) {
  const auto reply = client->Delete(
      arguments.id, arguments.tokens,
      {.durability = arguments.durability, .strict = arguments.strict});
  return reply.ok() ? PrintWritten(shell, reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Rotate(Shell* shell, client::Client* client,
                const Arguments& arguments) {
  const auto attributes =
      ParseAttributes(arguments.items, arguments.literal, shell->in());
  if (!attributes.ok()) {
    return shell->Usage(attributes.status().message());
  }
  const auto reply = client->Rotate(arguments.id, arguments.tokens,
                                    {.set = *attributes,
                                     .durability = arguments.durability,
                                     .strict = arguments.strict,
                                     .user = arguments.user});
  return reply.ok() ? PrintCreated(shell, reply->session(), reply->info())
                    : shell->Fail(reply.status());
}

ExitCode Watch(Shell* shell, client::Client* client,
               const Arguments& arguments) {
  const auto watch = client->OpenWatch(
      arguments.id, arguments.tokens, [shell](const v1::WatchResponse& event) {
        shell->Print(WatchText(event), WatchJson(event));
      });
  const absl::Status status = watch.ok() ? (*watch)->Wait() : watch.status();
  return status.ok() ? ExitCode::kOk : shell->Fail(status);
}

void AddReads(CLI::App* app, Shell* shell) {
  {
    auto [command, arguments] =
        AddCommand(app, shell, "get", "Show a session, or one attribute of it",
                   "  sessionctl get ID\n"
                   "  sessionctl get ID cart --token TOKEN\n"
                   "  sessionctl get ID picture --raw > picture.png\n"
                   "  sessionctl -o json get ID | jq .session.attributes\n",
                   Get);
    AddId(command, arguments.get());
    command->add_option("ATTRIBUTE", arguments->attribute,
                        "Only this attribute");
    command->add_flag("--raw", arguments->raw,
                      "Write the attribute's bytes and nothing else");
    command->add_flag("--access", arguments->access,
                      "Count as an access; otherwise looking does not keep the "
                      "session alive");
    command->add_flag("--strict", arguments->strict,
                      "Fail when a quorum cannot be complete");
    AddConsistency(command, &arguments->consistency);
  }
  {
    auto [command, arguments] = AddCommand(
        app, shell, "watch",
        "Show a session now and after every change, until it ends",
        "  sessionctl watch ID\n"
        "  sessionctl -o json watch ID | jq -c .session.attributes\n",
        Watch);
    AddId(command, arguments.get());
  }
}

void AddWrites(CLI::App* app, Shell* shell) {
  {
    auto [command, arguments] =
        AddCommand(app, shell, "create", "Make a session and print its id",
                   "  sessionctl create user=ann cart='3 apples'\n"
                   "  sessionctl create --user ann --idle 30m --lifetime 24h "
                   "--durability quorum\n"
                   "  id=$(sessionctl -o json create | jq -r .id)\n",
                   Create);
    AddItems(command, arguments.get());
    command->add_option("--id", arguments->id,
                        "Your own id, 16 to 256 bytes (default: chosen)");
    AddUser(command, arguments.get());
    AddDuration(
        command, "--idle", &arguments->idle_timeout,
        "Ends after this time without an access (default: the node's, 30m)");
    AddDuration(command, "--lifetime", &arguments->absolute_lifetime,
                "Ends after this time in any case (default: the node's, 24h)");
    AddWrite(command, arguments.get());
  }
  {
    auto [command, arguments] =
        AddCommand(app, shell, "set", "Set attributes in one atomic change",
                   "  sessionctl set ID cart='3 apples' seen=yes\n"
                   "  sessionctl set ID picture=@me.png --durability quorum\n"
                   "  date | sessionctl set ID last=- --token TOKEN\n"
                   "  sessionctl set ID lock=me --if-absent lock\n",
                   Set);
    AddId(command, arguments.get());
    AddItems(command, arguments.get());
    AddUser(command, arguments.get());
    command->add_flag("--upsert", arguments->upsert,
                      "Create the session when there is none");
    command->add_option(
        "--if-version", arguments->if_version,
        "Only if the session is exactly at the version of this token");
    command
        ->add_option("--if-absent", arguments->if_absent,
                     "Only if there is no such attribute; may be repeated")
        ->allow_extra_args(false);
    AddWrite(command, arguments.get());
  }
  {
    auto [command, arguments] =
        AddCommand(app, shell, "unset", "Remove attributes",
                   "  sessionctl unset ID cart seen\n", Unset);
    AddId(command, arguments.get());
    command->add_option("NAME", arguments->items, "Attributes")->required();
    command->add_option(
        "--if-version", arguments->if_version,
        "Only if the session is exactly at the version of this token");
    AddWrite(command, arguments.get());
  }
}

void AddLife(CLI::App* app, Shell* shell) {
  {
    auto [command, arguments] =
        AddCommand(app, shell, "touch", "Count an access",
                   "  sessionctl touch ID\n", Touch);
    AddId(command, arguments.get());
  }
  {
    auto [command, arguments] = AddCommand(
        app, shell, "rm", "End a session for good",
        "  sessionctl rm ID\n  sessionctl rm ID --durability all --strict\n",
        Remove);
    AddId(command, arguments.get());
    AddWrite(command, arguments.get());
  }
  {
    auto [command, arguments] =
        AddCommand(app, shell, "rotate",
                   "Give a session a new id and print it; the old one ends",
                   "  sessionctl rotate ID\n  sessionctl rotate ID --user ann "
                   "role=admin\n",
                   Rotate);
    AddId(command, arguments.get());
    AddItems(command, arguments.get());
    AddUser(command, arguments.get());
    AddWrite(command, arguments.get());
  }
}

}  // namespace

void AddSessionCommands(CLI::App* app, Shell* shell) {
  AddReads(app, shell);
  AddWrites(app, shell);
  AddLife(app, shell);
}

}  // namespace sessionmesh::cli
