#include "node/cli/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace sessionmesh::cli {
namespace {

std::string Lower(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return name.empty() || name == "UNSPECIFIED" ? "unknown"
                                               : absl::AsciiStrToLower(name);
}

}  // namespace

std::string MemberStateName(v1::MemberState state) {
  return Lower(v1::MemberState_Name(state), "MEMBER_STATE_");
}

std::string EndedReasonName(v1::SessionEnded::Reason reason) {
  return Lower(v1::SessionEnded::Reason_Name(reason), "REASON_");
}

std::string ReasonName(v1::Reason reason) {
  return Lower(v1::Reason_Name(reason), "REASON_");
}

std::optional<v1::Consistency> ParseConsistency(absl::string_view name) {
  v1::Consistency value = v1::CONSISTENCY_DEFAULT;
  const std::string full =
      absl::StrCat("CONSISTENCY_", absl::AsciiStrToUpper(name));
  return v1::Consistency_Parse(full, &value) ? std::make_optional(value)
                                             : std::nullopt;
}

std::optional<v1::Durability> ParseDurability(absl::string_view name) {
  v1::Durability value = v1::DURABILITY_DEFAULT;
  const std::string full =
      absl::StrCat("DURABILITY_", absl::AsciiStrToUpper(name));
  return v1::Durability_Parse(full, &value) ? std::make_optional(value)
                                            : std::nullopt;
}

}  // namespace sessionmesh::cli
