#include "tests/e2e/faults/session_judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sessionmesh::e2e {
namespace {

// For people.
std::string Text(const Value& value) {
  return absl::StrCat(value.attribute, " = ", value.writer, ":", value.count);
}

bool MayBeApplied(const Record& record) {
  return record.outcome != Record::Outcome::kRefused;
}

bool IsWrite(const Record& record) {
  return record.kind == Record::Kind::kCreate ||
         record.kind == Record::Kind::kUpdate ||
         record.kind == Record::Kind::kRotate ||
         record.kind == Record::Kind::kDelete;
}

const Value* ShownOf(const Record& record, const std::string& attribute) {
  for (const Value& value : record.values) {
    if (value.attribute == attribute) return &value;
  }
  return nullptr;
}

}  // namespace

SessionJudge::SessionJudge(std::vector<const Record*> records,
                           const Timeline* timeline, Verdict* verdict)
    : records_(std::move(records)), timeline_(*timeline), verdict_(verdict) {}

void SessionJudge::Run() {
  Collect();
  if (create_ == nullptr) return;  // nobody knows of it
  Learn();
  for (const Record* record : records_) {
    if (record->ok()) {
      JudgeAcknowledgement(*record);
      if (record->shows) JudgeOrder(*record);
      JudgeEnded(*record);
      if (!record->tokens.empty() && record->HonoursTokens()) {
        verdict_->of(Rule::kWrongNotFound).checked++;
      }
      if (create_->idle > absl::ZeroDuration()) {
        verdict_->of(Rule::kEarlyExpiry).checked++;
      }
    }
    if (record->NotFound()) JudgeNotFound(*record);
    if (record->DataLoss()) JudgeDataLoss(*record);
  }
  JudgeTheEnd();
}

void SessionJudge::Collect() {
  for (const Record* record : records_) {
    const bool unknown = record->outcome == Record::Outcome::kUnknown;
    if (record->kind == Record::Kind::kCreate) {
      if (unknown) create_in_doubt_ = true;
      if (record->ok() && create_ == nullptr) create_ = record;
    }
    if (record->kind == Record::Kind::kDelete && MayBeApplied(*record)) {
      deletes_.push_back(record);
    }
    if (record->kind == Record::Kind::kRotate && MayBeApplied(*record)) {
      rotates_.push_back(record);
    }
    for (const Value& value : record->wrote) {
      Write& write = writes_[value];
      if (write.first == nullptr) write.first = record;
      if (unknown) write.floats = true;
      if (!record->ok()) continue;
      if (write.acknowledged == nullptr) write.acknowledged = record;
      write.replicas = std::max(write.replicas, record->replicas);
    }
  }
}

void SessionJudge::Learn() {
  // In the order of the answers, a token is known before it is presented.
  for (const Record* record : records_) {
    for (const Value& value : record->wrote) {
      // What its own writer did not know of, when it wrote on, was not
      // replaced.
      const int64_t known =
          Presented(*record).Newest(value.attribute, value.writer);
      for (int64_t count = known + 1; count < value.count; ++count) {
        const auto before =
            writes_.find({value.attribute, value.writer, count});
        if (before != writes_.end()) before->second.floats = true;
      }
    }
    if (!record->ok() || record->token < 0) continue;
    Knowledge knowledge;
    if (record->HonoursTokens()) knowledge = Presented(*record);
    AddShown(*record, &knowledge);
    for (const Value& value : record->wrote) {
      knowledge.AddWrite(value, PastOf(writes_.at(value)));
    }
    knowledge.AddId(record->id_number +
                    (record->kind == Record::Kind::kRotate ? 1 : 0));
    by_token_[record->token].Merge(knowledge);
  }
}

Knowledge SessionJudge::Presented(const Record& record) const {
  Knowledge knowledge;
  for (const int token : record.tokens) {
    const auto found = by_token_.find(token);
    if (found != by_token_.end()) knowledge.Merge(found->second);
  }
  return knowledge;
}

Knowledge SessionJudge::PastOf(const Write& write) const {
  return Presented(*write.first);
}

void SessionJudge::AddShown(const Record& record, Knowledge* knowledge) const {
  if (!record.shows) return;
  for (const Value& value : record.values) {
    const auto write = writes_.find(value);
    if (write == writes_.end()) continue;
    knowledge->AddWrite(value, PastOf(write->second));
  }
}

bool SessionJudge::Floats(const Value& value) const {
  const auto write = writes_.find(value);
  return write != writes_.end() && write->second.floats;
}

void SessionJudge::JudgeOrder(const Record& record) {
  Knowledge presented;
  if (record.HonoursTokens()) presented = Presented(record);
  Knowledge all = presented;
  AddShown(record, &all);
  for (const Value& value : record.values) {
    verdict_->of(Rule::kInventedValue).checked++;
    if (writes_.contains(value)) {
      JudgeShown(record, value, presented, all);
    } else {
      verdict_->Add(Rule::kInventedValue,
                    absl::StrCat("nobody wrote ", Text(value)), {&record});
    }
  }
  for (const auto& [key, count] : all.known()) {
    const auto& [attribute, writer] = key;
    if (ShownOf(record, attribute) != nullptr) continue;
    // As if the oldest there is were shown.
    const Value none{attribute, writer, 0};
    const bool by_token = presented.Newest(attribute, writer) > 0;
    const Rule rule = !by_token                 ? Rule::kWritesFollowReads
                      : writer == record.client ? Rule::kReadYourWrites
                                                : Rule::kMonotonicReads;
    verdict_->Add(rule,
                  absl::StrCat("shows no ", attribute, ", of which ", writer,
                               ":", count, " was known"),
                  Proof(record, none, all));
  }
}

void SessionJudge::JudgeShown(const Record& record, const Value& value,
                              const Knowledge& presented,
                              const Knowledge& all) {
  const int64_t own = presented.Newest(value.attribute, record.client);
  if (own > 0) verdict_->of(Rule::kReadYourWrites).checked++;
  if (!presented.known().empty()) {
    verdict_->of(Rule::kMonotonicReads).checked++;
  }
  verdict_->of(Rule::kMonotonicWrites).checked++;
  if (record.values.size() > 1) {
    verdict_->of(Rule::kWritesFollowReads).checked++;
  }
  if (!all.Replaced(value)) return;
  Rule rule = Rule::kWritesFollowReads;
  if (presented.Replaced(value)) {
    rule = Rule::kMonotonicReads;
    const auto mine = writes_.find({value.attribute, record.client, own});
    if (mine != writes_.end()) {
      Knowledge by_mine;
      by_mine.AddWrite(mine->first, PastOf(mine->second));
      if (by_mine.Replaced(value)) rule = Rule::kReadYourWrites;
    }
  } else if (all.Newest(value.attribute, value.writer) > value.count) {
    rule = Rule::kMonotonicWrites;
  }
  if (Floats(value)) {
    verdict_->of(rule).excused++;
    return;
  }
  verdict_->Add(rule,
                absl::StrCat("shows ", Text(value), ", which was replaced"),
                Proof(record, value, all));
}

std::vector<const Record*> SessionJudge::Proof(
    const Record& record, const Value& value,
    const Knowledge& knowledge) const {
  std::vector<const Record*> proof = {&record};
  for (const auto& [key, count] : knowledge.known()) {
    if (key.first != value.attribute) continue;
    const auto newest = writes_.find({key.first, key.second, count});
    if (newest == writes_.end()) continue;
    for (const Record* other : records_) {
      if (other->call == newest->second.first->call) proof.push_back(other);
    }
  }
  const auto shown = writes_.find(value);
  for (const Record* other : records_) {
    const bool writes =
        shown != writes_.end() && other->call == shown->second.first->call;
    // From whom the presented tokens came.
    const bool gave = std::find(record.tokens.begin(), record.tokens.end(),
                                other->token) != record.tokens.end();
    if (writes || gave) proof.push_back(other);
  }
  return proof;
}

void SessionJudge::JudgeAcknowledgement(const Record& record) {
  if (!IsWrite(record) || record.level == Record::Level::kLocal) return;
  verdict_->of(Rule::kDishonestAcknowledgement).checked++;
  if (record.degraded || record.replicas >= 2) return;
  verdict_->Add(
      Rule::kDishonestAcknowledgement,
      absl::StrCat("held by ", record.replicas, " and not said to be degraded"),
      {&record});
}

bool SessionJudge::MayLookLost(int token, const Record& record) const {
  const auto may_look_lost = [&](const Record& write, int replicas) {
    return timeline_.MayLookLost(write.invoked, replicas, record.answered);
  };
  // That of a write names the write alone; that of its repetition may name
  // more.
  for (const Record* write : records_) {
    if (write->token == token && write->ok() && write->attempt == 1 &&
        IsWrite(*write)) {
      return may_look_lost(*write, write->replicas);
    }
  }
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return true;
  bool may = may_look_lost(*create_, create_->replicas);
  for (const auto& [key, count] : found->second.known()) {
    const auto write = writes_.find({key.first, key.second, count});
    if (write == writes_.end()) continue;
    may |= may_look_lost(*write->second.first, write->second.replicas);
  }
  for (const Record* rotate : rotates_) {
    may |= may_look_lost(*rotate, rotate->replicas);
  }
  return may;
}

void SessionJudge::JudgeDataLoss(const Record& record) {
  verdict_->of(Rule::kWrongDataLoss).checked++;
  const bool excused =
      std::any_of(record.tokens.begin(), record.tokens.end(),
                  [&](int token) { return MayLookLost(token, record); });
  if (excused) {
    verdict_->of(Rule::kWrongDataLoss).excused++;
    return;
  }
  verdict_->Add(Rule::kWrongDataLoss,
                "says that a write is lost, of which enough nodes lived",
                Proof(record, {}, Presented(record)));
}

bool SessionJudge::Excused(const Record& write, int replicas) const {
  if (timeline_.CrashesTogether(write.invoked) >= std::max(replicas, 1)) {
    return true;
  }
  // One copy: its node promised to hand it over when it leaves, if it can.
  return replicas < 2 &&
         timeline_.AnyEnd(write.invoked, absl::InfiniteFuture());
}

}  // namespace sessionmesh::e2e
