// SHA256_CTX can be copied with a key already in it. EVP_MAC, which has taken
// its place in OpenSSL 3, allocates and locks for that, and a read has two
// hashes on its way: 0.15 instead of 0.3 us each, and less to load.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "node/keys.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"

namespace sessionmesh::node {
namespace {

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

absl::StatusOr<std::string> ReadKeyFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open key file ", path, ": ", strerror(errno)));
  }
  struct stat info {};
  std::string content(kKeyFileBytesMax + 1, '\0');
  const ssize_t got = read(file, content.data(), content.size());
  const bool known = fstat(file, &info) == 0;
  close(file);
  if (got < 0 || !known) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read key file ", path));
  }
  if ((info.st_mode & 0077) != 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "key file %s has mode %04o, so others can read the cluster's key; "
        "run: chmod 600 %s",
        path, info.st_mode & 07777, path));
  }
  content.resize(static_cast<size_t>(got));
  if (content.size() > kKeyFileBytesMax) {
    return absl::FailedPreconditionError(
        absl::StrCat("key file ", path, " is larger than the limit of ",
                     kKeyFileBytesMax, " bytes"));
  }
  absl::StripAsciiWhitespace(&content);
  if (content.size() < kKeyBytesMin) {
    return absl::FailedPreconditionError(absl::StrCat(
        "key file ", path, " holds ", content.size(),
        " bytes of key, at least ", kKeyBytesMin,
        " are needed; make one with: openssl rand -base64 48 > ", path));
  }
  return content;
}

std::string KeyFromClusterId(absl::string_view cluster_id) {
  const std::string text =
      absl::StrCat("sessionmesh key of cluster ", cluster_id);
  std::string key(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(text), text.size(),
         reinterpret_cast<unsigned char*>(key.data()));
  return key;
}

uint64_t KeyCheck(const replication::KeyedHash& key,
                  absl::string_view cluster_id) {
  return key.Hash("node", cluster_id);
}

// HMAC (RFC 2104) after the key: what both passes of SHA-256 begin with.
struct HmacKeyedHash::Keyed {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

HmacKeyedHash::HmacKeyedHash(absl::string_view key)
    : keyed_(std::make_unique<Keyed>()) {
  CHECK(!key.empty());
  std::array<unsigned char, SHA256_CBLOCK> block{};
  if (key.size() > block.size()) {
    SHA256(Bytes(key), key.size(), block.data());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const auto begin = [&block](unsigned char pad, SHA256_CTX* context) {
    std::array<unsigned char, SHA256_CBLOCK> padded;
    for (size_t i = 0; i < block.size(); ++i) padded[i] = block[i] ^ pad;
    SHA256_Init(context);
    SHA256_Update(context, padded.data(), padded.size());
  };
  begin(0x36, &keyed_->inner);
  begin(0x5c, &keyed_->outer);
}

HmacKeyedHash::~HmacKeyedHash() = default;

uint64_t HmacKeyedHash::Hash(absl::string_view purpose,
                             absl::string_view data) const {
  constexpr unsigned char kSeparator = 0;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_CTX context = keyed_->inner;
  SHA256_Update(&context, purpose.data(), purpose.size());
  SHA256_Update(&context, &kSeparator, 1);
  SHA256_Update(&context, data.data(), data.size());
  SHA256_Final(digest.data(), &context);
  context = keyed_->outer;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof(hash); ++i) hash = hash << 8 | digest[i];
  return hash;
}

}  // namespace sessionmesh::node
