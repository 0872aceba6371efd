#ifndef PROTO_WIRE_GOSSIP_H_
#define PROTO_WIRE_GOSSIP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "membership/message.h"
#include "proto/peer.pb.h"
#include "proto/wire_info.h"

namespace sessionmesh::wire {

// Membership's two planes. Thread-safe; errors as in wire.h.

// A whole datagram, frame included. At most kDatagramBytesMax bytes when the
// core kept to membership::UpdateBytesMax and DatagramOverheadBytesMax, which
// are conservative.
std::string EncodeDatagram(const membership::Datagram& datagram,
                           uint64_t cluster_hash);
absl::StatusOr<membership::Datagram> DecodeDatagram(absl::string_view bytes,
                                                    uint64_t cluster_hash);

// PeerService.Exchange. `mine` describes the node that speaks; its name,
// generation and address are those of `request.from`. To decode: first
// DecodeNodeInfo(call.info()) and CheckCompatible, then these.
v1::ExchangeRequest EncodeRequest(const membership::Request& request,
                                  const NodeInfo& mine);
absl::StatusOr<membership::Request> DecodeRequest(
    const v1::ExchangeRequest& call);

v1::ExchangeResponse EncodeReply(const membership::Reply& reply,
                                 const NodeInfo& mine);
absl::StatusOr<membership::Reply> DecodeReply(
    const v1::ExchangeResponse& answer);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_GOSSIP_H_
