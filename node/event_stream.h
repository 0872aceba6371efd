#ifndef NODE_EVENT_STREAM_H_
#define NODE_EVENT_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "node/call_gate.h"
#include "node/event_log.h"
#include "node/server_stream.h"
#include "proto/cluster.pb.h"

namespace sessionmesh::node {

v1::Event EncodeEvent(const NodeEvent& event, uint64_t lost);

// One WatchEvents call: a place in the event log that moves on as the client
// reads. One that is too slow is told how many events it lost.
class EventStream : public ServerStream<v1::Event>, public EventLog::Listener {
 public:
  // From the event with number `from` on. `gate` has been entered; null: there
  // are too many readers already, and this one is told so.
  EventStream(EventLog* log, uint64_t from, CallGate* gate);

  void OnEvent() override { Pump(); }

 private:
  std::optional<v1::Event> Next(std::optional<grpc::Status>* end) override;
  void OnEnded() override;

  EventLog* const log_;
  CallGate* const gate_;
  // Guarded by the stream's lock: only Next uses it.
  uint64_t next_;
};

}  // namespace sessionmesh::node

#endif  // NODE_EVENT_STREAM_H_
