#include "node/event_stream.h"

#include "node/proto_time.h"

namespace sessionmesh::node {

v1::Event EncodeEvent(const NodeEvent& event, uint64_t lost) {
  v1::Event proto;
  *proto.mutable_time() = ToProto(event.time);
  proto.set_area(event.area);
  proto.set_kind(event.kind);
  proto.set_node(event.node);
  proto.set_message(event.message);
  proto.mutable_fields()->insert(event.fields.begin(), event.fields.end());
  proto.set_lost(lost);
  return proto;
}

EventStream::EventStream(EventLog* log, uint64_t from, CallGate* gate)
    : log_(log), gate_(gate), next_(from) {}

std::optional<v1::Event> EventStream::Next(std::optional<grpc::Status>* end) {
  if (gate_ == nullptr) {
    *end = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "too many readers of events on this node already");
    return std::nullopt;
  }
  const EventLog::Batch batch = log_->Read(next_, 1);
  if (batch.events.empty()) return std::nullopt;
  next_ = batch.next;
  return EncodeEvent(batch.events.front(), batch.lost);
}

void EventStream::OnEnded() {
  if (gate_ != nullptr) gate_->Leave();
}

}  // namespace sessionmesh::node
