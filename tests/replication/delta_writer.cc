#include "tests/replication/delta_writer.h"

#include <memory>

#include "glog/logging.h"

namespace sessionmesh::replication {

ActorId TestActor(uint64_t n) {
  return MakeActorId(TestStart() + absl::Milliseconds(n), n);
}

DeltaPtr DeltaWriter::Create(absl::string_view id,
                             const AttributeChanges& changes) {
  Delta delta = Begin(Delta::Kind::kCreate, {});
  delta.births = {{actor_, next_}};
  delta.deadline = deadline_;
  delta.idle = idle_;
  AddOp({}, kIdAttribute, std::string(id), &delta);
  AddChanges({}, changes, &delta);
  return Finish(std::move(delta));
}

DeltaPtr DeltaWriter::Update(const Slot& seen, absl::string_view id,
                             const AttributeChanges& changes) {
  const Lives lives = seen.Lookup(id);
  Delta delta = Begin(Delta::Kind::kUpdate, lives);
  AddChanges(lives, changes, &delta);
  return Finish(std::move(delta));
}

DeltaPtr DeltaWriter::Rotate(const Slot& seen, absl::string_view id,
                             absl::string_view new_id,
                             const AttributeChanges& changes) {
  const Lives lives = seen.Lookup(id);
  Delta delta = Begin(Delta::Kind::kRotate, lives);
  AddOp(lives, kIdAttribute, std::string(new_id), &delta);
  AddChanges(lives, changes, &delta);
  return Finish(std::move(delta));
}

DeltaPtr DeltaWriter::Kill(const Slot& seen, absl::string_view id,
                           EndReason reason) {
  Delta delta = Begin(Delta::Kind::kKill, seen.LookupForDelete(id));
  delta.deps.clear();
  delta.reason = reason;
  return Finish(std::move(delta));
}

Delta DeltaWriter::Begin(Delta::Kind kind, const Lives& lives) {
  CHECK(kind == Delta::Kind::kCreate || !lives.empty()) << "unknown id";
  Delta delta;
  delta.slot = slot_;
  delta.kind = kind;
  delta.actor = actor_;
  delta.first = next_;
  delta.hlc = clock_.Next(wall_);
  for (const Slot::Holding* holding : lives) {
    const Life& life = *holding->life;
    delta.births.push_back(life.birth);
    delta.deps.insert(delta.deps.end(), life.heads.begin(), life.heads.end());
  }
  SortUnique(&delta.births);
  SortUnique(&delta.deps);
  return delta;
}

void DeltaWriter::AddChanges(const Lives& lives,
                             const AttributeChanges& changes, Delta* delta) {
  for (const auto& [name, value] : changes) AddOp(lives, name, value, delta);
}

void DeltaWriter::AddOp(const Lives& lives, absl::string_view name,
                        const std::optional<std::string>& value, Delta* delta) {
  Op op;
  op.kind = value.has_value() ? Op::Kind::kPut : Op::Kind::kDelete;
  op.name = std::string(name);
  op.value = value.value_or("");
  op.hlc = delta->hlc;
  for (const Slot::Holding* holding : lives) {
    for (const EntryView& entry : holding->life->attributes.Find(name)) {
      op.superseded.push_back(entry.dot);
    }
  }
  SortUnique(&op.superseded);
  delta->ops.push_back(std::move(op));
}

DeltaPtr DeltaWriter::Finish(Delta delta) {
  next_ += delta.dot_count();
  return std::make_shared<const Delta>(std::move(delta));
}

}  // namespace sessionmesh::replication
