#include "tests/e2e/faults/timeline.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace sessionmesh::e2e {
namespace {

// From the end of a cut until everybody has met again: the dead are called
// every 4 s at most, streams reconnect, slots are compared after that.
constexpr absl::Duration kMeetAgain = absl::Seconds(10);

bool Splits(const Trouble& trouble) {
  return trouble.kind == "partition" || trouble.kind == "partition_kill" ||
         trouble.kind == "bridge";
}

bool Overlaps(const Trouble& trouble, absl::Time since, absl::Time until) {
  return trouble.begin <= until && trouble.end >= since;
}

}  // namespace

int Timeline::CrashesTogether(absl::Time since, absl::Time until) const {
  std::vector<End> crashes;
  for (const End& end : story_.ends) {
    if (end.crash && end.at >= since && end.at <= until) {
      crashes.push_back(end);
    }
  }
  std::sort(crashes.begin(), crashes.end(),
            [](const End& a, const End& b) { return a.at < b.at; });
  size_t most = 0;
  std::set<std::string> together;
  absl::Time last = absl::InfinitePast();
  for (const End& crash : crashes) {
    const bool whole_between =
        std::any_of(story_.whole.begin(), story_.whole.end(),
                    [&](absl::Time at) { return at > last && at < crash.at; });
    if (whole_between) together.clear();
    together.insert(crash.node);
    most = std::max(most, together.size());
    last = crash.at;
  }
  return static_cast<int>(most);
}

bool Timeline::AnyCrash(absl::Time since, absl::Time until) const {
  return std::any_of(story_.ends.begin(), story_.ends.end(),
                     [&](const End& end) {
                       return end.crash && end.at >= since && end.at <= until;
                     });
}

bool Timeline::AnyEnd(absl::Time since, absl::Time until) const {
  return std::any_of(
      story_.ends.begin(), story_.ends.end(),
      [&](const End& end) { return end.at >= since && end.at <= until; });
}

bool Timeline::MayLookLost(absl::Time since, int holders, absl::Time at) const {
  holders = std::max(holders, 1);
  if (CrashesTogether(since, at) >= holders) return true;
  const absl::Time recent = at - kMeetAgain;
  std::set<std::string> gone;
  for (const Trouble& trouble : story_.troubles) {
    if (!Overlaps(trouble, recent, at)) continue;
    if (Splits(trouble) && holders < story_.replicas) return true;
    if (trouble.kind == "stop" || trouble.kind == "one_way") {
      gone.insert(trouble.nodes.front());
    }
  }
  for (const End& end : story_.ends) {
    if (end.at >= std::max(since, recent) && end.at <= at) {
      gone.insert(end.node);
    }
  }
  return static_cast<int>(gone.size()) >= holders;
}

bool Timeline::CutAllTheTime(absl::Time since, absl::Time until) const {
  std::vector<const Trouble*> cuts;
  for (const Trouble& trouble : story_.troubles) {
    const bool cuts_links = Splits(trouble) || trouble.kind == "one_way" ||
                            trouble.kind == "stop" || trouble.kind == "kill" ||
                            trouble.kind == "double_kill";
    if (cuts_links && Overlaps(trouble, since - kMeetAgain, until)) {
      cuts.push_back(&trouble);
    }
  }
  std::sort(cuts.begin(), cuts.end(), [](const Trouble* a, const Trouble* b) {
    return a->begin < b->begin;
  });
  absl::Time covered = since;
  for (const Trouble* cut : cuts) {
    if (cut->begin > covered) return false;
    covered = std::max(covered, cut->end + kMeetAgain);
  }
  return covered >= until;
}

}  // namespace sessionmesh::e2e
