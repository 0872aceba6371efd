#include "node/seed_resolver.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "node/mutex.h"
#include "node/socket_address.h"

namespace sessionmesh::node {
namespace {

// Appends the addresses of one seed; returns why there are none, or "".
std::string ResolveOne(const std::string& seed,
                       std::vector<membership::Address>* addresses) {
  const absl::StatusOr<HostPort> parts = ParseHostPort(seed);
  if (!parts.ok()) return std::string(parts.status().message());
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts->host.c_str(), nullptr, &hints, &found);
  if (error != 0) return gai_strerror(error);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    address.set_port(parts->port);
    std::string text = address.ToString();
    if (std::find(addresses->begin(), addresses->end(), text) ==
        addresses->end()) {
      addresses->push_back(std::move(text));
    }
  }
  freeaddrinfo(found);
  return "";
}

}  // namespace

ResolvedSeeds ResolveSeeds(const std::vector<std::string>& seeds) {
  ResolvedSeeds resolved;
  for (const std::string& seed : seeds) {
    std::vector<membership::Address>& found = resolved.by_seed[seed];
    std::string why = ResolveOne(seed, &found);
    if (!why.empty()) resolved.failures.push_back({seed, std::move(why)});
    for (const membership::Address& address : found) {
      if (std::find(resolved.addresses.begin(), resolved.addresses.end(),
                    address) == resolved.addresses.end()) {
        resolved.addresses.push_back(address);
      }
    }
  }
  return resolved;
}

struct SeedResolver::Shared {
  Mutex mutex;
  CondVar changed;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::optional<std::vector<std::string>> question ABSL_GUARDED_BY(mutex);
  // Held during the callback, so that Stop waits for its end.
  Mutex callback_mutex;
  Callback callback ABSL_GUARDED_BY(callback_mutex);
};

SeedResolver::SeedResolver(Callback callback)
    : shared_(std::make_shared<Shared>()) {
  {
    MutexLock lock(&shared_->callback_mutex);
    shared_->callback = std::move(callback);
  }
  std::thread([shared = shared_] { Run(shared); }).detach();
}

SeedResolver::~SeedResolver() { Stop(); }

void SeedResolver::Resolve(std::vector<std::string> seeds) {
  MutexLock lock(&shared_->mutex);
  shared_->question = std::move(seeds);
  shared_->changed.Signal();
}

void SeedResolver::Stop() {
  {
    MutexLock lock(&shared_->mutex);
    shared_->stopped = true;
    shared_->changed.Signal();
  }
  MutexLock lock(&shared_->callback_mutex);
  shared_->callback = nullptr;
}

void SeedResolver::Run(const std::shared_ptr<Shared>& shared) {
  for (;;) {
    std::vector<std::string> seeds;
    {
      MutexLock lock(&shared->mutex);
      while (!shared->stopped && !shared->question) {
        shared->changed.Wait(&shared->mutex);
      }
      if (shared->stopped) return;
      seeds = *std::move(shared->question);
      shared->question.reset();
    }
    ResolvedSeeds resolved = ResolveSeeds(seeds);
    MutexLock lock(&shared->callback_mutex);
    if (shared->callback) shared->callback(std::move(resolved));
  }
}

}  // namespace sessionmesh::node
