#include "node/parked_thread.h"

#include <unistd.h>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace sessionmesh::node {
namespace {

// From here on, half of the cores are two threads or more.
constexpr int kCoresForTwoThreads = 4;

}  // namespace

bool HasThreadToSpare() {
  return sysconf(_SC_NPROCESSORS_CONF) < kCoresForTwoThreads;
}

// The address is never dialled: the call is cancelled before it begins.
ParkedThread::ParkedThread()
    : channel_(grpc::CreateChannel("ipv4:0.0.0.0:1",
                                   grpc::InsecureChannelCredentials())),
      stub_(channel_),
      request_(nullptr, 0) {
  context_.TryCancel();
  stub_.UnaryCall(&context_, "/parked", grpc::StubOptions(), &request_,
                  &response_, [this](const grpc::Status&) {
                    parked_.Notify();
                    free_.WaitForNotification();
                    gone_.Notify();
                  });
}

ParkedThread::~ParkedThread() {
  free_.Notify();
  gone_.WaitForNotification();
}

}  // namespace sessionmesh::node
