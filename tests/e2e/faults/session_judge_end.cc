// How sessions end, and how they are in the end.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/e2e/faults/session_judge.h"

namespace sessionmesh::e2e {
namespace {

// How far the clocks of two nodes may differ: expiry goes by that of the one
// that is asked.
constexpr absl::Duration kClocks = absl::Milliseconds(500);

}  // namespace

bool SessionJudge::MayHaveEnded(const Record& record) const {
  const auto before = [&record](const Record* other) {
    return other->invoked < record.answered;
  };
  if (std::any_of(deletes_.begin(), deletes_.end(), before)) return true;
  std::set<int64_t> rotations;
  bool in_doubt = false;
  for (const Record* rotate : rotates_) {
    if (!before(rotate)) continue;
    if (rotate->id_number == record.id_number) return true;
    rotations.insert(rotate->call);
    in_doubt |= rotate->outcome == Record::Outcome::kUnknown;
  }
  // Two rotations of which one did not know the other revoke the session.
  return in_doubt && rotations.size() > 1;
}

void SessionJudge::JudgeNotFound(const Record& record) {
  if (record.tokens.empty() || !record.HonoursTokens()) return;
  if (MayHaveEnded(record)) return;
  const Knowledge knowledge = Presented(record);
  // The tokens must know of the id, and of the session at all.
  if (knowledge.id_number() < record.id_number) return;
  const bool known =
      std::any_of(record.tokens.begin(), record.tokens.end(),
                  [this](int token) { return by_token_.contains(token); });
  if (!known) return;
  if (create_->idle == absl::ZeroDuration()) {
    verdict_->of(Rule::kWrongNotFound).checked++;
    verdict_->Add(Rule::kWrongNotFound, "the session has not ended",
                  {create_, &record});
    return;
  }
  verdict_->of(Rule::kEarlyExpiry).checked++;
  const Record* last = create_;
  for (const Record* access : records_) {
    const bool counts = access->ok() && !access->peek &&
                        access->kind != Record::Kind::kDelete &&
                        access->answered <= record.invoked;
    if (counts && access->invoked > last->invoked) last = access;
  }
  if (record.answered >= last->invoked + create_->idle - kClocks) return;
  // An access is on one node alone for a moment, or until others can be
  // reached. After a cut longer than the idle time both sides are right.
  if (timeline_.AnyCrash(last->invoked, record.answered) ||
      timeline_.CutAllTheTime(record.answered - create_->idle,
                              record.answered)) {
    verdict_->of(Rule::kEarlyExpiry).excused++;
    return;
  }
  verdict_->Add(
      Rule::kEarlyExpiry,
      absl::StrCat(
          "expired ", absl::FormatDuration(record.answered - last->invoked),
          " after it was used, of ", absl::FormatDuration(create_->idle)),
      {create_, last, &record});
}

void SessionJudge::JudgeEnded(const Record& record) {
  if (record.kind == Record::Kind::kCreate ||
      record.kind == Record::Kind::kDelete || !record.HonoursTokens()) {
    return;
  }
  const auto presents = [&record](int token) {
    return std::find(record.tokens.begin(), record.tokens.end(), token) !=
           record.tokens.end();
  };
  for (const Record* deletion : deletes_) {
    if (!deletion->ok() || !presents(deletion->token)) continue;
    if (create_in_doubt_) {
      verdict_->of(Rule::kDeletedShown).excused++;
      continue;
    }
    verdict_->Add(Rule::kDeletedShown,
                  "found by who presents the token of the deletion",
                  {create_, deletion, &record});
  }
  // A rotation that is repeated names the ended id and finds its own result.
  if (record.kind == Record::Kind::kRotate) return;
  if (rotates_.empty()) return;
  const int known = Presented(record).id_number();
  verdict_->of(Rule::kRotatedIdShown).checked++;
  if (known <= record.id_number) return;
  if (create_in_doubt_) {
    verdict_->of(Rule::kRotatedIdShown).excused++;
    return;
  }
  std::vector<const Record*> proof = {create_, &record};
  for (const Record* rotate : rotates_) {
    if (rotate->id_number == record.id_number) proof.push_back(rotate);
  }
  verdict_->Add(Rule::kRotatedIdShown,
                "found by who knows that the id was rotated away", proof);
}

void SessionJudge::JudgeTheEnd() {
  int id_number = 0;
  for (const Record* rotate : rotates_) {
    if (rotate->ok()) id_number = std::max(id_number, rotate->id_number + 1);
  }
  Knowledge must_be_there;
  Knowledge acknowledged;
  for (const auto& [value, write] : writes_) {
    if (write.acknowledged == nullptr) continue;
    acknowledged.AddWrite(value, PastOf(write));
    if (Excused(*write.first, write.replicas)) continue;
    must_be_there.AddWrite(value, PastOf(write));
  }
  // The last look of each node counts.
  std::map<std::string, const Record*> without_tokens;
  std::map<std::string, const Record*> with_tokens;
  for (const Record* record : records_) {
    if (!record->audit || !record->final()) continue;
    if (record->id_number == id_number) {
      (record->tokens.empty() ? without_tokens : with_tokens)[record->asked] =
          record;
    } else {
      JudgeEndedInTheEnd(*record);
    }
  }
  std::vector<const Record*> audits;
  for (const auto& [node, record] : without_tokens) audits.push_back(record);
  if (create_->idle == absl::ZeroDuration()) JudgeSame(audits);
  for (const auto& [node, record] : with_tokens) audits.push_back(record);
  for (const Record* audit : audits) {
    JudgeEndedInTheEnd(*audit);
    if (create_->idle == absl::ZeroDuration()) {
      JudgeLost(*audit, must_be_there, acknowledged);
    }
  }
}

void SessionJudge::JudgeLost(const Record& audit,
                             const Knowledge& must_be_there,
                             const Knowledge& acknowledged) {
  if (audit.DataLoss()) return;  // judged already
  if (audit.NotFound()) {
    if (MayHaveEnded(audit)) return;
    verdict_->of(Rule::kLostWrite).checked++;
    // With tokens it is kWrongNotFound.
    if (!audit.tokens.empty()) return;
    // A rotation that is lost leaves the session under its former id.
    const bool excused =
        Excused(*create_, create_->replicas) ||
        std::any_of(rotates_.begin(), rotates_.end(),
                    [this](const Record* rotate) {
                      return rotate->ok() && Excused(*rotate, rotate->replicas);
                    });
    if (excused) {
      verdict_->of(Rule::kLostWrite).excused++;
      return;
    }
    verdict_->Add(Rule::kLostWrite, "the whole session is lost",
                  {create_, &audit});
    return;
  }
  if (!audit.ok()) return;
  std::set<std::string> judged;
  for (const auto& [key, count] : acknowledged.known()) {
    const std::string& attribute = key.first;
    if (!judged.insert(attribute).second) continue;
    verdict_->of(Rule::kLostWrite).checked++;
    const auto found = std::find_if(
        audit.values.begin(), audit.values.end(),
        [&](const Value& value) { return value.attribute == attribute; });
    const bool none = found == audit.values.end();
    // No value is older than all.
    const Value shown = none ? Value{attribute, key.second, 0} : *found;
    const auto lost = [&](const Knowledge& knowledge) {
      if (!none) return knowledge.Replaced(shown);
      return std::any_of(
          knowledge.known().begin(), knowledge.known().end(),
          [&](const auto& known) { return known.first.first == attribute; });
    };
    if (!lost(acknowledged)) continue;
    if (!lost(must_be_there) || Floats(shown)) {
      verdict_->of(Rule::kLostWrite).excused++;
      continue;
    }
    verdict_->Add(
        Rule::kLostWrite,
        absl::StrCat(
            attribute, ": what was acknowledged is not there, but ",
            none ? "nothing" : absl::StrCat(shown.writer, ":", shown.count)),
        Proof(audit, shown, must_be_there));
  }
}

void SessionJudge::JudgeEndedInTheEnd(const Record& audit) {
  for (const Record* deletion : deletes_) {
    if (!deletion->ok()) continue;
    verdict_->of(Rule::kDeletedShown).checked++;
    if (!audit.ok()) continue;
    if (create_in_doubt_ || Excused(*deletion, deletion->replicas)) {
      verdict_->of(Rule::kDeletedShown).excused++;
      continue;
    }
    verdict_->Add(Rule::kDeletedShown, "is back in the end",
                  {create_, deletion, &audit});
  }
  for (const Record* rotate : rotates_) {
    if (!rotate->ok() || rotate->id_number != audit.id_number) continue;
    verdict_->of(Rule::kRotatedIdShown).checked++;
    if (!audit.ok()) continue;
    if (create_in_doubt_ || Excused(*rotate, rotate->replicas)) {
      verdict_->of(Rule::kRotatedIdShown).excused++;
      continue;
    }
    verdict_->Add(Rule::kRotatedIdShown, "the ended id opens it in the end",
                  {create_, rotate, &audit});
  }
}

void SessionJudge::JudgeSame(const std::vector<const Record*>& audits) {
  if (audits.size() < 2) return;
  verdict_->of(Rule::kDiverged).checked++;
  const Record& one = *audits.front();
  for (const Record* other : audits) {
    if (other->code == one.code && other->values == one.values) continue;
    verdict_->Add(Rule::kDiverged, "nodes differ in the end", audits);
    return;
  }
}

}  // namespace sessionmesh::e2e
