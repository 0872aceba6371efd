#include "deploy/demo/driver/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace sessionmesh::driver {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SiteTest, TheShopShowsTheWholeCart) {
  const Site site(Site::Vocabulary::kShop);
  const auto seen = site.ParseCart(200, "1 tea-3-1\n2 a lamp\n", "");
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(seen->found);
  EXPECT_THAT(seen->items, ElementsAre("a lamp", "tea-3-1"));
}

TEST(SiteTest, NoneIsNoSession) {
  for (const auto vocabulary :
       {Site::Vocabulary::kShop, Site::Vocabulary::kPlain}) {
    const auto seen = Site(vocabulary).ParseCart(404, "NONE", "tea");
    ASSERT_TRUE(seen.has_value());
    EXPECT_FALSE(seen->found);
  }
}

TEST(SiteTest, AnotherNotFoundIsNoAnswerAboutTheSession) {
  EXPECT_FALSE(Site(Site::Vocabulary::kShop)
                   .ParseCart(404, "<h1>404 no such page</h1>", "")
                   .has_value());
}

TEST(SiteTest, APlainSiteShowsOneItem) {
  const Site site(Site::Vocabulary::kPlain);
  EXPECT_THAT(site.ParseCart(200, "V 1", "tea")->items, ElementsAre("tea"));
  EXPECT_TRUE(site.ParseCart(200, "NULL", "tea")->items.empty());
  EXPECT_FALSE(site.ParseCart(200, "<html>", "tea").has_value());
}

TEST(SiteTest, AServerErrorIsNoAnswer) {
  EXPECT_FALSE(
      Site(Site::Vocabulary::kShop).ParseCart(503, "STALE", "").has_value());
}

TEST(BaseUrlTest, ReadsHostAndPort) {
  const auto url = ParseBaseUrl("http://localhost:8080/");
  ASSERT_THAT(url, IsOk());
  EXPECT_EQ(url->host, "localhost");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(ParseBaseUrl("http://example")->port, 80);
}

TEST(BaseUrlTest, RefusesWhatIsNoSite) {
  for (const char* text :
       {"", "localhost:80", "https://localhost", "http://", "http://a:0",
        "http://a:x", "http://a:70000", "http://a/b"}) {
    EXPECT_THAT(ParseBaseUrl(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("http://host:port")))
        << text;
  }
}

}  // namespace
}  // namespace sessionmesh::driver
