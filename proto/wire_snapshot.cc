#include "proto/wire_snapshot.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_rules.h"

namespace sessionmesh::wire {
namespace {

using replication::AttributeTable;
using replication::Dot;
using replication::EndedId;
using replication::EntryView;
using replication::LastAccess;
using replication::Life;
using replication::SnapshotLife;

// ---- Encoding

void EncodeEntries(const Life& life, MessageWriter* writer, v1::Life* out) {
  const DotCursor birth = writer->After(life.birth);
  absl::string_view name_before;
  for (const EntryView& entry : life.attributes.Unpack()) {
    v1::Entry* proto = out->add_entries();
    if (entry.name != name_before) {
      proto->set_name(entry.name.data(), entry.name.size());
    }
    name_before = entry.name;
    DotCursor before = birth;
    writer->Write(entry.dot, &before, proto->mutable_dot());
    const RelativeHlc hlc = EncodeHlc(entry.hlc, entry.dot.actor);
    proto->set_hlc_ms(hlc.ms);
    proto->set_hlc_logical(hlc.logical);
    proto->set_value(entry.value.data(), entry.value.size());
  }
}

void EncodeLife(const Life& life, MessageWriter* writer, v1::Life* out) {
  const DotCursor birth = writer->After(life.birth);
  writer->WriteAll(life.heads, birth, out->mutable_heads());
  out->set_deadline_ms(static_cast<uint64_t>(life.deadline_ms));
  out->set_idle_ms(static_cast<uint64_t>(life.idle_ms));
  DotCursor before = birth;
  for (const EndedId& ended : life.ended) {
    writer->Write(ended.dot, &before, out->mutable_ended_dots());
    out->add_ended_hashes(ended.hash);
  }
  EncodeEntries(life, writer, out);
}

// ---- Decoding

absl::Status ReadEnded(const v1::Life& proto, DotCursor birth,
                       const MessageReader& reader, Life* life) {
  const absl::StatusOr<std::vector<Dot>> dots =
      reader.Dots("ended_dots", proto.ended_dots(), birth,
                  replication::kEndedIdsMax, DotOrder::kAscending);
  if (!dots.ok()) return dots.status();
  WIRE_RETURN_IF_ERROR(CheckSameCount(
      "ended_hashes", static_cast<size_t>(proto.ended_hashes_size()),
      "ended_dots", dots->size()));
  for (size_t i = 0; i < dots->size(); ++i) {
    life->ended.push_back(
        {(*dots)[i], proto.ended_hashes(static_cast<int>(i))});
  }
  return absl::OkStatus();
}

// The entry is a view into `proto`. `name_before`: of the entry before, empty
// for the first.
absl::StatusOr<EntryView> ReadEntry(const v1::Entry& proto,
                                    absl::string_view name_before,
                                    DotCursor birth,
                                    const MessageReader& reader) {
  EntryView entry;
  entry.name =
      proto.name().empty() ? name_before : absl::string_view(proto.name());
  WIRE_RETURN_IF_ERROR(CheckAttributeName(entry.name));
  const absl::StatusOr<Dot> dot = reader.OneDot("dot", proto.dot(), &birth);
  if (!dot.ok()) return dot.status();
  entry.dot = *dot;
  const absl::StatusOr<replication::Hlc> hlc =
      DecodeHlc({proto.hlc_ms(), proto.hlc_logical()}, dot->actor);
  if (!hlc.ok()) return hlc.status();
  entry.hlc = *hlc;
  WIRE_RETURN_IF_ERROR(CheckAttributeValue(entry.name, proto.value()));
  entry.value = proto.value();
  return entry;
}

bool Ascends(const EntryView& before, const EntryView& entry) {
  const int names = before.name.compare(entry.name);
  return names != 0 ? names < 0 : before.dot < entry.dot;
}

// A dot is one change of one attribute.
absl::Status CheckDistinctDots(const std::vector<EntryView>& entries) {
  std::vector<Dot> dots;
  dots.reserve(entries.size());
  for (const EntryView& entry : entries) dots.push_back(entry.dot);
  std::sort(dots.begin(), dots.end());
  const auto twice = std::adjacent_find(dots.begin(), dots.end());
  if (twice == dots.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("entries have the dot ", DotName(*twice), " twice"));
}

absl::Status ReadEntries(const v1::Life& proto, DotCursor birth,
                         const MessageReader& reader, Life* life) {
  const auto count = static_cast<size_t>(proto.entries_size());
  WIRE_RETURN_IF_ERROR(CheckCount("entries", count, kLiveDotsMax));
  std::vector<EntryView> entries;
  entries.reserve(count);
  for (const v1::Entry& entry_proto : proto.entries()) {
    const absl::string_view name_before =
        entries.empty() ? "" : entries.back().name;
    const absl::StatusOr<EntryView> entry =
        ReadEntry(entry_proto, name_before, birth, reader);
    if (!entry.ok()) {
      return WithinElement("entries", entries.size(), entry.status());
    }
    if (!entries.empty() && !Ascends(entries.back(), *entry)) {
      return absl::InvalidArgumentError(
          absl::StrCat("entries[", entries.size(),
                       "] is not above the one before it, by name and dot"));
    }
    entries.push_back(*entry);
  }
  WIRE_RETURN_IF_ERROR(CheckDistinctDots(entries));
  life->attributes = AttributeTable::Pack(entries);
  return CheckPresent(
      "entry of the session id",
      !life->attributes.Find(replication::kIdAttribute).empty());
}

absl::StatusOr<std::shared_ptr<const Life>> DecodeLife(
    const v1::Life& proto, const Dot& birth, DotCursor cursor,
    const MessageReader& reader) {
  auto life = std::make_shared<Life>();
  life->birth = birth;
  const absl::StatusOr<std::vector<Dot>> heads = reader.Dots(
      "heads", proto.heads(), cursor, kDotsMax, DotOrder::kAscending);
  if (!heads.ok()) return heads.status();
  WIRE_RETURN_IF_ERROR(CheckPresent("heads", !heads->empty()));
  life->heads.assign(heads->begin(), heads->end());
  WIRE_RETURN_IF_ERROR(
      CheckNumber("deadline_ms", proto.deadline_ms(), 1, kMillisMax));
  life->deadline_ms = static_cast<int64_t>(proto.deadline_ms());
  WIRE_RETURN_IF_ERROR(CheckNumber("idle_ms", proto.idle_ms(), 1, kMillisMax));
  life->idle_ms = static_cast<int64_t>(proto.idle_ms());
  WIRE_RETURN_IF_ERROR(ReadEnded(proto, cursor, reader, life.get()));
  WIRE_RETURN_IF_ERROR(ReadEntries(proto, cursor, reader, life.get()));
  return std::shared_ptr<const Life>(std::move(life));
}

absl::StatusOr<SnapshotLife> DecodeSnapshotLife(const v1::SnapshotLife& proto,
                                                const MessageReader& reader) {
  SnapshotLife life;
  DotCursor cursor;
  const absl::StatusOr<Dot> birth =
      reader.OneDot("birth", proto.birth(), &cursor);
  if (!birth.ok()) return birth.status();
  life.birth = *birth;
  WIRE_RETURN_IF_ERROR(
      CheckNumber("last_access_ms", proto.last_access_ms(), 0, kMillisMax));
  life.last_access_ms = static_cast<int64_t>(proto.last_access_ms());
  if (proto.has_whole()) {
    WIRE_RETURN_IF_ERROR(CheckAbsent("live_dots", proto.live_dots().empty(),
                                     "they follow from the whole life"));
    auto whole = DecodeLife(proto.whole(), *birth, cursor, reader);
    if (!whole.ok()) return Within("whole", whole.status());
    life.full = *std::move(whole);
    life.live_dots = life.full->LiveDots();
    return life;
  }
  absl::StatusOr<std::vector<Dot>> dots =
      reader.Dots("live_dots", proto.live_dots(), cursor, kLiveDotsMax,
                  DotOrder::kAscending);
  if (!dots.ok()) return dots.status();
  life.live_dots = *std::move(dots);
  WIRE_RETURN_IF_ERROR(
      CheckPresent("the birth among live_dots",
                   std::binary_search(life.live_dots.begin(),
                                      life.live_dots.end(), *birth)));
  return life;
}

}  // namespace

void EncodeLives(const std::vector<SnapshotLife>& lives, MessageWriter* writer,
                 LifeProtos* out) {
  for (const SnapshotLife& life : lives) {
    v1::SnapshotLife* proto = out->Add();
    DotCursor cursor;
    writer->Write(life.birth, &cursor, proto->mutable_birth());
    proto->set_last_access_ms(static_cast<uint64_t>(life.last_access_ms));
    if (life.full != nullptr) {
      EncodeLife(*life.full, writer, proto->mutable_whole());
    } else {
      writer->WriteAll(life.live_dots, cursor, proto->mutable_live_dots());
    }
  }
}

absl::StatusOr<std::vector<SnapshotLife>> DecodeLives(
    const LifeProtos& protos, const MessageReader& reader) {
  WIRE_RETURN_IF_ERROR(
      CheckCount("lives", static_cast<size_t>(protos.size()), kLivesMax));
  std::vector<SnapshotLife> lives;
  lives.reserve(static_cast<size_t>(protos.size()));
  for (const v1::SnapshotLife& proto : protos) {
    absl::StatusOr<SnapshotLife> life = DecodeSnapshotLife(proto, reader);
    if (!life.ok()) return WithinElement("lives", lives.size(), life.status());
    if (!lives.empty() && life->birth <= lives.back().birth) {
      return absl::InvalidArgumentError(absl::StrCat(
          "lives[", lives.size(), "].birth is ", DotName(life->birth),
          ", not above ", DotName(lives.back().birth), " before it"));
    }
    lives.push_back(*std::move(life));
  }
  return lives;
}

void EncodeLastAccesses(const std::vector<LastAccess>& accesses,
                        MessageWriter* writer, v1::LastAccesses* out) {
  DotCursor cursor;
  int64_t before = 0;
  for (const LastAccess& access : accesses) {
    writer->Write(access.birth, &cursor, out->mutable_births());
    out->add_times_ms(access.millis - before);
    before = access.millis;
  }
}

absl::StatusOr<std::vector<LastAccess>> DecodeLastAccesses(
    const v1::LastAccesses& proto, const MessageReader& reader) {
  const absl::StatusOr<std::vector<Dot>> births = reader.Dots(
      "births", proto.births(), DotCursor(), kLastAccessesMax, DotOrder::kAny);
  if (!births.ok()) return births.status();
  WIRE_RETURN_IF_ERROR(
      CheckSameCount("times_ms", static_cast<size_t>(proto.times_ms_size()),
                     "births", births->size()));
  std::vector<LastAccess> accesses;
  accesses.reserve(births->size());
  uint64_t time = 0;
  for (size_t i = 0; i < births->size(); ++i) {
    // Wraps around when it leads out of the range on either side, and is then
    // refused.
    time += static_cast<uint64_t>(proto.times_ms(static_cast<int>(i)));
    WIRE_RETURN_IF_ERROR(
        WithinElement("times_ms", i, CheckNumber("sum", time, 0, kMillisMax)));
    accesses.push_back({(*births)[i], static_cast<int64_t>(time)});
  }
  return accesses;
}

}  // namespace sessionmesh::wire
