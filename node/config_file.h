#ifndef NODE_CONFIG_FILE_H_
#define NODE_CONFIG_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sessionmesh::node {

inline constexpr size_t kConfigFileBytesMax = 1 << 20;

// One `key = value` of a configuration file. A single value or an array: both
// are a list of texts, strings without their quotes.
struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;
  int line = 0;  // from 1
};

// What a file says, and everything that is wrong with it, each with its line.
struct ConfigFile {
  std::vector<ConfigEntry> entries;
  std::vector<std::string> problems;
};

// Parses the flat part of TOML: bare keys; strings in double quotes (with the
// escapes \" \\ \n \t) or in single quotes; numbers and booleans; arrays of
// these, over several lines if need be; comments. Tables, and a key given
// twice, are problems. After a problem it goes on with the next line.
ConfigFile ParseConfig(absl::string_view text);

}  // namespace sessionmesh::node

#endif  // NODE_CONFIG_FILE_H_
