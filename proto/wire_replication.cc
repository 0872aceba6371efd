#include "proto/wire_replication.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/wire_check.h"
#include "proto/wire_dots.h"
#include "proto/wire_stream.h"
#include "proto/wire_sync.h"

namespace sessionmesh::wire {
namespace {

using replication::Message;

template <typename Proto>
absl::StatusOr<Message> DecodeAs(absl::string_view name, Proto* proto,
                                 const MessageReader& reader) {
  auto body = Decode(proto, reader);
  if (!body.ok()) return Within(name, body.status());
  return Message(*std::move(body));
}

absl::StatusOr<Message> DecodeBody(v1::LaneMessage* proto,
                                   const MessageReader& reader) {
  switch (proto->body_case()) {
    case v1::LaneMessage::kHello:
      return DecodeAs("hello", proto->mutable_hello(), reader);
    case v1::LaneMessage::kFrame:
      return DecodeAs("frame", proto->mutable_frame(), reader);
    case v1::LaneMessage::kFrameAck:
      return DecodeAs("frame_ack", proto->mutable_frame_ack(), reader);
    case v1::LaneMessage::kPull:
      return DecodeAs("pull", proto->mutable_pull(), reader);
    case v1::LaneMessage::kPullMore:
      return DecodeAs("pull_more", proto->mutable_pull_more(), reader);
    case v1::LaneMessage::kPullReply:
      return DecodeAs("pull_reply", proto->mutable_pull_reply(), reader);
    case v1::LaneMessage::kDigestRequest:
      return Message(replication::DigestRequest());
    case v1::LaneMessage::kDigest:
      return DecodeAs("digest", proto->mutable_digest(), reader);
    case v1::LaneMessage::kResync:
      return DecodeAs("resync", proto->mutable_resync(), reader);
    case v1::LaneMessage::kTouches:
      return DecodeAs("touches", proto->mutable_touches(), reader);
    case v1::LaneMessage::kRefuse:
      return DecodeAs("refuse", proto->mutable_refuse(), reader);
    case v1::LaneMessage::kDropAsk:
      return DecodeAs("drop_ask", proto->mutable_drop_ask(), reader);
    case v1::LaneMessage::kDropConsent:
      return DecodeAs("drop_consent", proto->mutable_drop_consent(), reader);
    case v1::LaneMessage::BODY_NOT_SET:
      break;
  }
  return CheckPresent("body", false);
}

}  // namespace

void EncodeLaneMessage(uint32_t lane, const Message& message,
                       v1::LaneMessage* out) {
  MessageWriter writer(lane, out);
  std::visit([&writer](const auto& body) { Encode(body, &writer); }, message);
}

absl::StatusOr<LaneMessage> DecodeLaneMessage(v1::LaneMessage&& proto,
                                              const WireContext& context) {
  const absl::StatusOr<MessageReader> reader =
      MessageReader::Make(proto, context);
  if (!reader.ok()) return reader.status();
  absl::StatusOr<Message> message = DecodeBody(&proto, *reader);
  if (!message.ok()) return message.status();
  return LaneMessage{reader->lane(), *std::move(message)};
}

absl::Status CheckPeerBatch(const v1::PeerBatch& batch) {
  return CheckCount("messages", static_cast<size_t>(batch.messages_size()),
                    kBatchMessagesMax);
}

absl::StatusOr<v1::PeerBatch> ParsePeerBatch(absl::string_view bytes) {
  WIRE_RETURN_IF_ERROR(CheckBytes("batch", bytes.size(), 0, kMessageBytesMax));
  v1::PeerBatch batch;
  if (!batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch has ", bytes.size(), " bytes that are not a PeerBatch"));
  }
  WIRE_RETURN_IF_ERROR(CheckPeerBatch(batch));
  return batch;
}

}  // namespace sessionmesh::wire
