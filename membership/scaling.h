#ifndef MEMBERSHIP_SCALING_H_
#define MEMBERSHIP_SCALING_H_

#include <cstddef>

#include "absl/time/time.h"

namespace sessionmesh::membership {

// How the numbers of the protocol grow with the cluster. `members` counts those
// that are alive or suspect, this node included; 0 is treated as 1 everywhere.

// How often a node sends one piece of news: mult * ceil(log10(members + 1)). An
// epidemic needs a logarithmic number of rounds (SWIM paper, section 4.1).
// Times with mult = 4: 4 up to 9 members, 8 up to 99, 12 up to 999.
int RetransmitLimit(int mult, size_t members);

// The least time that a suspect has: mult * max(1, log10(members)) *
// probe_interval, with the logarithm cut to three decimals. With mult = 4 and
// one second: 4 s up to 10 members, 8 s at 100.
absl::Duration SuspicionMin(int mult, size_t members,
                            absl::Duration probe_interval);

// How many confirmations bring a suspicion down to its minimum: mult - 2, or 0
// if so many members who could confirm (neither the suspect nor its accuser) do
// not exist.
int ExpectedConfirmations(int mult, size_t members);

// The time a suspect has after `confirmations` of `expected` (Lifeguard paper,
// section IV-B):
//   max(min, max - (max - min) * ln(confirmations + 1) / ln(expected + 1)), in
//   whole milliseconds.
// With nothing expected, min.
absl::Duration SuspicionTimeout(int confirmations, int expected,
                                absl::Duration min, absl::Duration max);

// Interval of anti-entropy: base up to 32 members, then base *
// (ceil(log2(members / 32)) + 1), so that the cluster's total grows slower than
// its size: twice base at 33, three times at 65 to 128.
absl::Duration SyncInterval(absl::Duration base, size_t members);

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_SCALING_H_
