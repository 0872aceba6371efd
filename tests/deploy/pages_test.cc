#include "deploy/demo/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "deploy/demo/html.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::demo {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(EscapeHtmlTest, EscapesWhatEndsTextOrAnAttribute) {
  EXPECT_EQ(EscapeHtml("<b a=\"x\" c='y'>&amp;"),
            "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
}

TEST(ShopPageTest, NamesTheServerTheNodeAndTheVersion) {
  ShopView view;
  view.served = {"app2", "node2", "AAAABBBBCCCCDDDDEEEE", true, ""};
  EXPECT_THAT(ShopPage(view),
              AllOf(HasSubstr("app2"), HasSubstr("node2"),
                    HasSubstr("AAAABBBBCCCCDDDD&hellip;"),
                    Not(HasSubstr("EEEE")), HasSubstr("fetched first")));
}

TEST(ShopPageTest, OffersTheLogInOnlyToThoseWhoAreNotLoggedIn) {
  ShopView view;
  EXPECT_THAT(ShopPage(view), AllOf(HasSubstr("action=\"/login\""),
                                    Not(HasSubstr("action=\"/logout\""))));
  view.user = "ann";
  EXPECT_THAT(ShopPage(view), AllOf(Not(HasSubstr("action=\"/login\"")),
                                    HasSubstr("action=\"/logout\"")));
}

TEST(ShopPageTest, EscapesWhateverPeopleTyped) {
  const std::string evil = "<script>\"'&";
  ShopView view;
  view.user = evil;
  view.cart = {{evil, 2}};
  view.served = {evil, evil, evil, false, evil};
  EXPECT_THAT(ShopPage(view), Not(HasSubstr("<script>")));
  EXPECT_THAT(ProblemPage(view.served, {503, evil, evil, true}),
              Not(HasSubstr("<script>")));
}

TEST(CartTest, IsReadFromTheAttributesSortedByItem) {
  v1::Session session;
  (*session.mutable_attributes())["cart.tea"] = "2";
  (*session.mutable_attributes())["cart.a lamp"] = "1";
  (*session.mutable_attributes())["theme"] = "7";
  (*session.mutable_attributes())["cart.broken"] = "many";
  const auto lines = CartOf(session);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].item, "a lamp");
  EXPECT_EQ(lines[1].item, "tea");
  EXPECT_EQ(lines[1].quantity, 2);
  EXPECT_EQ(QuantityOf(session, "tea"), 2);
  EXPECT_EQ(QuantityOf(session, "soap"), 0);
}

TEST(CartTest, RefusesItemsThatAreNoNames) {
  EXPECT_THAT(CheckItem("a lamp"), IsOk());
  EXPECT_THAT(CheckItem(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  EXPECT_THAT(CheckItem(std::string(65, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("65 bytes; at most 64")));
  EXPECT_THAT(CheckItem("a\nb"), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("control character")));
}

TEST(ProblemTest, EachErrorHasItsHttpStatus) {
  EXPECT_EQ(DescribeProblem(absl::NotFoundError("x")).http_status, 404);
  EXPECT_EQ(DescribeProblem(absl::NotFoundError("x")).word, "NONE");
  EXPECT_EQ(DescribeProblem(absl::DataLossError("x")).http_status, 410);
  EXPECT_EQ(DescribeProblem(absl::InvalidArgumentError("x")).http_status, 400);
  EXPECT_EQ(DescribeProblem(absl::InternalError("x")).http_status, 500);
  for (const absl::Status& status :
       {absl::UnavailableError("x"), absl::DeadlineExceededError("x"),
        absl::ResourceExhaustedError("x")}) {
    EXPECT_EQ(DescribeProblem(status).http_status, 503);
    EXPECT_TRUE(DescribeProblem(status).retry);
  }
}

}  // namespace
}  // namespace sessionmesh::demo
