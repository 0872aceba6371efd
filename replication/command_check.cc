#include "replication/command_check.h"

#include "absl/strings/str_cat.h"
#include "replication/dedupe.h"
#include "replication/token.h"
#include "replication/types.h"

namespace sessionmesh::replication {
namespace {

absl::Status BadField(absl::string_view message, Failure* failure) {
  failure->reason = Reason::kInvalidField;
  return absl::InvalidArgumentError(message);
}

absl::Status CheckName(absl::string_view name, const Config& config,
                       Failure* failure) {
  if (name.empty()) {
    return BadField("an attribute name is empty; give it at least one byte",
                    failure);
  }
  if (IsReservedAttribute(name)) {
    return BadField(
        "an attribute name begins with a zero byte; such names are reserved",
        failure);
  }
  if (name.size() > config.name_bytes_max) {
    return OverLimit("attribute name bytes", name.size(), config.name_bytes_max,
                     failure);
  }
  return absl::OkStatus();
}

absl::Status CheckLifetimes(const Command& command, const Config& config,
                            Failure* failure) {
  if (command.idle < absl::ZeroDuration() ||
      command.absolute_lifetime < absl::ZeroDuration()) {
    return BadField("a lifetime is negative; leave it out for the default",
                    failure);
  }
  for (const absl::Duration lifetime :
       {command.idle, command.absolute_lifetime}) {
    if (lifetime > absl::ZeroDuration() && lifetime < absl::Milliseconds(1)) {
      return BadField("a lifetime is below one millisecond; give at least 1ms",
                      failure);
    }
  }
  if (command.idle > config.absolute_lifetime_max) {
    return OverLimit("idle timeout seconds",
                     static_cast<uint64_t>(absl::ToInt64Seconds(command.idle)),
                     static_cast<uint64_t>(
                         absl::ToInt64Seconds(config.absolute_lifetime_max)),
                     failure);
  }
  if (command.absolute_lifetime > config.absolute_lifetime_max) {
    return OverLimit(
        "absolute lifetime seconds",
        static_cast<uint64_t>(absl::ToInt64Seconds(command.absolute_lifetime)),
        static_cast<uint64_t>(
            absl::ToInt64Seconds(config.absolute_lifetime_max)),
        failure);
  }
  return absl::OkStatus();
}

// INVALID_ID or INVALID_TOKEN, with the bound that this length breaks, if any.
Failure FailureOfLength(Reason reason, absl::string_view what, size_t length,
                        size_t least, size_t most) {
  Failure failure{.reason = reason};
  if (length >= least && length <= most) return failure;
  failure.limit_name = std::string(what);
  failure.limit = length < least ? least : most;
  failure.value = length;
  return failure;
}

}  // namespace

Failure FailureOfId(absl::string_view id, const absl::Status& refused) {
  if (absl::IsNotFound(refused)) return {.reason = Reason::kSessionNotFound};
  return FailureOfLength(Reason::kInvalidId, "session id bytes", id.size(),
                         SessionIds::kForeignBytesMin,
                         SessionIds::kForeignBytesMax);
}

Failure FailureOfToken(absl::string_view token) {
  return FailureOfLength(Reason::kInvalidToken, "token characters",
                         token.size(), kTokenCharsMin, kTokenCharsMax);
}

absl::Status OverLimit(absl::string_view what, uint64_t value, uint64_t limit,
                       Failure* failure) {
  failure->reason = Reason::kInvalidField;
  failure->limit_name = std::string(what);
  failure->limit = limit;
  failure->value = value;
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": ", value, ", at most ", limit));
}

absl::Status CheckCommand(const Command& command, const Config& config,
                          Failure* failure) {
  if (!command.request_id.empty() &&
      command.request_id.size() != Dedupe::kRequestIdBytes) {
    return BadField(absl::StrCat("request_id has ", command.request_id.size(),
                                 " bytes; it must have ",
                                 Dedupe::kRequestIdBytes, ", or be empty"),
                    failure);
  }
  if (command.tokens.size() > kTokenDotsMax) {
    return OverLimit("tokens", command.tokens.size(), kTokenDotsMax, failure);
  }
  if (command.set.size() + command.unset.size() + command.if_absent.size() >
      config.attributes_max) {
    return OverLimit(
        "attributes in one call",
        command.set.size() + command.unset.size() + command.if_absent.size(),
        config.attributes_max, failure);
  }
  for (const auto& [name, value] : command.set) {
    if (absl::Status s = CheckName(name, config, failure); !s.ok()) return s;
    if (value.size() > config.value_bytes_max) {
      return OverLimit("attribute value bytes", value.size(),
                       config.value_bytes_max, failure);
    }
  }
  for (const std::vector<std::string>* names :
       {&command.unset, &command.if_absent}) {
    for (const std::string& name : *names) {
      if (absl::Status s = CheckName(name, config, failure); !s.ok()) return s;
    }
  }
  for (const std::string& name : command.unset) {
    if (command.set.count(name) > 0) {
      return BadField("one attribute is both set and unset in the same call",
                      failure);
    }
  }
  if (command.user.has_value() &&
      command.user->size() > config.user_bytes_max) {
    return OverLimit("user bytes", command.user->size(), config.user_bytes_max,
                     failure);
  }
  return CheckLifetimes(command, config, failure);
}

}  // namespace sessionmesh::replication
