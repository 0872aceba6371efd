#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "node/cli/cli.h"

namespace {

// https://no-color.org: any non-empty value counts.
bool WantsColor() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string(terminal) == "dumb";
  return isatty(STDOUT_FILENO) == 1 && !dumb &&
         (no_color == nullptr || *no_color == '\0');
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return sessionmesh::cli::Run(args, {.in = &std::cin,
                                      .out = &std::cout,
                                      .err = &std::cerr,
                                      .color = WantsColor()});
}
