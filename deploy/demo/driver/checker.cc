#include "deploy/demo/driver/checker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sessionmesh::driver {
namespace {

constexpr std::size_t kSamplesMax = 8;

void AddSample(std::string sentence, Findings* findings) {
  if (findings->samples.size() < kSamplesMax) {
    findings->samples.push_back(std::move(sentence));
  }
}

// `earlier` had certainly taken effect, for good, before `later` was sent.
bool Precedes(const Change& earlier, const Change& later) {
  return earlier.answered < later.sent && !earlier.tried_in_vain;
}

// All changes of one item, as positions in the history.
using ItemChanges = std::vector<ChangeId>;

class SessionCheck {
 public:
  explicit SessionCheck(const SessionHistory& history) : history_(history) {
    for (std::size_t i = 0; i < history.changes.size(); ++i) {
      by_item_[history.changes[i].item].push_back(static_cast<ChangeId>(i));
    }
  }

  Findings Run() {
    for (const Change& change : history_.changes) {
      findings_.acknowledged_writes += change.answered != kNever;
    }
    for (const Read& read : history_.reads) CheckRead(read);
    CheckPairs();
    CheckLogout();
    return findings_;
  }

 private:
  const Change& At(ChangeId id) const {
    return history_.changes[static_cast<std::size_t>(id)];
  }

  // A change that `read` must show, because it was acknowledged and nothing
  // that may have come after it undoes it; nullptr when either sight of the
  // item is right.
  const ChangeId* Binding(const ItemChanges& changes, const Read& read) const {
    for (const ChangeId& id : changes) {
      const Change& change = At(id);
      if (change.answered >= read.sent) continue;
      bool certain = true;
      for (const ChangeId other_id : changes) {
        const Change& other = At(other_id);
        if (other.added == change.added || other.sent > read.answered) continue;
        certain = certain && Precedes(other, change);
      }
      if (certain) return &id;
    }
    return nullptr;
  }

  void CheckRead(const Read& read) {
    if (history_.cut_off <= read.answered ||
        history_.logout_sent <= read.answered) {
      return;
    }
    ++findings_.reads;
    if (!read.found) {
      // Counted once for the session, however often it is not found.
      if (history_.begun < read.sent && findings_.lost_sessions == 0) {
        findings_.lost_sessions = 1;
        AddSample("a session that nobody ended was not found", &findings_);
      }
      return;
    }
    bool stale = false;
    bool slipped = false;
    bool admitted = false;
    for (const auto& [item, changes] : by_item_) {
      if (read.only && *read.only != item) continue;
      const ChangeId* binding = Binding(changes, read);
      if (binding == nullptr ||
          At(*binding).added == (read.items.count(item) > 0)) {
        continue;
      }
      const bool excused =
          history_.coverage.Slipped(read.presented).count(*binding) > 0;
      if (excused && At(*binding).degraded) {
        admitted = true;
        continue;
      }
      (excused ? slipped : stale) = true;
      if (read.last) {
        ++findings_.lost_writes;
        AddSample(
            absl::StrCat("lost: ", At(*binding).added ? "added " : "removed ",
                         item),
            &findings_);
      } else {
        AddSample(
            absl::StrCat(excused ? "forgotten" : "stale",
                         ": a read does not know that ", item,
                         At(*binding).added ? " was added" : " was removed"),
            &findings_);
      }
    }
    findings_.stale_reads += stale;
    findings_.slipped_reads += !stale && slipped;
    findings_.admitted_losses += admitted;
    CheckForeign(read);
  }

  void CheckForeign(const Read& read) {
    for (const std::string& item : read.items) {
      const auto at = by_item_.find(item);
      bool known = false;
      if (at != by_item_.end()) {
        for (const ChangeId id : at->second) {
          known = known || (At(id).added && At(id).sent < read.answered);
        }
      }
      if (known) continue;
      ++findings_.foreign_items;
      AddSample(absl::StrCat("foreign: ", item,
                             " is in a cart that it was never put into"),
                &findings_);
    }
  }

  // The last read before a logout that tells whether `item` is there; nullptr
  // when there is none.
  const Read* LastLook(const std::string& item) const {
    const Moment end = std::min(history_.cut_off, history_.logout_sent);
    const Read* last = nullptr;
    for (const Read& read : history_.reads) {
      if (read.found && read.answered < end &&
          (!read.only || *read.only == item)) {
        last = &read;
      }
    }
    return last;
  }

  // Two changes in flight together and both acknowledged must both have
  // survived in the last look.
  void CheckPairs() {
    for (const auto& [first, second] : history_.pairs) {
      bool tested = true;
      bool kept = true;
      for (const ChangeId id : {first, second}) {
        const Change& change = At(id);
        const Read* last = LastLook(change.item);
        const ChangeId* binding =
            last == nullptr ? nullptr
                            : Binding(by_item_.at(change.item), *last);
        // A later removal, or a look that came too early, says nothing about
        // the merge.
        tested =
            tested && binding != nullptr && *binding == id && !change.degraded;
        kept = kept && last != nullptr &&
               change.added == (last->items.count(change.item) > 0);
      }
      if (!tested) continue;
      ++(kept ? findings_.pairs_merged : findings_.pairs_lost);
      if (!kept) {
        AddSample(absl::StrCat("lost in a merge: ", At(first).item, " or ",
                               At(second).item),
                  &findings_);
      }
    }
  }

  void CheckLogout() {
    if (history_.logout_answered == kNever) return;
    ++findings_.logouts;
    bool alive = false;
    for (const OldRead& read : history_.old_reads) {
      if (read.sent < history_.logout_answered) continue;
      ++findings_.old_reads;
      alive = alive || read.found;
    }
    if (!alive) return;
    findings_.logged_out_alive = 1;
    AddSample("a session was found with its old cookies after its logout",
              &findings_);
  }

  const SessionHistory& history_;
  std::map<std::string, ItemChanges> by_item_;
  Findings findings_;
};

}  // namespace

Findings& Findings::operator+=(const Findings& other) {
  stale_reads += other.stale_reads;
  lost_writes += other.lost_writes;
  foreign_items += other.foreign_items;
  lost_sessions += other.lost_sessions;
  logged_out_alive += other.logged_out_alive;
  pairs_lost += other.pairs_lost;
  slipped_reads += other.slipped_reads;
  admitted_losses += other.admitted_losses;
  reads += other.reads;
  acknowledged_writes += other.acknowledged_writes;
  pairs_merged += other.pairs_merged;
  logouts += other.logouts;
  old_reads += other.old_reads;
  for (const std::string& sample : other.samples) AddSample(sample, this);
  return *this;
}

Findings Check(const SessionHistory& history) {
  return SessionCheck(history).Run();
}

}  // namespace sessionmesh::driver
