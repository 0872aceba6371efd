#include "deploy/demo/html.h"

#include "absl/strings/str_replace.h"

namespace sessionmesh::demo {

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

}  // namespace sessionmesh::demo
