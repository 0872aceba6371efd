#ifndef TESTS_E2E_FAULTS_HISTORY_H_
#define TESTS_E2E_FAULTS_HISTORY_H_

#include <cstdint>
#include <iosfwd>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::e2e {

// What was done to the cluster and what its clients were told, for a judge who
// was not there. Times are of CLOCK_MONOTONIC, which the faults leave alone,
// counted from the Unix epoch (SteadyNow).

absl::Time SteadyNow();

// One write of an attribute. Every writer counts its writes of an attribute
// from 1, so "older" is a comparison.
struct Value {
  std::string attribute;
  int writer = 0;
  int64_t count = 0;

  auto operator<=>(const Value&) const = default;
};

// One try of one call of one client.
struct Record {
  enum class Kind { kCreate, kGet, kUpdate, kTouch, kRotate, kDelete };
  enum class Level { kNone, kLocal, kSession, kOne, kQuorum, kAll };
  enum class Outcome {
    kOk,
    kRefused,  // an error, and the call has certainly changed nothing
    kUnknown,  // an error, and the call may have been, or may yet be, applied
  };

  int64_t number = 0;  // in the order of their answers, from 1
  int client = 0;
  int session = -1;  // of a Create: the one it is to make
  int id_number =
      0;             // which id of the session was named: n = after n rotations
  int64_t call = 0;  // the same for all tries of one call
  int attempt = 1;
  Kind kind = Kind::kGet;
  Level level = Level::kNone;  // consistency of a read, durability of a write
  bool peek = false;
  bool audit = false;  // after everything had healed
  std::string asked;
  std::string answered_by;  // empty: nobody
  absl::Time invoked;
  absl::Time answered;
  Outcome outcome = Outcome::kUnknown;
  std::string code = "OK";  // as of gRPC
  std::string reason;       // of the ErrorInfo, without "REASON_"
  std::string message;
  std::vector<int> tokens;  // presented, by their numbers
  int token = -1;           // got
  std::vector<Value> wrote;
  bool shows = false;  // the answer has the session, with these values:
  std::vector<Value> values;
  int replicas = 0;
  bool degraded = false;
  absl::Duration idle;  // Create: asked for; zero: the server's default
  std::string id;       // of the session

  bool ok() const { return outcome == Outcome::kOk; }
  // The node has decided; another one would say the same. Otherwise the client
  // tries again elsewhere.
  bool final() const;
  // LOCAL reads are not held to the tokens they present.
  bool HonoursTokens() const {
    return kind != Kind::kGet || level != Level::kLocal;
  }
  bool NotFound() const { return reason == "SESSION_NOT_FOUND"; }
  bool DataLoss() const { return reason == "WRITE_LOST"; }
};

absl::string_view Name(Record::Kind kind);
absl::string_view Name(Record::Level level);
absl::string_view Name(Record::Outcome outcome);

// Something that was done to the cluster and struck.
struct Trouble {
  std::string kind;  // "kill", "partition", ...
  std::vector<std::string> nodes;
  absl::Time begin;
  absl::Time end;
  std::string detail;
};

// The end of one process.
struct End {
  std::string node;
  absl::Time at;
  bool crash = true;  // or it left, and handed over what it had
  bool asked = true;  // by a fault; else by itself, or not as it was asked
};

// Everything of one run, complete.
struct Story {
  int replicas = 3;
  std::vector<Record> records;  // ascending by number
  std::vector<Trouble> troubles;
  std::vector<End> ends;
  // Moments at which every node was seen alive and ready by every other one.
  std::vector<absl::Time> whole;
  absl::Time begun;
  absl::Time healed;    // the last fault was over
  bool settled = true;  // it became whole after that
};

// One line of JSON each.
std::string ToJson(const Record& record, absl::Time begun);
void WriteJsonLines(const Story& story, std::ostream* out);

// Where the threads of a run write. Thread-safe.
class History {
 public:
  History();

  // Numbers the record.
  void Add(Record record);
  void AddTrouble(Trouble trouble);
  void AddEnd(End end);
  void AddWhole(absl::Time at);
  void SetHealed(absl::Time at);

  // The number that stands for a token: equal tokens have equal numbers.
  int TokenNumber(const std::string& token);

  // Everything, once; nothing is left.
  Story Take();

 private:
  std::mutex mutex_;
  Story story_;
  std::map<std::string, int> tokens_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_HISTORY_H_
