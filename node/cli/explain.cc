#include "node/cli/explain.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "node/cli/names.h"
#include "node/cli/text.h"

namespace sessionmesh::cli {
namespace {

constexpr absl::string_view kAnsweredUrl = "sessionmesh.cli/answered";

struct Advice {
  std::string why;
  std::string attempt;
};

std::string Writer(const v1::ErrorInfo& info) {
  if (info.missing_writer().empty()) {
    return "a node that is not known any more";
  }
  return absl::StrCat(
      Printable(info.missing_writer()),
      info.missing_writer_alive() ? " (alive)" : " (not alive)");
}

Advice OfStale(const v1::ErrorInfo& info) {
  return {absl::StrCat("the token names ", Count(info.behind(), "change"),
                       " written by ", Writer(info),
                       " that no replica asked in time has"),
          info.missing_writer_alive()
              ? "again with a longer --timeout; `sessionctl lag` shows what is "
                "on its way"
              : "--consistency local for what this node has; `sessionctl where "
                "ID` for the others"};
}

Advice OfNotFound(bool with_token) {
  constexpr char kAttempt[] =
      "`sessionctl where ID`; after a rotate only the new id opens the session";
  if (with_token) {
    return {
        "the node has seen everything that the token names, and the session "
        "has ended or never was",
        kAttempt};
  }
  return {"the session has ended, never was, or has not come to this node yet",
          absl::StrCat("--token of the last reply, which makes it certain; ",
                       kAttempt)};
}

// `strict`: the node would not go on with fewer owners; otherwise time was up.
Advice OfDurabilityUnmet(const v1::ErrorInfo& info, bool strict) {
  const std::string attempt =
      strict ? "`sessionctl status`; without --strict such a write succeeds "
               "and says degraded"
             : "`sessionctl lag`; a longer --timeout, or a lower --durability";
  if (!info.applied()) {
    return {absl::StrCat(Count(info.value(), "live owner"), ", ", info.limit(),
                         " are needed; nothing was changed"),
            attempt};
  }
  return {absl::StrCat("the write is on ", Count(info.replicas(), "node"),
                       ", fewer than asked for; it will reach the others"),
          attempt};
}

Advice OfReason(const v1::ErrorInfo& info, const absl::Status& status,
                bool with_token) {
  switch (info.reason()) {
    case v1::REASON_SESSION_NOT_FOUND:
      return OfNotFound(with_token);
    case v1::REASON_STALE:
      return OfStale(info);
    case v1::REASON_WRITE_LOST:
      return {absl::StrCat("the token names a write of ", Writer(info),
                           " that died before any other node had it"),
              absl::StrCat("without --token, or --token ",
                           info.token().empty() ? "of a later reply"
                                                : Printable(info.token()),
                           "; --durability quorum survives one node more")};
    case v1::REASON_PRECONDITION_FAILED:
      return {"somebody else has changed the session since",
              absl::StrCat(
                  "`sessionctl get ID --token ", Printable(info.token()),
                  "`, then the change again with --if-version of that reply")};
    case v1::REASON_ALREADY_EXISTS:
      return {"a live session has this id",
              "another --id, none, or `sessionctl set`"};
    case v1::REASON_INVALID_TOKEN:
      return {"the token is damaged, or signed under another cluster key",
              "the token of the last reply, or none"};
    case v1::REASON_INVALID_ID:
    case v1::REASON_INVALID_FIELD:
    case v1::REASON_LIMIT:
      return {info.limit_name().empty()
                  ? ""
                  : absl::StrCat(Printable(info.limit_name()), ": ",
                                 info.value(), ", the limit is ", info.limit()),
              ""};
    case v1::REASON_NOT_READY:
      return {"the node is still fetching its part of the sessions",
              "`sessionctl status --wait healthy`, or another --address"};
    case v1::REASON_DURABILITY_UNMET:
      return OfDurabilityUnmet(info, absl::IsUnavailable(status));
    case v1::REASON_NO_QUORUM:
      return {"a majority of the owners did not answer",
              "`sessionctl status`, or --consistency session"};
    case v1::REASON_SHUTTING_DOWN:
      return {"the node is leaving", "another --address"};
    default:
      return {};
  }
}

Advice OfTransport(const absl::Status& status, absl::string_view addresses) {
  if (status.GetPayload(kAnsweredUrl).has_value()) {
    return {};
  }
  if (absl::IsUnavailable(status)) {
    return {absl::StrCat("no node answers at ", addresses),
            "start one with `sessiond`, or name another with --address or "
            "SESSIONCTL_ADDRESS"};
  }
  if (absl::IsDeadlineExceeded(status)) {
    return {absl::StrCat("no answer in time from ", addresses),
            "a longer --timeout"};
  }
  return {};
}

}  // namespace

std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view addresses, bool with_token) {
  const std::optional<v1::ErrorInfo> info = client::ErrorDetail(status);
  const Advice advice = info ? OfReason(*info, status, with_token)
                             : OfTransport(status, addresses);
  std::string out =
      absl::StrCat("sessionctl", command.empty() ? "" : " ", command, ": ",
                   Printable(status.message()), "\n");
  if (!advice.why.empty()) {
    absl::StrAppend(&out, "  why: ", advice.why, "\n");
  }
  if (client::MayBeApplied(status)) {
    absl::StrAppend(&out, info && info->applied()
                              ? "  the write is applied on that node\n"
                              : "  the write may have been applied\n");
  }
  // Of a create or rotate: from now on only this id opens the session.
  if (info && info->applied() && info->has_session()) {
    absl::StrAppend(&out, "  id: ", Printable(info->session().id()),
                    "\n  token: ", Printable(info->token()), "\n");
  }
  if (!advice.attempt.empty()) {
    absl::StrAppend(&out, "  try: ", advice.attempt, "\n");
  }
  return out;
}

absl::Status WithAnswered(absl::Status status) {
  status.SetPayload(kAnsweredUrl, absl::Cord("1"));
  return status;
}

}  // namespace sessionmesh::cli
