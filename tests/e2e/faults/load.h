#ifndef TESTS_E2E_FAULTS_LOAD_H_
#define TESTS_E2E_FAULTS_LOAD_H_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/faults/caller.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/session_book.h"

namespace sessionmesh::e2e {

// What one client has of a session.
struct Seat {
  std::shared_ptr<SharedSession> session;
  bool owner = false;
  SharedSession::Id id;
  std::vector<std::string> tokens;
  int given = 0;  // to other clients
  int uses = 0;
  int uses_max = 0;
  absl::Time touch_at = absl::InfiniteFuture();
};

// Sessions on their way from one client to another. Thread-safe.
class Inbox {
 public:
  void Put(Seat seat);
  std::vector<Seat> TakeAll();

 private:
  std::mutex mutex_;
  std::vector<Seat> seats_;
};

// One client: a thread that uses a handful of sessions, some of them together
// with another client. It presents its tokens as the cookie helper would: each
// answer's token takes the place of those presented, but that of a LOCAL read
// is kept beside them.
//
// Writes: "own<client>" in each session, and "both" in those that are shared.
class LoadClient {
 public:
  LoadClient(int number, const std::vector<Door>& doors, uint32_t seed,
             History* history, SessionBook* book, std::vector<Inbox>* inboxes);

  void Run(const std::atomic<bool>* stop);

 private:
  struct Ended {
    int session = 0;
    std::string id;
    int id_number = 0;
    std::string token;  // of the deletion
    int reads = 0;
  };

  void Step();
  void Take(Seat seat);
  void Create();
  void Use(size_t index);
  // Each says whether the client goes on with the session.
  bool Get(Seat* seat);
  bool Update(Seat* seat);
  bool Touch(Seat* seat);
  bool Rotate(Seat* seat);
  bool HandOver(Seat* seat);
  void Delete(Seat* seat);
  void ReadEnded();

  bool Learn(const Answer& answer, bool local, absl::Time invoked, Seat* seat);
  void Drop(size_t index);
  Caller::About AboutOf(const Seat& seat) const;
  v1::Durability SomeDurability();
  void PlanTouch(absl::Time accessed, Seat* seat);

  const int number_;
  Caller caller_;
  SessionBook* const book_;
  std::vector<Inbox>* const inboxes_;
  std::vector<Seat> seats_;
  std::vector<Ended> ended_;
  // Its last write of each attribute of a session; a session may come back.
  std::map<std::pair<int, std::string>, int64_t> counts_;
};

// All clients. Thread-safe in nothing; one thread starts and stops it.
class Load {
 public:
  Load(int clients, const std::vector<Door>& doors, uint32_t seed,
       History* history, SessionBook* book);
  ~Load();  // stops
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Waits until all calls have ended; repetitions are given up.
  void Stop();

 private:
  std::vector<Inbox> inboxes_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_LOAD_H_
