#include "node/config_file.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::node {
namespace {

bool IsBare(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '_' || c == '.' || c == '+';
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  ConfigFile Parse() {
    while (!AtEnd()) {
      SkipBlank();
      if (AtEnd()) break;
      ParseEntry();
    }
    return std::move(file_);
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\n' : text_[at_]; }
  char Take() {
    const char c = Peek();
    if (!AtEnd()) ++at_;
    if (c == '\n') ++line_;
    return c;
  }

  void SkipSpaces() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\r')) {
      Take();
    }
  }
  void SkipLine() {
    while (!AtEnd() && Peek() != '\n') Take();
  }
  // Spaces, comments and line ends.
  void SkipBlank() {
    for (;;) {
      SkipSpaces();
      if (!AtEnd() && Peek() == '#') SkipLine();
      if (AtEnd() || Peek() != '\n') return;
      Take();
    }
  }

  void Problem(int line, absl::string_view what) {
    file_.problems.push_back(absl::StrCat("line ", line, ": ", what));
  }

  void ParseEntry() {
    ConfigEntry entry;
    entry.line = line_;
    if (Peek() == '[') {
      Problem(line_,
              "tables like [name] have no meaning here; "
              "write keys without a table");
      SkipLine();
      return;
    }
    while (IsBare(Peek())) entry.key.push_back(Take());
    SkipSpaces();
    if (entry.key.empty() || Peek() != '=') {
      Problem(line_, "expected: key = value");
      SkipLine();
      return;
    }
    Take();
    SkipSpaces();
    const bool good =
        Peek() == '[' ? ParseArray(&entry.values) : ParseValue(&entry.values);
    if (good) {
      SkipSpaces();
      if (Peek() != '\n' && Peek() != '#') {
        Problem(line_, absl::StrCat("unexpected text after the value of \"",
                                    entry.key, "\""));
      } else {
        Add(std::move(entry));
      }
    }
    SkipLine();
  }

  void Add(ConfigEntry entry) {
    const auto [first, is_new] = lines_.emplace(entry.key, entry.line);
    if (!is_new) {
      Problem(entry.line,
              absl::StrCat("\"", entry.key, "\" is given already in line ",
                           first->second));
      return;
    }
    file_.entries.push_back(std::move(entry));
  }

  bool ParseArray(std::vector<std::string>* values) {
    const int begin = line_;
    Take();  // [
    for (;;) {
      SkipBlank();
      if (Peek() == ']') {
        Take();
        return true;
      }
      if (AtEnd()) {
        Problem(begin, "this array has no end; expected ]");
        return false;
      }
      if (!ParseValue(values)) return false;
      SkipBlank();
      if (Peek() == ',') {
        Take();
      } else if (Peek() != ']') {
        Problem(line_, "expected , or ] in an array");
        return false;
      }
    }
  }

  bool ParseValue(std::vector<std::string>* values) {
    std::string value;
    if (Peek() == '"' || Peek() == '\'') {
      if (!ParseString(&value)) return false;
    } else {
      while (IsBare(Peek())) value.push_back(Take());
      if (value.empty()) {
        Problem(line_,
                "expected a value: a number, true, false, or a text "
                "in quotes");
        return false;
      }
    }
    values->push_back(std::move(value));
    return true;
  }

  bool ParseString(std::string* value) {
    const char quote = Take();
    while (!AtEnd() && Peek() != '\n') {
      const char c = Take();
      if (c == quote) return true;
      if (c != '\\' || quote == '\'') {
        value->push_back(c);
        continue;
      }
      switch (Take()) {
        case '"':
          value->push_back('"');
          break;
        case '\\':
          value->push_back('\\');
          break;
        case 'n':
          value->push_back('\n');
          break;
        case 't':
          value->push_back('\t');
          break;
        default:
          Problem(line_,
                  "unknown escape in a text; known are \\\" \\\\ \\n \\t");
          return false;
      }
    }
    Problem(line_, "this text has no closing quote");
    return false;
  }

  const absl::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  ConfigFile file_;
  std::map<std::string, int> lines_;
};

}  // namespace

ConfigFile ParseConfig(absl::string_view text) { return Parser(text).Parse(); }

}  // namespace sessionmesh::node
