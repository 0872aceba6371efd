#ifndef MEMBERSHIP_MESSAGE_H_
#define MEMBERSHIP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "membership/member.h"

namespace sessionmesh::membership {

// The messages of the membership protocol as plain values. proto/wire turns
// them into bytes and back, and refuses what is malformed, oversized or of
// another cluster before it gets here.
//
// Two planes lead to the same address:
//
//   gossip     UDP datagrams, may be lost, duplicated, reordered:  Datagram
//   reliable   unary gRPC calls (PeerService.Exchange):            Request ->
//   Reply
//
// Every message of either plane says who speaks (`Sender`). That is itself a
// claim, the only kind that is first-hand: "I, this generation at this address,
// live at this incarnation". So whoever hears a node knows it, without any
// gossip about it.

struct Sender {
  NodeName name;
  Address address;  // the one it advertises; answers go there, not to the
                    // source of the packet
  Generation generation = 0;
  Incarnation incarnation = 0;
  Zone zone;

  bool operator==(const Sender&) const = default;
};

// A claim about somebody, passed on from node to node.
//
// `accuser` says who doubts, and is there exactly for kSuspect and kDead. A
// claim kLeft comes from its subject alone: it has no accuser, and one that
// names an accuser is refused. (Who holds the cluster key can still lie about
// others, as in every SWIM; the subject refutes it if it has not left.)
struct Update {
  NodeName name;
  Address address;
  Claim claim;
  NodeName accuser;
  Zone zone;

  bool operator==(const Update&) const = default;
};

// ---- Gossip plane ----

// "Are you there?" Answered by an Ack only if name and generation are the
// receiver's own: after a restart, or when an address has got a new owner,
// nobody answers for its predecessor.
struct Ping {
  uint64_t sequence = 0;
  NodeName target;
  Generation target_generation = 0;

  bool operator==(const Ping&) const = default;
};

// "I cannot reach the target; ping it for me and pass its Ack on." The helper
// uses its own sequence number and its own knowledge of the target's address;
// it drops the request if it does not know the target in that generation.
struct PingReq {
  uint64_t sequence = 0;
  NodeName target;
  Generation target_generation = 0;

  bool operator==(const PingReq&) const = default;
};

// "The subject is there": the answer to Ping (subject = sender) or, passed on
// by a helper, to PingReq (subject = target). `sequence` is that of the message
// it answers.
struct Ack {
  uint64_t sequence = 0;
  NodeName subject;
  Generation subject_generation = 0;

  bool operator==(const Ack&) const = default;
};

// Nothing but the updates.
struct Gossip {
  bool operator==(const Gossip&) const = default;
};

using DatagramBody = std::variant<Ping, PingReq, Ack, Gossip>;

struct Datagram {
  Sender from;
  DatagramBody body;
  std::vector<Update> updates;

  bool operator==(const Datagram&) const = default;
};

// ---- Reliable plane ----

// The same question as Ping, for peers between whom UDP is blocked.
struct ReliablePing {
  NodeName target;
  Generation target_generation = 0;

  bool operator==(const ReliablePing&) const = default;
};

// Anti-entropy, first half: "here is the digest (member_table.h) of all I
// know". The receiver answers with everything it knows if its own digest is
// another, else with nothing. `push` holds claims that the receiver is known to
// lack; empty in the first request of a round.
struct SyncRequest {
  uint64_t digest = 0;
  std::vector<Update> push;

  bool operator==(const SyncRequest&) const = default;
};

using RequestBody = std::variant<ReliablePing, SyncRequest>;

struct Request {
  Sender from;
  RequestBody body;

  bool operator==(const Request&) const = default;
};

// The answer to ReliablePing; the sender is the subject.
struct ReliableAck {
  bool operator==(const ReliableAck&) const = default;
};

// The answer to SyncRequest. `members` is empty when the digests agreed. The
// one who asked then pushes what the answerer lacks in a second SyncRequest, if
// there is any.
struct SyncReply {
  uint64_t digest = 0;
  std::vector<Update> members;

  bool operator==(const SyncReply&) const = default;
};

enum class RefusalReason : uint8_t {
  kNotForMe = 0,  // the target is not the receiver, or another generation of it
  kNameConflict =
      1,  // the sender's name belongs to a live member at another address
  kSuperseded = 2,  // the sender's name is known in a higher generation
  kTableFull = 3,   // members_max reached
  kLeft = 4,        // the receiver has left the cluster
};

struct Refusal {
  RefusalReason reason = RefusalReason::kNotForMe;
  // What is known under the sender's name, for kNameConflict and kSuperseded;
  // otherwise empty.
  Address holder_address;
  Generation holder_generation = 0;

  bool operator==(const Refusal&) const = default;
};

using ReplyBody = std::variant<ReliableAck, SyncReply, Refusal>;

struct Reply {
  Sender from;
  ReplyBody body;

  bool operator==(const Reply&) const = default;
};

// ---- What the shell tells the core: the argument of Swim::Step ----

// Names an Exchange of ours (chosen by the core, effects.h) until its answer or
// its failure.
using OpId = uint64_t;
// Names a call of a peer (chosen by the shell) until its Answer.
using CallId = uint64_t;

struct DatagramReceived {
  Datagram datagram;
};

// A peer called. The core answers in the effects of the same Step, always.
struct RequestReceived {
  CallId call = 0;
  Request request;
};

struct ReplyReceived {
  OpId op = 0;
  Reply reply;
};

enum class ExchangeError : uint8_t {
  kUnreachable,   // no connection, deadline exceeded, malformed answer
  kOtherCluster,  // the peer answered that it belongs to another cluster
};

struct ExchangeFailed {
  OpId op = 0;
  ExchangeError error = ExchangeError::kUnreachable;
  std::string detail;  // for people
};

// The answer to Effects::want_seeds: what the configured seeds resolve to now.
// An empty answer keeps the former one, since resolvers fail exactly when the
// network does. Own addresses may be among them.
struct SeedsResolved {
  std::vector<Address> addresses;
};

using Message = std::variant<DatagramReceived, RequestReceived, ReplyReceived,
                             ExchangeFailed, SeedsResolved>;

// ---- Sizes ----

// Upper bounds of what the parts of a datagram take on the wire, for every
// encoding in which a field costs one byte of tag, a length at most two bytes,
// an integer at most ten, and an enumeration one: protobuf with field numbers
// below 16 and uint64 or fixed64 integers. Kept by a test of proto/wire.
size_t UpdateBytesMax(const Update& update);
// The datagram without its updates, the 12 bytes of the outer frame included.
size_t DatagramOverheadBytesMax(const Datagram& datagram);

// True if names and addresses are of legal size, generation and incarnation
// below their ceilings and the accuser is there exactly when the state asks for
// one. The core drops what is not.
bool IsValid(const Update& update);
bool IsValid(const Sender& sender);

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_MESSAGE_H_
