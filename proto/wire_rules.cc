#include "proto/wire_rules.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"

namespace sessionmesh::wire {
namespace {

using replication::Delta;
using replication::Dot;
using replication::Op;

// A delta can only know of what its actor minted before it.
absl::Status CheckOlder(absl::string_view field, const std::vector<Dot>& dots,
                        const Dot& than) {
  for (const Dot& dot : dots) {
    if (dot.actor != than.actor || dot.counter < than.counter) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(field, " names ", DotName(dot),
                     ", which is not older than ", DotName(than)));
  }
  return absl::OkStatus();
}

absl::Status CheckIdOps(const Delta& delta) {
  const bool gives_id =
      delta.kind == Delta::Kind::kCreate || delta.kind == Delta::Kind::kRotate;
  for (size_t i = 0; i < delta.ops.size(); ++i) {
    const Op& op = delta.ops[i];
    const bool is_id = op.name == replication::kIdAttribute;
    if (is_id == (gives_id && i == 0) &&
        (!is_id || op.kind == Op::Kind::kPut)) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("ops[", i, "] is ", is_id ? "on" : "not on",
                     " the session id; op 0 of a CREATE or ROTATE, and no "
                     "other, is to PUT it"));
  }
  return absl::OkStatus();
}

absl::Status CheckReferences(const Delta& delta) {
  if (delta.kind != Delta::Kind::kCreate) {
    WIRE_RETURN_IF_ERROR(CheckOlder("births", delta.births, delta.dot(0)));
  }
  WIRE_RETURN_IF_ERROR(CheckOlder("deps", delta.deps, delta.dot(0)));
  for (size_t i = 0; i < delta.ops.size(); ++i) {
    WIRE_RETURN_IF_ERROR(WithinElement(
        "ops", i,
        CheckOlder("superseded", delta.ops[i].superseded, delta.dot(i))));
  }
  return absl::OkStatus();
}

absl::Status CheckKind(const Delta& delta) {
  switch (delta.kind) {
    case Delta::Kind::kCreate:
      WIRE_RETURN_IF_ERROR(CheckAbsent("deps", delta.deps.empty(),
                                       "a CREATE depends on nothing"));
      return CheckAbsent("ops[0].superseded", delta.ops[0].superseded.empty(),
                         "a CREATE gives the first id");
    case Delta::Kind::kRotate:
      WIRE_RETURN_IF_ERROR(CheckAbsent("inner_heads", delta.inner_heads.empty(),
                                       "a ROTATE is never coalesced"));
      WIRE_RETURN_IF_ERROR(
          CheckPresent("ops[0].superseded", !delta.ops[0].superseded.empty()));
      [[fallthrough]];
    case Delta::Kind::kUpdate:
      WIRE_RETURN_IF_ERROR(CheckPresent("births", !delta.births.empty()));
      return CheckPresent("deps", !delta.deps.empty());
    case Delta::Kind::kKill:
      WIRE_RETURN_IF_ERROR(
          CheckAbsent("deps", delta.deps.empty(), "a KILL waits for nothing"));
      return CheckPresent("births", !delta.births.empty());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckDelta(const Delta& delta) {
  WIRE_RETURN_IF_ERROR(CheckKind(delta));
  WIRE_RETURN_IF_ERROR(CheckIdOps(delta));
  return CheckReferences(delta);
}

absl::Status CheckAttributeName(absl::string_view name) {
  WIRE_RETURN_IF_ERROR(
      CheckBytes("name", name.size(), 1, kAttributeNameBytesMax));
  if (!replication::IsReservedAttribute(name) ||
      name == replication::kIdAttribute ||
      name == replication::kUserAttribute) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("name is '", absl::CHexEscape(name.substr(0, 32)),
                   "', reserved (it begins with a zero byte) but not known"));
}

absl::Status CheckAttributeValue(absl::string_view name,
                                 absl::string_view value) {
  if (name == replication::kIdAttribute) {
    return CheckBytes("value of the session id", value.size(), kIdBytesMin,
                      kIdBytesMax);
  }
  return CheckBytes("value", value.size(), 0, kAttributeValueBytesMax);
}

}  // namespace sessionmesh::wire
