#include "node/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionmesh::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ConfigFileTest, ReadsTextsNumbersBooleansAndArrays) {
  const ConfigFile file = ParseConfig(
      "# a comment\n"
      "name = \"a\"  # another\n"
      "slots = 64\n"
      "allow = true\n"
      "path = 'C:\\x'\n"
      "join = [\"b:1\",\n"
      "        \"c:2\", # the third\n"
      "]\n");

  EXPECT_THAT(file.problems, IsEmpty());
  ASSERT_THAT(file.entries, SizeIs(5));
  EXPECT_EQ(file.entries[0].key, "name");
  EXPECT_THAT(file.entries[0].values, ElementsAre("a"));
  EXPECT_EQ(file.entries[0].line, 2);
  EXPECT_THAT(file.entries[1].values, ElementsAre("64"));
  EXPECT_THAT(file.entries[2].values, ElementsAre("true"));
  EXPECT_THAT(file.entries[3].values, ElementsAre("C:\\x"));
  EXPECT_THAT(file.entries[4].values, ElementsAre("b:1", "c:2"));
  EXPECT_EQ(file.entries[4].line, 6);
}

TEST(ConfigFileTest, UndoesEscapesInDoubleQuotes) {
  const ConfigFile file = ParseConfig("name = \"a\\\"b\\\\c\\n\\t\"\n");

  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_THAT(file.entries[0].values, ElementsAre("a\"b\\c\n\t"));
}

TEST(ConfigFileTest, ReportsEveryProblemWithItsLine) {
  const ConfigFile file = ParseConfig(
      "name\n"
      "[table]\n"
      "a = \n"
      "b = \"open\n"
      "c = 1 2\n"
      "d = \"\\q\"\n"
      "e = [1 2]\n"
      "f = 1\n"
      "f = 2\n");

  EXPECT_THAT(
      file.problems,
      ElementsAre(
          "line 1: expected: key = value",
          "line 2: tables like [name] have no meaning here; write keys without "
          "a table",
          "line 3: expected a value: a number, true, false, or a text in "
          "quotes",
          "line 4: this text has no closing quote",
          "line 5: unexpected text after the value of \"c\"",
          "line 6: unknown escape in a text; known are \\\" \\\\ \\n \\t",
          "line 7: expected , or ] in an array",
          "line 9: \"f\" is given already in line 8"));
}

TEST(ConfigFileTest, ReportsAnArrayWithoutEndWhereItBegins) {
  const ConfigFile file = ParseConfig("\njoin = [\"a:1\",\n");

  EXPECT_THAT(file.problems,
              ElementsAre("line 2: this array has no end; expected ]"));
}

}  // namespace
}  // namespace sessionmesh::node
