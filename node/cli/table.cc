#include "node/cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sessionmesh::cli {

std::string Paint(absl::string_view text, Color color, bool enabled) {
  if (!enabled || color == Color::kNone) {
    return std::string(text);
  }
  const char* const code = color == Color::kGreen    ? "32"
                           : color == Color::kYellow ? "33"
                                                     : "31";
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

Table::Table(std::vector<std::string> header) : columns_(header.size()) {
  std::vector<Cell> cells;
  cells.reserve(header.size());
  for (std::string& name : header) {
    cells.push_back({std::move(name)});
  }
  rows_.push_back(std::move(cells));
}

void Table::AddRow(std::vector<Cell> cells) {
  cells.resize(columns_);
  rows_.push_back(std::move(cells));
}

std::string Table::Render(bool color) const {
  std::vector<std::size_t> widths(columns_, 0);
  for (const std::vector<Cell>& row : rows_) {
    for (std::size_t i = 0; i < columns_; ++i) {
      widths[i] = std::max(widths[i], row[i].text.size());
    }
  }
  std::string out;
  for (const std::vector<Cell>& row : rows_) {
    std::size_t owed = 0;  // spaces, paid only when more text follows
    for (std::size_t i = 0; i < columns_; ++i) {
      const Cell& cell = row[i];
      if (!cell.text.empty()) {
        absl::StrAppend(&out, std::string(owed, ' '),
                        Paint(cell.text, cell.color, color));
        owed = 0;
      }
      owed += widths[i] - cell.text.size() + 2;
    }
    out.push_back('\n');
  }
  return out;
}

}  // namespace sessionmesh::cli
