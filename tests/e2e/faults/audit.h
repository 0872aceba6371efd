#ifndef TESTS_E2E_FAULTS_AUDIT_H_
#define TESTS_E2E_FAULTS_AUDIT_H_

#include <vector>

#include "tests/e2e/faults/caller.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/session_book.h"

namespace sessionmesh::e2e {

// Reads every session on every node, with the tokens of its clients and
// without, and under every id that it once had; into the history, for the
// judge. To be done when all faults are over and the clients have stopped.
// Where nodes show different things it looks again, up to `rounds` times.
void Audit(const std::vector<Door>& doors, const SessionBook& book, int rounds,
           uint32_t seed, History* history);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_AUDIT_H_
