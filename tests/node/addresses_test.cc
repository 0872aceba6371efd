#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "node/option_values.h"
#include "node/ports.h"
#include "node/rate_limit.h"
#include "node/seed_resolver.h"
#include "node/session_deadline.h"
#include "node/socket_address.h"
#include "node/udp_socket.h"
#include "tests/node/temp_dir.h"
#include "tests/node/waiter.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::sessionmesh::testing::TempDir;
using ::sessionmesh::testing::Waiter;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(SocketAddressTest, IsPrintedAsItWasWritten) {
  for (const char* text : {"127.0.0.1:7400", "[::1]:7401", "0.0.0.0:0"}) {
    const auto address = ParseSocketAddress(text);
    ASSERT_THAT(address, IsOk()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(SocketAddressTest, KnowsLoopbackAndWildcard) {
  EXPECT_TRUE(ParseSocketAddress("127.8.9.1:1")->is_loopback());
  EXPECT_TRUE(ParseSocketAddress("[::1]:1")->is_loopback());
  EXPECT_TRUE(ParseSocketAddress("[::ffff:127.0.0.1]:1")->is_loopback());
  EXPECT_FALSE(ParseSocketAddress("[::ffff:10.0.0.1]:1")->is_loopback());
  EXPECT_FALSE(ParseSocketAddress("10.0.0.1:1")->is_loopback());
  EXPECT_TRUE(ParseSocketAddress("0.0.0.0:1")->is_wildcard());
  EXPECT_TRUE(ParseSocketAddress("[::]:1")->is_wildcard());
}

TEST(SocketAddressTest, NeverAsksAResolver) {
  EXPECT_THAT(ParseSocketAddress("localhost:1"),
              StatusIs(kInvalid, HasSubstr("not a numeric address")));
}

TEST(ReachableTest, LoopbackIsNoAddressForThoseElsewhere) {
  for (const char* caller :
       {"ipv4:10.0.0.7:40123", "ipv6:[fd00::7]:40123",
        "ipv6:%5Bfe80::7%25eth0%5D:40123", "ipv6:[::ffff:10.0.0.7]:1"}) {
    EXPECT_THAT(CheckReachable("127.0.0.1:7401", caller),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("advertises 127.0.0.1:7401"),
                               HasSubstr("--peer-address"),
                               HasSubstr("--advertise-address"))))
        << caller;
    EXPECT_THAT(CheckReachable("10.0.0.7:7401", caller), IsOk());
  }
  for (const char* caller : {"ipv4:127.0.0.1:40123", "ipv6:%5B::1%5D:40123",
                             "ipv6:[::ffff:127.0.0.1]:1", "inproc", ""}) {
    EXPECT_THAT(CheckReachable("127.0.0.1:7401", caller), IsOk()) << caller;
  }
}

TEST(HostPortTest, SaysWhatIsMissing) {
  EXPECT_THAT(ParseHostPort("a"),
              StatusIs(kInvalid, HasSubstr("the port is missing")));
  EXPECT_THAT(ParseHostPort(":1"),
              StatusIs(kInvalid, HasSubstr("the host is missing")));
  EXPECT_THAT(ParseHostPort("a:70000"),
              StatusIs(kInvalid, HasSubstr("from 0 to 65535")));
  EXPECT_THAT(ParseHostPort("fd00::1:7401"),
              StatusIs(kInvalid, HasSubstr("into brackets")));
  EXPECT_THAT(ParseHostPort("[fd00::1"),
              StatusIs(kInvalid, HasSubstr("] is missing")));
}

TEST(OptionValuesTest, ReadsBytesWithTheirUnit) {
  EXPECT_THAT(ParseBytesBetween("4096", 1, 1 << 30), IsOkAndHolds(4096u));
  EXPECT_THAT(ParseBytesBetween("64KiB", 1, 1 << 30), IsOkAndHolds(65536u));
  EXPECT_THAT(ParseBytesBetween("99999999999999999999GiB", 1, 1 << 30),
              StatusIs(kInvalid, HasSubstr("from 1 to 1GiB")));
  EXPECT_THAT(ParseBytesBetween("-1", 1, 2), StatusIs(kInvalid));
}

TEST(OptionValuesTest, NamesFitIntoLinesAndFiles) {
  EXPECT_THAT(CheckName("web-1.eu_west"), IsOk());
  EXPECT_THAT(CheckName(""), StatusIs(kInvalid));
  EXPECT_THAT(CheckName("a b"), StatusIs(kInvalid));
  EXPECT_THAT(CheckName(std::string(65, 'a')),
              StatusIs(kInvalid, HasSubstr("1 to 64 letters")));
}

TEST(RateLimitTest, AllowsEachKeyOncePerInterval) {
  RateLimit limit(absl::Seconds(10), 8);
  const absl::Time start = absl::UnixEpoch();

  EXPECT_TRUE(limit.Allow("a", start));
  EXPECT_FALSE(limit.Allow("a", start + absl::Seconds(9)));
  EXPECT_TRUE(limit.Allow("b", start));
  EXPECT_TRUE(limit.Allow("a", start + absl::Seconds(10)));
}

TEST(RateLimitTest, AFloodOfKeysIsRefusedUntilSomeAreOver) {
  RateLimit limit(absl::Seconds(10), 2);
  const absl::Time start = absl::UnixEpoch();
  limit.Allow("a", start);
  limit.Allow("b", start);

  EXPECT_FALSE(limit.Allow("c", start));
  EXPECT_TRUE(limit.Allow("c", start + absl::Seconds(10)));
}

TEST(SessionDeadlineTest, KeepsALittleBackForTheAnswer) {
  const Instant now{absl::FromUnixSeconds(100), absl::FromUnixSeconds(5)};
  const auto deadline = [&](absl::Duration left) {
    return LaneDeadline(now, left, absl::Seconds(5), absl::Seconds(30)) -
           now.steady;
  };

  EXPECT_EQ(deadline(absl::InfiniteDuration()), absl::Milliseconds(4990));
  EXPECT_EQ(deadline(absl::Hours(1)), absl::Milliseconds(29990));
  EXPECT_EQ(deadline(absl::Milliseconds(50)), absl::Milliseconds(45));
}

TEST(UdpSocketTest, DeliversDatagramsOnLoopback) {
  const auto any = ParseSocketAddress("127.0.0.1:0");
  const auto one = UdpSocket::Bind(*any);
  const auto two = UdpSocket::Bind(*any);
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());

  (*one)->Send((*two)->address(), "hello");

  std::string datagram;
  SocketAddress from;
  ASSERT_TRUE((*two)->Receive(&datagram, &from));
  EXPECT_EQ(datagram, "hello");
  EXPECT_EQ(from.ToString(), (*one)->address().ToString());
  EXPECT_FALSE((*two)->Receive(&datagram, &from));
}

TEST(UdpSocketTest, APortInUseIsNamed) {
  const auto first = UdpSocket::Bind(*ParseSocketAddress("127.0.0.1:0"));
  ASSERT_THAT(first, IsOk());

  EXPECT_THAT(UdpSocket::Bind((*first)->address()),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr((*first)->address().ToString()),
                             HasSubstr("Address already in use"))));
}

TEST(AdvertisedAddressTest, IsTheListeningOneUnlessSaidOtherwise) {
  const SocketAddress here = *ParseSocketAddress("127.0.0.1:7401");

  EXPECT_THAT(AdvertisedAddress(here, ""), IsOkAndHolds("127.0.0.1:7401"));
  EXPECT_THAT(AdvertisedAddress(here, "10.0.0.7:9"),
              IsOkAndHolds("10.0.0.7:9"));
  EXPECT_THAT(AdvertisedAddress(here, "10.0.0.7:0"),
              IsOkAndHolds("10.0.0.7:7401"));
  EXPECT_THAT(AdvertisedAddress(here, "[::1]:9"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("--advertise-address [::1]:9")));
}

TEST(ClearSocketFileTest, LeavesWhatIsNoSocketAlone) {
  TempDir directory;
  const std::string path = directory.File("socket");
  EXPECT_THAT(ClearSocketFile(path), IsOk());
  std::ofstream(path) << "a file";

  EXPECT_THAT(ClearSocketFile(path),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("is not a socket")));
}

TEST(SeedResolverTest, GivesNumericAddressesOnceAndNamesFailures) {
  const ResolvedSeeds resolved =
      ResolveSeeds({"127.0.0.1:1", "127.0.0.1:1", "[::1]:2", "name.invalid:3"});

  EXPECT_THAT(resolved.addresses, ElementsAre("127.0.0.1:1", "[::1]:2"));
  ASSERT_THAT(resolved.failures, SizeIs(1));
  EXPECT_EQ(resolved.failures[0].seed, "name.invalid:3");
  EXPECT_FALSE(resolved.failures[0].why.empty());
}

TEST(SeedResolverTest, AnswersOnItsOwnThread) {
  Waiter waiter;
  std::vector<membership::Address> addresses;
  SeedResolver resolver([&](ResolvedSeeds resolved) {
    waiter.Do([&] { addresses = resolved.addresses; });
  });

  resolver.Resolve({"127.0.0.1:7"});

  ASSERT_TRUE(waiter.Await([&] { return !addresses.empty(); }));
  EXPECT_THAT(addresses, Contains("127.0.0.1:7"));
}

}  // namespace
}  // namespace sessionmesh::node
