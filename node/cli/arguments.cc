#include "node/cli/arguments.h"

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "node/cli/names.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

// In blocks, not through the stream's buffer: that one throws when the file
// cannot be read after all, as a directory, and read() only says so.
std::string ReadAll(std::istream& in) {
  std::string bytes;
  std::array<char, 4096> block;
  do {
    in.read(block.data(), block.size());
    bytes.append(block.data(), static_cast<std::size_t>(in.gcount()));
  } while (in.good());
  return bytes;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes = file ? ReadAll(file) : "";
  if (!file.is_open() || file.bad()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", Printable(path),
                     ": check that it is a file that may be read, or use "
                     "--literal when the value itself begins with '@'"));
  }
  return bytes;
}

// An option with a fixed set of words.
template <typename Value, typename Parse>
CLI::Option* AddWord(CLI::App* app, const std::string& name, Value* target,
                     Parse parse, const std::string& words,
                     const std::string& help) {
  const auto set = [target, parse](const CLI::results_t& results) {
    const auto value = parse(results.back());
    if (value) {
      *target = *value;
    }
    return value.has_value();
  };
  return app->add_option(name, set, help)
      ->type_name(words)
      ->check([parse, words](const std::string& word) {
        return parse(word) ? std::string()
                           : absl::StrCat(word, " is none of ", words);
      });
}

}  // namespace

absl::StatusOr<client::Attributes> ParseAttributes(
    const std::vector<std::string>& items, bool literal, std::istream& in) {
  client::Attributes attributes;
  bool stdin_used = false;
  for (const std::string& item : items) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", Printable(item), "\" is not NAME=VALUE, NAME=@FILE or NAME=-"));
    }
    const std::string name = item.substr(0, equals);
    std::string value = item.substr(equals + 1);
    if (!literal && value == "-") {
      if (std::exchange(stdin_used, true)) {
        return absl::InvalidArgumentError(
            "only one attribute can come from standard input");
      }
      value = ReadAll(in);
    } else if (!literal && absl::StartsWith(value, "@")) {
      absl::StatusOr<std::string> bytes = ReadFile(value.substr(1));
      if (!bytes.ok()) {
        return bytes.status();
      }
      value = *std::move(bytes);
    }
    if (!attributes.emplace(name, std::move(value)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute \"", Printable(name), "\" is given twice"));
    }
  }
  return attributes;
}

CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         absl::Duration* target, const std::string& help) {
  const auto parse =
      [](const std::string& text) -> std::optional<absl::Duration> {
    absl::Duration value;
    const bool good = absl::ParseDuration(text, &value) &&
                      value > absl::ZeroDuration() &&
                      value < absl::InfiniteDuration();
    return good ? std::make_optional(value) : std::nullopt;
  };
  const auto set = [target, parse](const CLI::results_t& results) {
    const std::optional<absl::Duration> value = parse(results.back());
    if (value) {
      *target = *value;
    }
    return value.has_value();
  };
  return app->add_option(name, set, help)
      ->type_name("DURATION")
      ->check([parse](const std::string& text) {
        return parse(text)
                   ? std::string()
                   : absl::StrCat(
                         text,
                         " is not a positive time such as 500ms, 2s or 1h30m");
      });
}

CLI::Option* AddConsistency(CLI::App* app, v1::Consistency* target) {
  return AddWord(app, "--consistency", target, ParseConsistency,
                 "local|session|quorum",
                 "How fresh the read must be (default session: never older "
                 "than the tokens)");
}

CLI::Option* AddDurability(CLI::App* app, v1::Durability* target) {
  return AddWord(app, "--durability", target, ParseDurability,
                 "local|one|quorum|all",
                 "How many owners must hold the write (default: the node's)");
}

std::string UnprotectId(const std::string& argument) {
  return !argument.empty() && argument.front() == kIdMark ? argument.substr(1)
                                                          : argument;
}

}  // namespace sessionmesh::cli
