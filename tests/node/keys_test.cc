#include "node/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "node/random_bytes.h"
#include "tests/node/temp_dir.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::sessionmesh::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(HmacKeyedHashTest, IsHmacSha256OverPurposeZeroAndData) {
  // printf 'p\0data' | openssl dgst -sha256 -hmac Jefe
  const HmacKeyedHash hash("Jefe");

  EXPECT_EQ(hash.Hash("p", "data"), 0xc05ed05fbb72ad4bu);
}

// A key longer than a block of SHA-256 is hashed first.
TEST(HmacKeyedHashTest, IsWhatOpenSslSaysForKeysOfEveryLength) {
  for (const size_t length : {1u, 32u, 63u, 64u, 65u, 200u}) {
    const std::string key(length, 'k');
    const std::string text = std::string("p") + '\0' + "data";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest.data(), nullptr);
    uint64_t expected = 0;
    for (size_t i = 0; i < sizeof(expected); ++i) {
      expected = expected << 8 | digest[i];
    }

    EXPECT_EQ(HmacKeyedHash(key).Hash("p", "data"), expected) << length;
  }
}

TEST(HmacKeyedHashTest, DiffersByKeyPurposeAndData) {
  const HmacKeyedHash one("one");
  const HmacKeyedHash two("two");

  const std::set<uint64_t> hashes = {
      one.Hash("token", "x"), one.Hash("id", "x"), one.Hash("token", "y"),
      two.Hash("token", "x"), one.Hash("toke", "nx")};

  EXPECT_EQ(hashes.size(), 5u);
}

TEST(KeyCheckTest, NeverChangesAndDiffersByKeyAndCluster) {
  const HmacKeyedHash key(KeyFromClusterId("sessionmesh"));

  EXPECT_EQ(KeyCheck(key, "sessionmesh"), 0x13bd369ee01823a4u);
  EXPECT_NE(KeyCheck(key, "other"), KeyCheck(key, "sessionmesh"));
  EXPECT_NE(KeyCheck(HmacKeyedHash("another"), "sessionmesh"),
            KeyCheck(key, "sessionmesh"));
}

TEST(HmacKeyedHashTest, TwoKeysInOneThreadDoNotMix) {
  const HmacKeyedHash one("one");
  const HmacKeyedHash two("two");
  const uint64_t expected = one.Hash("p", "x");

  for (int i = 0; i < 3; ++i) {
    two.Hash("p", "x");
    EXPECT_EQ(one.Hash("p", "x"), expected);
  }
}

TEST(HmacKeyedHashTest, ManyThreadsGetTheSame) {
  const HmacKeyedHash hash("key");
  const uint64_t expected = hash.Hash("p", "x");
  std::vector<std::thread> threads;

  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        EXPECT_EQ(hash.Hash("p", "x"), expected);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class KeyFileTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& content, mode_t mode) {
    const std::string path = directory_.File("key");
    std::ofstream(path) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  TempDir directory_;
};

TEST_F(KeyFileTest, IsReadWithoutTheSpaceAtItsEnds) {
  const std::string key(32, 'k');

  EXPECT_THAT(ReadKeyFile(Write("  " + key + "\n", 0600)), IsOkAndHolds(key));
}

TEST_F(KeyFileTest, ThatOthersMayReadIsRefused) {
  EXPECT_THAT(
      ReadKeyFile(Write(std::string(32, 'k'), 0644)),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("has mode 0644"), HasSubstr("chmod 600"))));
}

TEST_F(KeyFileTest, ThatIsTooShortSaysHowToMakeOne) {
  EXPECT_THAT(ReadKeyFile(Write("short\n", 0600)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("holds 5 bytes of key, at least 32"),
                             HasSubstr("openssl rand"))));
}

TEST_F(KeyFileTest, ThatIsTooLargeIsRefused) {
  EXPECT_THAT(ReadKeyFile(Write(std::string(5000, 'k'), 0600)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("larger than the limit of 4096")));
}

TEST_F(KeyFileTest, ThatIsMissingIsAnError) {
  EXPECT_THAT(ReadKeyFile(directory_.File("none")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("No such file")));
}

TEST(RandomBytesTest, AreNotTheSameTwice) {
  EXPECT_NE(RandomBytes<16>(), RandomBytes<16>());
  EXPECT_NE(RandomUint64(), RandomUint64());
}

}  // namespace
}  // namespace sessionmesh::node
