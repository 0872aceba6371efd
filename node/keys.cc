#include "node/keys.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"

namespace sessionmesh::node {
namespace {

struct MacDeleter {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacDeleter>;

uint64_t NextSerial() {
  static std::atomic<uint64_t> serial{1};
  return serial.fetch_add(1);
}

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

struct HmacKeyedHash::Keyed {
  MacContext context;
};

HmacKeyedHash::HmacKeyedHash(absl::string_view key)
    : keyed_(std::make_unique<Keyed>()), serial_(NextSerial()) {
  CHECK(!key.empty());
  const std::unique_ptr<EVP_MAC, MacDeleter> hmac(
      EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
  CHECK(hmac != nullptr) << "this OpenSSL has no HMAC";
  keyed_->context.reset(EVP_MAC_CTX_new(hmac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  CHECK_EQ(EVP_MAC_init(keyed_->context.get(), Bytes(key), key.size(), params),
           1);
}

HmacKeyedHash::~HmacKeyedHash() = default;

uint64_t HmacKeyedHash::Hash(absl::string_view purpose,
                             absl::string_view data) const {
  // Fetching and duplicating take locks and memory in OpenSSL; starting again
  // with the key that a context has takes neither.
  thread_local uint64_t context_serial = 0;
  thread_local MacContext context;
  if (context_serial != serial_) {
    context.reset(EVP_MAC_CTX_dup(keyed_->context.get()));
    CHECK(context != nullptr);
    context_serial = serial_;
  }
  constexpr unsigned char kSeparator = 0;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  size_t digest_size = 0;
  CHECK_EQ(EVP_MAC_init(context.get(), nullptr, 0, nullptr), 1);
  CHECK_EQ(EVP_MAC_update(context.get(), Bytes(purpose), purpose.size()), 1);
  CHECK_EQ(EVP_MAC_update(context.get(), &kSeparator, 1), 1);
  CHECK_EQ(EVP_MAC_update(context.get(), Bytes(data), data.size()), 1);
  CHECK_EQ(
      EVP_MAC_final(context.get(), digest.data(), &digest_size, digest.size()),
      1);
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof(hash); ++i) hash = hash << 8 | digest[i];
  return hash;
}

}  // namespace sessionmesh::node
