#include "replication/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void ExpectSame(const std::vector<EntryView>& actual,
                const std::vector<EntryView>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].name, expected[i].name);
    EXPECT_EQ(actual[i].dot, expected[i].dot);
    EXPECT_EQ(actual[i].hlc, expected[i].hlc);
    EXPECT_EQ(actual[i].value, expected[i].value);
  }
}

TEST(AttributeTableTest, UnpacksWhatWasPacked) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const std::string large(1000, 'x');
  const std::string long_name(300, 'n');
  const std::vector<EntryView> entries = {
      {kIdAttribute, {1, 1}, 5, "id"},
      {"a", {1, 2}, 6, ""},
      {"a", {kMax, kMax}, kMax, large},
      {absl::string_view("b\0c", 3), {2, 300}, 7, absl::string_view("\0", 1)},
      {long_name, {3, 1}, 8, "v"},
  };
  const AttributeTable table = AttributeTable::Pack(entries);
  ExpectSame(table.Unpack(), entries);
  EXPECT_EQ(table, AttributeTable::Pack(table.Unpack()));
}

// What one entry leaves out is what the one before it has, in the other names
// as well as among siblings.
TEST(AttributeTableTest, EveryMixOfWritersAndClocksComesBack) {
  for (unsigned mix = 0; mix < 1u << 15; ++mix) {
    std::vector<EntryView> entries;
    for (unsigned i = 0; i < 5; ++i) {
      const uint64_t actor = 7 + (mix >> i & 1);
      const uint64_t hlc = (mix >> (5 + i) & 1) * 9;
      // b has two entries where their order allows it.
      const char* names[] = {"a", "b", "b", "c", "d"};
      const uint64_t counter = 10 + i + (mix >> (10 + i) & 1) * 1000;
      const Dot dot{actor, counter};
      if (i == 2 && dot < entries.back().dot) continue;
      entries.push_back({names[i], dot, hlc, "v"});
    }
    const AttributeTable table = AttributeTable::Pack(entries);
    ExpectSame(table.Unpack(), entries);
    ExpectSame(table.Find("d"), {entries.back()});
  }
}

TEST(AttributeTableTest, FindGivesAllSiblings) {
  const AttributeTable table = AttributeTable::Pack(std::vector<EntryView>{
      {"a", {1, 1}, 1, "x"}, {"b", {1, 2}, 2, "y"}, {"b", {2, 2}, 3, "z"}});
  ExpectSame(table.Find("b"), {{"b", {1, 2}, 2, "y"}, {"b", {2, 2}, 3, "z"}});
  ExpectSame(table.Find("a"), {{"a", {1, 1}, 1, "x"}});
  EXPECT_TRUE(table.HasSiblings("b"));
  for (const char* none : {"a", "aa", "c", ""}) {
    EXPECT_FALSE(table.HasSiblings(none)) << none;
  }
  EXPECT_THAT(table.Find("aa"), IsEmpty());
  EXPECT_THAT(table.Find("c"), IsEmpty());
  EXPECT_THAT(table.Find(""), IsEmpty());
}

TEST(AttributeTableTest, AnEmptyTableHoldsNothing) {
  const AttributeTable table = AttributeTable::Pack({});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table, AttributeTable());
  EXPECT_THAT(table.Unpack(), IsEmpty());
  EXPECT_THAT(table.Find("a"), IsEmpty());
  EXPECT_EQ(table.payload_bytes(), 0u);
}

TEST(AttributeTableTest, PayloadCountsANameOnceAndEachValue) {
  const AttributeTable table =
      AttributeTable::Pack(std::vector<EntryView>{{"name", {1, 1}, 1, "12345"},
                                                  {"name", {2, 1}, 1, "123"},
                                                  {"o", {2, 2}, 1, ""}});
  EXPECT_EQ(table.payload_bytes(), 4u + 5u + 3u + 1u);
  EXPECT_EQ(AttributeTable::Pack(std::vector<EntryView>{{"n", {2, 2}, 1, ""}})
                .payload_bytes(),
            1u);
}

TEST(AttributeTableTest, AppendsDotsInTheOrderOfEntries) {
  const AttributeTable table = AttributeTable::Pack(std::vector<EntryView>{
      {"a", {1, 9}, 1, "x"}, {"b", {1, 2}, 2, "y"}, {"b", {2, 2}, 3, "z"}});
  std::vector<Dot> dots = {{7, 7}};
  table.AppendDots(&dots);
  EXPECT_THAT(dots, ElementsAre(Dot{7, 7}, Dot{1, 9}, Dot{1, 2}, Dot{2, 2}));
}

TEST(AttributeTableTest, EightAttributesOf64BytesOfOneWriteTakeUnder620Bytes) {
  const std::string value(64, 'v');
  std::vector<std::string> names;
  for (char c = 'a'; c < 'i'; ++c) names.push_back("name-" + std::string(1, c));
  std::vector<EntryView> entries;
  for (const std::string& name : names) {
    entries.push_back({name, {1, entries.size() + 1}, 1, value});
  }
  const AttributeTable table = AttributeTable::Pack(entries);
  EXPECT_THAT(table.Unpack(), SizeIs(8));
  EXPECT_LT(table.memory_bytes(), 620u);
}

TEST(WinnerTest, IsTheLatestByClock) {
  const std::vector<EntryView> siblings = {
      {"a", {1, 1}, 5, "old"}, {"a", {2, 1}, 9, "new"}, {"a", {3, 1}, 7, "x"}};
  EXPECT_EQ(Winner(siblings).value, "new");
}

TEST(WinnerTest, EqualClocksAreDecidedByTheDot) {
  const std::vector<EntryView> siblings = {{"a", {2, 1}, 5, "great"},
                                           {"a", {1, 9}, 5, "small"}};
  EXPECT_EQ(Winner(siblings).value, "great");
}

}  // namespace
}  // namespace sessionmesh::replication
