#ifndef TESTS_PROTO_SEED_BYTES_H_
#define TESTS_PROTO_SEED_BYTES_H_

#include <cstdint>
#include <string>

namespace sessionmesh::wire::testing {

// Valid bytes that the checks of stability.h accept: what the fuzzers begin
// with, and what the mutation test damages. Same seed, same bytes.
std::string DatagramBytes(uint64_t seed);
// Three lane messages of different kinds, and the info of a stream's first
// batch.
std::string PeerBatchBytes(uint64_t seed);
std::string TokenBytes(uint64_t seed);
// A token without its MAC and before base64url.
std::string TokenBodyBytes(uint64_t seed);

}  // namespace sessionmesh::wire::testing

#endif  // TESTS_PROTO_SEED_BYTES_H_
