#ifndef NODE_PARKED_THREAD_H_
#define NODE_PARKED_THREAD_H_

#include <memory>

#include "absl/synchronization/notification.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace sessionmesh::node {

// Whether gRPC's callback threads are more than this machine has a use for.
//
// gRPC takes half of the cores for callbacks, but never fewer than two threads
// (CallbackAlternativeCQ in completion_queue_cc.cc of gRPC 1.51). One of them
// polls the sockets; before it looks at what has come it wakes another to poll
// meanwhile. Where there are many cores, that is what keeps them busy. Where
// the second thread can only run on the application's core, each call pays for
// waking a core that then finds nothing to do.
bool HasThreadToSpare();

// Keeps one of gRPC's callback threads from running callbacks and from polling,
// as long as it lives: by a callback, of a call that fails at once, that
// returns when this is destroyed.
//
// For the whole process: two of these would stop a process that has two such
// threads. Must outlive every server and come to its end outside of callbacks.
class ParkedThread {
 public:
  ParkedThread();
  // Waits until the thread is free.
  ~ParkedThread();
  ParkedThread(const ParkedThread&) = delete;
  ParkedThread& operator=(const ParkedThread&) = delete;

  // Until the thread stands.
  void WaitUntilParked() { parked_.WaitForNotification(); }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  absl::Notification parked_;
  absl::Notification free_;
  absl::Notification gone_;
};

}  // namespace sessionmesh::node

#endif  // NODE_PARKED_THREAD_H_
