#ifndef CLIENT_TOKENS_H_
#define CLIENT_TOKENS_H_

#include <cstddef>
#include <string>
#include <vector>

namespace sessionmesh::client {

// Causal tokens of one end user. Opaque; the reply to a call that presented
// them carries one token that stands for all of them (unless the call asked for
// LOCAL consistency).
using Tokens = std::vector<std::string>;

// What a node accepts with one call.
inline constexpr std::size_t kTokensMax = 8;
inline constexpr std::size_t kTokenSizeMax = 256;  // base64url characters

}  // namespace sessionmesh::client

#endif  // CLIENT_TOKENS_H_
