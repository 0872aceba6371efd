#include "deploy/demo/driver/cookie_jar.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"

namespace sessionmesh::driver {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(CookieJarTest, ASetCookieIsSentBack) {
  CookieJar jar;
  jar.Apply("sid=abc; Path=/; HttpOnly; SameSite=Lax", "/login", kNow);
  EXPECT_EQ(jar.Header("/cart", kNow), "sid=abc");
}

TEST(CookieJarTest, TheLastValueOfANameCounts) {
  CookieJar jar;
  jar.Apply("sid=a; Path=/", "/", kNow);
  jar.Apply("sid=b; Path=/", "/", kNow);
  EXPECT_EQ(jar.Header("/", kNow), "sid=b");
}

TEST(CookieJarTest, SeveralCookiesAreSentInOneHeader) {
  CookieJar jar;
  jar.Apply("b=2; Path=/", "/", kNow);
  jar.Apply("a=1; Path=/", "/", kNow);
  EXPECT_EQ(jar.Header("/", kNow), "a=1; b=2");
}

TEST(CookieJarTest, MaxAgeZeroRemoves) {
  CookieJar jar;
  jar.Apply("sid=a; Path=/", "/", kNow);
  const auto change = jar.Apply("sid=; Path=/; Max-Age=0", "/", kNow);
  ASSERT_TRUE(change.has_value());
  EXPECT_TRUE(change->removed);
  EXPECT_EQ(jar.Header("/", kNow), "");
}

TEST(CookieJarTest, ExpiresInThePastRemoves) {
  CookieJar jar;
  jar.Apply("sid=a; Path=/", "/", kNow);
  jar.Apply("sid=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", kNow);
  EXPECT_EQ(jar.Header("/", kNow), "");
}

TEST(CookieJarTest, ACookieEndsWithItsMaxAge) {
  CookieJar jar;
  jar.Apply("sid=a; Path=/; Max-Age=60", "/", kNow);
  EXPECT_EQ(jar.Header("/", kNow + absl::Seconds(59)), "sid=a");
  EXPECT_EQ(jar.Header("/", kNow + absl::Seconds(60)), "");
}

TEST(CookieJarTest, MaxAgeBeatsExpires) {
  CookieJar jar;
  jar.Apply("sid=a; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "/", kNow);
  EXPECT_EQ(jar.Header("/", kNow), "sid=a");
}

TEST(CookieJarTest, WithoutAPathTheCookieBelongsToTheFolderOfTheRequest) {
  CookieJar jar;
  jar.Apply("sid=a", "/cart/add?item=x", kNow);
  EXPECT_EQ(jar.Header("/", kNow), "");
  EXPECT_EQ(jar.Header("/cartoon", kNow), "");
  EXPECT_EQ(jar.Header("/cart/remove", kNow), "sid=a");
}

TEST(CookieJarTest, AnotherPathIsAnotherCookieAndTheLongerComesFirst) {
  CookieJar jar;
  jar.Apply("sid=site; Path=/", "/", kNow);
  jar.Apply("sid=cart; Path=/cart", "/", kNow);
  EXPECT_EQ(jar.Header("/cart", kNow), "sid=cart; sid=site");
  EXPECT_EQ(jar.Header("/", kNow), "sid=site");
}

TEST(CookieJarTest, WhatIsNoCookieIsIgnored) {
  CookieJar jar;
  EXPECT_FALSE(jar.Apply("nonsense", "/", kNow).has_value());
  EXPECT_FALSE(jar.Apply("=value; Path=/", "/", kNow).has_value());
  EXPECT_FALSE(jar.Apply("", "/", kNow).has_value());
  EXPECT_EQ(jar.Header("/", kNow), "");
}

}  // namespace
}  // namespace sessionmesh::driver
