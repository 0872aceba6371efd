#include "deploy/demo/pages.h"

#include "absl/strings/str_cat.h"
#include "deploy/demo/html.h"

namespace sessionmesh::demo {
namespace {

constexpr absl::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sessionmesh demo shop</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #d9dee7; --card: #fff; --ground: #f4f6f9;
  --accent: #0f766e; --on-accent: #fff; --warn: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b2; --line: #323a46; --card: #1b212a;
  --ground: #12161c; --accent: #2dd4bf; --on-accent: #06241f; --warn: #fbbf24; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .75rem; }
header { display: flex; justify-content: space-between; align-items: center; margin-bottom: 1.5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem;
  margin-bottom: 1rem; }
form { display: flex; gap: .5rem; }
p { margin: .75rem 0 0; }
input { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .4rem;
  padding: .35rem .6rem; }
button { font: inherit; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent);
  border-radius: .4rem; padding: .35rem .8rem; cursor: pointer; }
button.quiet { background: transparent; color: var(--accent); }
table { width: 100%; border-collapse: collapse; }
td { padding: .35rem 0; border-top: 1px solid var(--line); }
tr:first-child td { border-top: 0; }
td.number { text-align: right; padding-right: 1rem; font-variant-numeric: tabular-nums; }
td.act { text-align: right; width: 1%; white-space: nowrap; }
footer { color: var(--soft); font-size: .875rem; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
footer dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
.soft { color: var(--soft); }
.warn { color: var(--warn); }
</style></head><body><main>
)";

constexpr absl::string_view kGoods[] = {"tea",    "bread",  "apples",
                                        "a lamp", "a book", "soap"};
constexpr std::size_t kVersionShown = 16;

std::string Button(absl::string_view action, absl::string_view field,
                   absl::string_view value, absl::string_view label,
                   absl::string_view style = "") {
  std::string out =
      absl::StrCat("<form method=\"post\" action=\"", action, "\">");
  if (!field.empty()) {
    absl::StrAppend(&out, "<input type=\"hidden\" name=\"", field,
                    "\" value=\"", EscapeHtml(value), "\">");
  }
  absl::StrAppend(&out, "<button", style.empty() ? "" : " class=\"", style,
                  style.empty() ? "" : "\"", ">", EscapeHtml(label),
                  "</button></form>");
  return out;
}

std::string LogInSection(const ShopView& view) {
  if (!view.user.empty()) return "";
  return absl::StrCat(
      "<section><h2>Log in</h2><form method=\"post\" action=\"/login\">"
      "<input name=\"user\" placeholder=\"any name\" required maxlength=\"64\" "
      "autocomplete=\"off\">"
      "<button>Log in</button></form>",
      view.has_session ? "<p class=\"soft\">Your cart comes with you; the "
                         "session gets a new id.</p>"
      : view.session_is_gone
          ? "<p class=\"soft\">Your session has ended. Log in to begin "
            "another.</p>"
          : "",
      "</section>\n");
}

std::string GoodsSection() {
  std::string out = "<section><h2>Goods</h2><div class=\"row\">";
  for (const absl::string_view item : kGoods) {
    absl::StrAppend(&out, Button("/cart/add", "item", item, item, "quiet"));
  }
  absl::StrAppend(&out,
                  "<form method=\"post\" action=\"/cart/add\">"
                  "<input name=\"item\" placeholder=\"something else\" "
                  "required maxlength=\"64\">"
                  "<button>Add</button></form></div></section>\n");
  return out;
}

std::string CartSection(const ShopView& view) {
  std::string out = "<section><h2>Your cart</h2>";
  if (view.cart.empty()) {
    return absl::StrCat(out,
                        "<span class=\"soft\">Nothing yet.</span></section>\n");
  }
  absl::StrAppend(&out, "<table>");
  for (const CartLine& line : view.cart) {
    absl::StrAppend(
        &out, "<tr><td>", EscapeHtml(line.item), "</td><td class=\"number\">",
        line.quantity, "</td><td class=\"act\">",
        Button("/cart/remove", "item", line.item, "Remove", "quiet"),
        "</td></tr>\n");
  }
  return absl::StrCat(out, "</table></section>\n");
}

std::string Foot(const Served& served) {
  std::string out = absl::StrCat("<footer><dl><dt>Server</dt><dd>",
                                 EscapeHtml(served.server), "</dd>");
  if (!served.node.empty()) {
    absl::StrAppend(&out, "<dt>Session node</dt><dd>", EscapeHtml(served.node),
                    "</dd>");
  }
  if (!served.version.empty()) {
    absl::StrAppend(
        &out, "<dt>Version read</dt><dd>",
        EscapeHtml(served.version.substr(0, kVersionShown)),
        served.version.size() > kVersionShown ? "&hellip;" : "",
        served.caught_up
            ? ", fetched first: this node had not seen your last change"
            : "",
        "</dd>");
  }
  if (!served.degraded_reason.empty()) {
    absl::StrAppend(&out, "<dt class=\"warn\">Degraded</dt><dd class=\"warn\">",
                    EscapeHtml(served.degraded_reason), "</dd>");
  }
  return absl::StrCat(out,
                      "</dl><p>Reload: any server may answer, and each knows "
                      "your session.</p></footer>\n",
                      "</main></body></html>\n");
}

}  // namespace

std::string ShopPage(const ShopView& view) {
  const std::string who =
      view.user.empty()
          ? "<span class=\"soft\">not logged in</span>"
          : absl::StrCat("<div class=\"row\">", EscapeHtml(view.user),
                         Button("/logout", "", "", "Log out", "quiet"),
                         "</div>");
  return absl::StrCat(kHead, "<header><h1>Demo shop</h1>", who, "</header>\n",
                      LogInSection(view), CartSection(view), GoodsSection(),
                      Foot(view.served));
}

std::string ProblemPage(const Served& served, const Problem& problem) {
  return absl::StrCat(
      kHead, "<header><h1>Demo shop</h1></header>\n<section><h2>",
      EscapeHtml(problem.sentence), "</h2><p class=\"soft\">",
      problem.http_status, " ", EscapeHtml(problem.word),
      "</p><a href=\"/\">Back to the shop</a></section>\n", Foot(served));
}

}  // namespace sessionmesh::demo
