#ifndef TESTS_E2E_FAULTS_CALLER_H_
#define TESTS_E2E_FAULTS_CALLER_H_

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "proto/session.grpc.pb.h"
#include "tests/e2e/faults/history.h"

namespace sessionmesh::e2e {

// A node and where clients reach it.
struct Door {
  std::string node;
  std::string address;
};

// What came of a call in the end.
struct Answer {
  Record record;  // of the last try
  v1::Session session;
  std::string token;
  bool in_doubt = false;  // a try may have been applied that did not succeed
};

// Makes the calls of one client and writes each try into the history. No
// retries are hidden: what is repeated is repeated here, byte for byte, on
// another node, until a node decides or the patience is over.
//
// Not thread-safe; each client has one. Connections are its own.
class Caller {
 public:
  Caller(int client, const std::vector<Door>& doors, uint32_t seed,
         History* history);

  // What the record of a call says beside what the request does.
  struct About {
    int session = -1;
    int id_number = 0;
    std::vector<Value> wrote = {};
    absl::Duration idle = {};
    bool audit = false;
    int door = -1;  // ask only this one; -1: any, another for each try
    absl::Duration patience = absl::Seconds(15);
  };

  Answer Create(const v1::CreateRequest& request, const About& about);
  Answer Get(const v1::GetRequest& request, const About& about);
  Answer Update(const v1::UpdateRequest& request, const About& about);
  Answer Touch(const v1::TouchRequest& request, const About& about);
  Answer Delete(const v1::DeleteRequest& request, const About& about);
  Answer Rotate(const v1::RotateRequest& request, const About& about);

  // Ends calls that are repeated, soon. Of all callers; from any thread.
  static void GiveUp() { give_up_ = true; }
  static void Resume() { give_up_ = false; }

  // For a test of the judge: tokens are written down as presented and are not.
  static void ForgetTokens() { forget_tokens_ = true; }

  std::mt19937& random() { return random_; }
  // Evenly in [low, high].
  int Roll(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random_);
  }
  std::string NewRequestId();

 private:
  struct Node {
    std::string name;
    std::unique_ptr<v1::SessionService::Stub> stub;
  };

  template <typename Request, typename Response>
  Answer Call(Record record, const About& about,
              grpc::Status (v1::SessionService::Stub::*method)(
                  grpc::ClientContext*, const Request&, Response*),
              const Request& request);
  int NextDoor(int last);

  static std::atomic<bool> give_up_;
  static std::atomic<bool> forget_tokens_;

  const int client_;
  History* const history_;
  std::mt19937 random_;
  std::vector<Node> nodes_;
  int sticky_ = 0;
  int64_t calls_ = 0;
};

// The counters in a session as an application sees it.
std::vector<Value> ValuesOf(const v1::Session& session);
std::string TextOf(const Value& value);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_CALLER_H_
