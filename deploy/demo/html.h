#ifndef DEPLOY_DEMO_HTML_H_
#define DEPLOY_DEMO_HTML_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sessionmesh::demo {

// Text made safe for HTML, between tags and in quoted attributes. Bytes that
// are not UTF-8 pass unchanged.
std::string EscapeHtml(absl::string_view text);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_HTML_H_
