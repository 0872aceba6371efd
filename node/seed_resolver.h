#ifndef NODE_SEED_RESOLVER_H_
#define NODE_SEED_RESOLVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "membership/member.h"

namespace sessionmesh::node {

// What one round of resolving gave.
struct ResolvedSeeds {
  struct Failure {
    std::string seed;
    std::string why;
  };
  std::vector<membership::Address> addresses;  // numeric, without repetitions
  std::map<std::string, std::vector<membership::Address>> by_seed;
  std::vector<Failure> failures;  // names without an address
};

// Looks up the seeds' names on a thread of its own, because a resolver may
// block for many seconds. One round at a time: a question during a round is
// answered by another round after it.
//
// The callback runs on that thread. After Stop it is not called any more; a
// look-up that hangs then is left behind, since nothing can interrupt it.
// Thread-safe.
class SeedResolver {
 public:
  using Callback = std::function<void(ResolvedSeeds)>;

  explicit SeedResolver(Callback callback);
  ~SeedResolver();  // stops
  SeedResolver(const SeedResolver&) = delete;
  SeedResolver& operator=(const SeedResolver&) = delete;

  // `seeds` as "host:port". Replaces a question that waits.
  void Resolve(std::vector<std::string> seeds);
  void Stop();

 private:
  struct Shared;
  static void Run(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

// One round, on the calling thread; blocks.
ResolvedSeeds ResolveSeeds(const std::vector<std::string>& seeds);

}  // namespace sessionmesh::node

#endif  // NODE_SEED_RESOLVER_H_
