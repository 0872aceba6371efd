#ifndef NODE_CLI_TABLE_H_
#define NODE_CLI_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sessionmesh::cli {

enum class Color { kNone, kGreen, kYellow, kRed };

// `text` in a colour of the terminal's palette; as it is when not `enabled`.
std::string Paint(absl::string_view text, Color color, bool enabled);

// Columns of text, as wide as their widest cell, two spaces apart:
//
//   Table table({"NAME", "STATE"});
//   table.AddRow({{"app1"}, {"alive", Color::kGreen}});
//   std::string text = table.Render(/*color=*/true);
//
// Every line ends with a line feed and has no trailing spaces. Widths count
// bytes; what goes in is ASCII (Printable() in text.h sees to it).
class Table {
 public:
  struct Cell {
    std::string text = {};
    Color color = Color::kNone;
  };

  explicit Table(std::vector<std::string> header);
  // Fewer cells than columns: the rest is empty. REQUIRES: not more.
  void AddRow(std::vector<Cell> cells);
  std::string Render(bool color) const;

 private:
  std::size_t columns_;
  std::vector<std::vector<Cell>> rows_;  // the header first
};

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_TABLE_H_
