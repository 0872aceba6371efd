#ifndef TESTS_MEMBERSHIP_INVARIANTS_H_
#define TESTS_MEMBERSHIP_INVARIANTS_H_

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "membership/config.h"
#include "membership/effects.h"
#include "membership/view.h"

namespace sessionmesh::membership {

// Checks, after every call into every Swim of a virtual network, what must hold
// whatever the network does (numbers of DESIGN.md):
//
//   I1  what an observer claims of a subject never goes back in the order of
//   Claim I2  nobody claims an incarnation that its subject has not taken I3
//   nobody comes back from death or goodbye at the same generation and
//   incarnation I4  one address for one name, generation and incarnation I5
//   nobody that runs is suspect or dead in its own view I7  the events of an
//   observer, replayed, are its view; each transition is legal I8  members, and
//   calls waiting for an answer, stay within their bounds I9  no datagram is
//   larger than the limit
//
// A process is named by observer and generation: its memory starts empty.
class Invariants {
 public:
  // Call after each call into a Swim, with the effects before they are cleared.
  void Check(const Config& config, const View& view, const Effects& effects,
             size_t exchanges_waiting);

  // What was violated, with the names; at most ten.
  const std::vector<std::string>& violations() const { return violations_; }
  // How many claims were compared: a check of nothing proves nothing.
  int64_t claims_checked() const { return claims_checked_; }

 private:
  using Process = std::pair<NodeName, Generation>;

  void CheckEvents(const Process& observer, const Effects& effects);
  void CheckView(const Process& observer, const View& view);
  void CheckClaim(const Process& observer, const Member& member);
  void Violated(const Process& observer, const std::string& what);

  std::map<Process, Incarnation> taken_;
  std::map<std::tuple<NodeName, Generation, Incarnation>, std::string> places_;
  // By observer: what its events have told of each subject.
  std::map<Process, std::map<NodeName, Member>> replayed_;
  std::map<Process, uint64_t> versions_;
  std::vector<std::string> violations_;
  int64_t claims_checked_ = 0;
};

}  // namespace sessionmesh::membership

#endif  // TESTS_MEMBERSHIP_INVARIANTS_H_
