#include "node/parked_thread.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace sessionmesh::node {
namespace {

// A call that fails at once, as its callback sees it.
struct FailingCall {
  grpc::ClientContext context;
  grpc::ByteBuffer request{nullptr, 0};
  grpc::ByteBuffer response;
};

// The threads that ran the callbacks of `count` calls.
std::set<std::thread::id> ThreadsOfCalls(int count) {
  const auto channel =
      grpc::CreateChannel("ipv4:0.0.0.0:1", grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  std::vector<std::unique_ptr<FailingCall>> calls;
  absl::Mutex mutex;
  std::set<std::thread::id> threads;
  absl::BlockingCounter answered(count);
  for (int i = 0; i < count; ++i) {
    calls.push_back(std::make_unique<FailingCall>());
    FailingCall* call = calls.back().get();
    call->context.TryCancel();
    stub.UnaryCall(&call->context, "/fails", grpc::StubOptions(),
                   &call->request, &call->response,
                   [&](const grpc::Status& status) {
                     EXPECT_EQ(status.error_code(), grpc::CANCELLED);
                     {
                       const absl::MutexLock lock(&mutex);
                       threads.insert(std::this_thread::get_id());
                     }
                     answered.DecrementCount();
                   });
  }
  answered.Wait();
  return threads;
}

// As many as gRPC has at the least.
size_t CallbackThreads() {
  const auto cores = static_cast<size_t>(sysconf(_SC_NPROCESSORS_CONF));
  return std::max<size_t>(2, cores / 2);
}

TEST(ParkedThread, TheOthersRunEveryCallback) {
  ParkedThread parked;
  parked.WaitUntilParked();
  const size_t threads = ThreadsOfCalls(1000).size();
  EXPECT_GE(threads, 1u);
  EXPECT_LT(threads, CallbackThreads());
}

TEST(ParkedThread, IsFreeAgainAfterwards) {
  for (int i = 0; i < 5; ++i) {
    ParkedThread parked;
    parked.WaitUntilParked();
  }
  EXPECT_GE(ThreadsOfCalls(100).size(), 1u);
}

}  // namespace
}  // namespace sessionmesh::node
