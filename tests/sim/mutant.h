#ifndef TESTS_SIM_MUTANT_H_
#define TESTS_SIM_MUTANT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "membership/message.h"
#include "tests/sim/checker.h"

namespace sessionmesh::sim {

// A Mutant is a fault that the product must not have, made at the edge of the
// simulator: it bends a message, an answer, a clock, a restart or a client.
// Each stands for a class of bugs, and one checker must catch it, alone, with
// all others off: the test of that test. The code under test has no hooks for
// it.
class Mutant {
 public:
  virtual ~Mutant() = default;

  // A message on its way into a lane, after the codec.
  virtual void BendLaneMessage(const Scene&, const Process& /*to*/,
                               replication::Message*) {}
  virtual void BendDatagram(const Scene&, const Process& /*to*/,
                            membership::Datagram*) {}
  // Before the codec.
  virtual void BendBytes(Wire, std::string* /*bytes*/) {}
  // An answer is given twice.
  virtual bool RepeatsReply() { return false; }
  // An answer on its way out.
  virtual void BendReply(const Scene&, const Process&, const Operation&,
                         replication::Reply*) {}
  // A process about to start.
  virtual void BendStart(ProcessOptions*) {}
  virtual void BendClock(HostId, HostClock*) {}
  // A retry is taken for a new call.
  virtual bool ForgetsRequests() const { return false; }
  // Clients present no tokens and believe they did.
  virtual bool ForgetsTokens() const { return false; }
  // What the checkers are told, not what the nodes are.
  virtual void BendEvent(membership::Event*) {}
  // A link stays cut when the faults should stop.
  virtual bool NeverHeals() const { return false; }
};

struct MutantInfo {
  absl::string_view name;
  absl::string_view caught_by;  // the checker that must fail
  absl::string_view schedule;   // under which it is looked for
  absl::string_view what;
  absl::string_view says = "";  // part of what the checker says
};

const std::vector<MutantInfo>& Mutants();
const MutantInfo* FindMutant(absl::string_view name);
std::unique_ptr<Mutant> MakeMutant(absl::string_view name);

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_MUTANT_H_
