#ifndef TESTS_E2E_FAULTS_KNOWLEDGE_H_
#define TESTS_E2E_FAULTS_KNOWLEDGE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/e2e/faults/history.h"

namespace sessionmesh::e2e {

// What somebody has seen of one session: for each attribute and writer the
// newest write, and up to which one its writes were replaced by a write that
// knew of them. Merging is a join: order and repetition do not matter.
//
// A value may be shown to who has this knowledge unless it is `Replaced`. That
// a replaced value comes back is what every guarantee of order forbids; two
// values that did not know of each other may be shown in turn by different
// histories, but each of them only until it is replaced.
//
// A value type; not thread-safe.
class Knowledge {
 public:
  // Of an attribute and a writer: the greatest count.
  using Counts = std::map<std::pair<std::string, int>, int64_t>;

  void Merge(const Knowledge& other);
  // A write, made by somebody with the knowledge `past`.
  void AddWrite(const Value& value, const Knowledge& past);
  // The session has had its n-th id.
  void AddId(int number) { id_number_ = std::max(id_number_, number); }

  bool Replaced(const Value& value) const;
  // Of the writer of the value: its newest write of the attribute; 0: none.
  int64_t Newest(const std::string& attribute, int writer) const;

  const Counts& known() const { return known_; }
  int id_number() const { return id_number_; }

 private:
  Counts known_;
  Counts replaced_;
  int id_number_ = 0;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_KNOWLEDGE_H_
