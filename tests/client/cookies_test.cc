#include "client/cookies.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cookie_jar.h"

namespace sessionmesh::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kId[] = "AAECAwQFBgcICQoLDA0ODw";
constexpr char kOtherId[] = "zzECAwQFBgcICQoLDA0ODw";

SessionCookies Cookies() { return *SessionCookies::Make(); }

// A jar in the session `kId` with one token cookie for each of `tokens`.
CookieJar JarWith(const std::vector<std::string>& tokens) {
  CookieJar jar;
  jar.Deliver(Cookies().Begin({}, kId, tokens.front()));
  const Presented nothing_else = Cookies().Parse(absl::StrCat("sid=", kId));
  for (const std::string& token : tokens) {
    jar.Deliver(Cookies().Answer(nothing_else, token));
  }
  return jar;
}

TEST(CookiesTest, LoginSetsTheIdAndOneToken) {
  const std::vector<std::string> headers = Cookies().Begin({}, kId, "tok1");
  ASSERT_THAT(headers, SizeIs(2));
  EXPECT_EQ(headers[0],
            "sid=AAECAwQFBgcICQoLDA0ODw; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_THAT(headers[1], StartsWith("sid_t"));
  EXPECT_TRUE(
      absl::EndsWith(headers[1], ".tok1; Path=/; HttpOnly; SameSite=Lax"))
      << headers[1];
}

TEST(CookiesTest, NamesAreTheSameInEveryBuildAndOnEveryNode) {
  EXPECT_EQ(Cookies().Begin({}, kId, "tok1")[1],
            "sid_tLNuW2M3J=7qO6xN.tok1; Path=/; HttpOnly; SameSite=Lax");
}

TEST(CookiesTest, SecureAndMaxAgeAreOnEveryCookieThatIsSet) {
  const SessionCookies cookies = *SessionCookies::Make(
      {.name = "__Host-id", .secure = true, .max_age = absl::Hours(24)});
  for (const std::string& header : cookies.Begin({}, kId, "tok1")) {
    EXPECT_TRUE(absl::EndsWith(
        header, "; HttpOnly; SameSite=Lax; Secure; Max-Age=86400"))
        << header;
  }
}

TEST(CookiesTest, WhatLoginSetIsPresentedWithTheNextRequest) {
  CookieJar jar;
  jar.Deliver(Cookies().Begin({}, kId, "tok1"));
  const Presented in = Cookies().Parse(jar.Header());
  EXPECT_EQ(in.session_id, kId);
  EXPECT_THAT(in.tokens, ElementsAre("tok1"));
  EXPECT_EQ(in.ignored, 0u);
}

TEST(CookiesTest, AnswerReplacesTheTokensOfItsRequest) {
  CookieJar jar = JarWith({"a", "b"});
  jar.Deliver(Cookies().Answer(Cookies().Parse(jar.Header()), "c"));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, ElementsAre("c"));
}

TEST(CookiesTest, AnswerKeepsTokensThatItsRequestDidNotPresent) {
  CookieJar jar = JarWith({"a"});
  const Presented first = Cookies().Parse(jar.Header());
  const Presented second = Cookies().Parse(jar.Header());
  jar.Deliver(Cookies().Answer(first, "b"));
  jar.Deliver(Cookies().Answer(second, "c"));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens,
              UnorderedElementsAre("b", "c"));
}

TEST(CookiesTest, UnchangedTokenCostsNoHeader) {
  CookieJar jar = JarWith({"a"});
  EXPECT_THAT(Cookies().Answer(Cookies().Parse(jar.Header()), "a"), IsEmpty());
}

TEST(CookiesTest, AnswerOfALocalReadRemovesNothing) {
  CookieJar jar = JarWith({"a"});
  jar.Deliver(
      Cookies().Answer(Cookies().Parse(jar.Header()), "b", Covers::kNothing));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens,
              UnorderedElementsAre("a", "b"));
}

TEST(CookiesTest, AnswerWithoutASessionSetsNothing) {
  EXPECT_THAT(Cookies().Answer(Cookies().Parse(""), "a"), IsEmpty());
}

TEST(CookiesTest, LateAnswerNeverUndoesARotation) {
  CookieJar jar = JarWith({"a"});
  const Presented read = Cookies().Parse(jar.Header());
  const Presented login = read;
  jar.Deliver(Cookies().Rotated(login, kOtherId, "b"));
  jar.Deliver(Cookies().Answer(read, "c"));
  const Presented in = Cookies().Parse(jar.Header());
  EXPECT_EQ(in.session_id, kOtherId);
  EXPECT_THAT(in.tokens, UnorderedElementsAre("b", "c"))
      << "an update that raced the rotation stays with the session, so does "
         "its token";
}

TEST(CookiesTest, FamilySurvivesManyRotations) {
  CookieJar jar = JarWith({"a"});
  const std::string family = Cookies().Parse(jar.Header()).family;
  for (const char* const suffix : {"1", "2", "3"}) {
    jar.Deliver(Cookies().Rotated(Cookies().Parse(jar.Header()),
                                  absl::StrCat(kOtherId, suffix),
                                  absl::StrCat("t", suffix)));
  }
  EXPECT_EQ(Cookies().Parse(jar.Header()).family, family);
  EXPECT_EQ(Cookies().Parse(jar.Header()).session_id,
            std::string(kOtherId) + "3");
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, ElementsAre("t3"));
}

TEST(CookiesTest, LateAnswerOfTheOldSessionDoesNotReachTheNewOne) {
  CookieJar jar = JarWith({"a"});
  const Presented late = Cookies().Parse(jar.Header());
  jar.Deliver(Cookies().End(Cookies().Parse(jar.Header())));
  EXPECT_EQ(jar.Header(), "");
  jar.Deliver(Cookies().Begin(Cookies().Parse(jar.Header()), kOtherId, "new"));
  jar.Deliver(Cookies().Answer(late, "old"));
  const Presented in = Cookies().Parse(jar.Header());
  EXPECT_THAT(in.tokens, ElementsAre("new"));
  EXPECT_THAT(in.leftover, SizeIs(1));
  jar.Deliver(Cookies().Answer(in, "newer"));
  EXPECT_THAT(Cookies().Parse(jar.Header()).leftover, IsEmpty());
}

TEST(CookiesTest, NewSessionTakesAwayTheTokensOfTheOld) {
  CookieJar jar = JarWith({"a", "b"});
  jar.Deliver(Cookies().Begin(Cookies().Parse(jar.Header()), kOtherId, "c"));
  EXPECT_EQ(jar.size(), 2u);
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, ElementsAre("c"));
}

TEST(CookiesTest, ForgetLeavesOnlyWhatSurvived) {
  CookieJar jar = JarWith({"damaged", "other"});
  jar.Deliver(Cookies().Forget(Cookies().Parse(jar.Header()), "survivor"));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, ElementsAre("survivor"));
  jar.Deliver(Cookies().Forget(Cookies().Parse(jar.Header()), ""));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, IsEmpty());
  EXPECT_EQ(Cookies().Parse(jar.Header()).session_id, kId);
}

TEST(CookiesTest, MoreTokensThanANodeTakesAreKeptForLater) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 10; ++i) {
    tokens.push_back(absl::StrCat("t", i));
  }
  CookieJar jar = JarWith(tokens);
  Presented in = Cookies().Parse(jar.Header());
  EXPECT_THAT(in.tokens,
              ElementsAre("t9", "t8", "t7", "t6", "t5", "t4", "t3", "t2"));
  EXPECT_EQ(in.ignored, 2u);
  jar.Deliver(Cookies().Answer(in, "u"));
  in = Cookies().Parse(jar.Header());
  EXPECT_THAT(in.tokens, UnorderedElementsAre("t0", "t1", "u"));
  EXPECT_EQ(in.ignored, 0u);
}

TEST(CookiesTest, IdOfAnyBytesComesBackAsItWas) {
  std::string id;
  for (int c = 0; c < 256; ++c) {
    id.push_back(static_cast<char>(c));
  }
  CookieJar jar;
  jar.Deliver(Cookies().Begin({}, id, "a"));
  EXPECT_EQ(Cookies().Parse(jar.Header()).session_id, id);
  jar.Deliver(Cookies().Rotated(Cookies().Parse(jar.Header()),
                                "." + id.substr(1), "b"));
  EXPECT_EQ(Cookies().Parse(jar.Header()).session_id, "." + id.substr(1));
  EXPECT_THAT(Cookies().Parse(jar.Header()).tokens, ElementsAre("b"));
}

TEST(CookiesTest, GarbageIsPassedOver) {
  const std::string good = JarWith({"a"}).Header();
  const std::string token_cookie = good.substr(good.find("sid_t"));
  for (const std::string& garbage :
       {std::string(
            ";;; ; =; ==x; sid_t; sid_t=; sid_tABCDEFGH=x.y; sid_tABCDEFGH="),
        std::string(
            "sid=; sid=short; sid=%; sid=%4; sid=%GG; sid=AAECAwQFBgcICQoL?;"),
        absl::StrCat("sid=", kId, ".bad; sid=", kId, ".sixsix.more; sid=.",
                     kId),
        absl::StrCat("sid=", std::string(257, 'x')),
        std::string("\0\xff\x80;\r\n", 7),
        absl::StrCat(token_cookie.substr(0, token_cookie.size() - 1), "b"),
        absl::StrCat("other=1; SID=", kId),
        absl::StrCat("sid_total=12; sid_t12345678=99")}) {
    EXPECT_EQ(Cookies().Parse(garbage).session_id, "") << garbage;
    EXPECT_THAT(Cookies().Parse(garbage).tokens, IsEmpty()) << garbage;
    const Presented in = Cookies().Parse(absl::StrCat(garbage, "; ", good));
    EXPECT_EQ(in.session_id, kId) << garbage;
    EXPECT_THAT(in.tokens, ElementsAre("a")) << garbage;
  }
}

TEST(CookiesTest, CookiesOfOthersThatLookLikeOursAreNotExpired) {
  const Presented in = Cookies().Parse(absl::StrCat(
      "sid_t12345678=theirs; sid_total=9; ", JarWith({"a"}).Header()));
  for (const std::string& header : Cookies().End(in)) {
    EXPECT_FALSE(absl::StrContains(header, "12345678") ||
                 absl::StrContains(header, "total"))
        << header;
  }
}

TEST(CookiesTest, QuotedRepeatedAndOverlongValues) {
  const std::string cookie = JarWith({"a"}).Header();
  const std::string token_cookie = cookie.substr(cookie.find("sid_t"));
  const Presented in =
      Cookies().Parse(absl::StrCat("sid=\"", kId, "\";", token_cookie, ";",
                                   token_cookie, "; sid=", kOtherId));
  EXPECT_EQ(in.session_id, kId) << "the first counts";
  EXPECT_THAT(in.tokens, ElementsAre("a"));
  EXPECT_THAT(Cookies().Parse(JarWith({std::string(256, 'x')}).Header()).tokens,
              SizeIs(1));
  EXPECT_THAT(Cookies().Parse(JarWith({std::string(257, 'x')}).Header()).tokens,
              IsEmpty());
}

TEST(CookiesTest, OptionsThatNoBrowserTakesAreRefused) {
  const auto error = [](const CookieOptions& options) {
    return std::string(SessionCookies::Make(options).status().message());
  };
  EXPECT_EQ(
      error({.name = "a b"}),
      "cookie name \"a b\": use letters, digits, '-' and '_', at least one");
  EXPECT_EQ(error({.name = ""}),
            "cookie name \"\": use letters, digits, '-' and '_', at least one");
  EXPECT_EQ(error({.path = "app"}),
            "cookie path \"app\": use printable ASCII without ';', beginning "
            "with '/'");
  EXPECT_EQ(error({.path = "/a;b"}),
            "cookie path \"/a;b\": use printable ASCII without ';', beginning "
            "with '/'");
  EXPECT_EQ(error({.name = "__Secure-id"}),
            "cookie name \"__Secure-id\": browsers take this prefix only with "
            "secure = true");
  EXPECT_EQ(error({.name = "__Host-id", .path = "/app", .secure = true}),
            "cookie name \"__Host-id\": browsers take __Host- only with path "
            "\"/\", it is \"/app\"");
  EXPECT_EQ(error({.max_age = -absl::Seconds(1)}),
            "cookie max_age -1s: use a finite age, or zero for until the "
            "browser closes");
}

}  // namespace
}  // namespace sessionmesh::client
