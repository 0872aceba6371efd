#ifndef TESTS_SIM_OPERATION_H_
#define TESTS_SIM_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "replication/command.h"
#include "tests/sim/bits.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"

namespace sessionmesh::sim {

using replication::Command;

// One call of one client, from its beginning to its end: a line of the history.
struct Operation {
  enum class Outcome : uint8_t {
    kPending,
    kOk,
    kFailed,   // the node said no
    kUnknown,  // no answer: it may have happened, may still happen, or not
  };

  uint64_t id = 0;     // the handle of the command
  uint64_t first = 0;  // id of the first try; a retry repeats its command
  size_t client = 0;
  size_t jar = 0;  // which of all jars there ever were
  ProcessNumber process = 0;
  NodeName node;
  SlotId slot = 0;
  Command command;
  std::string value;           // put by this call only; empty when it puts none
  std::vector<Dot> presented;  // the tokens, decoded

  // What the client had written and read (acknowledged, of this session) when
  // the call began, as indices of the ledger; only when it presented all its
  // tokens.
  Bits written;
  Bits read;
  bool guaranteed = false;

  // Who else held a dot of `presented` that the node lacked when the call came
  // to it.
  std::map<Dot, std::vector<ProcessNumber>> holders;

  absl::Time invoked;                            // true times
  absl::Time answered = absl::InfiniteFuture();  // at the node
  Outcome outcome = Outcome::kPending;
  replication::Reply reply;
  std::vector<Dot> heads;  // of the reply's token
  bool audit = false;      // after the faults stopped and everything settled

  bool IsWrite() const {
    return command.kind != Command::Kind::kGet &&
           command.kind != Command::Kind::kTouch;
  }
};

absl::string_view KindName(Command::Kind kind);
absl::string_view OutcomeName(Operation::Outcome outcome);

// All calls, in the order in which they began. References stay valid.
using History = std::deque<Operation>;

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_OPERATION_H_
