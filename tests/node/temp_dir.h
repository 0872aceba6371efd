#ifndef TESTS_NODE_TEMP_DIR_H_
#define TESTS_NODE_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "glog/logging.h"

namespace sessionmesh::testing {

// A directory of its own for a test, removed at its end.
class TempDir {
 public:
  TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "sessionmesh-XXXXXX")
            .string();
    PCHECK(mkdtemp(pattern.data()) != nullptr) << pattern;
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace sessionmesh::testing

#endif  // TESTS_NODE_TEMP_DIR_H_
