// Every interleaving of two and three answers to one browser, over two nodes:
// whatever arrives when, no token that the browser was ever given may be lost
// from its jar without another that covers it.
//
// The world is as small as it can be: knowledge is a set of writes (a bit
// mask), a token names one such set, a node answers after it has taken over
// what was presented, and nodes do not talk to each other but through the
// browser's tokens (the worst case). Each request is sent, then processed, then
// its answer delivered; the explorer tries all orders of these steps, all
// placements and both kinds of call.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cookies.h"
#include "gtest/gtest.h"
#include "tests/client/cookie_jar.h"

namespace sessionmesh::client {
namespace {

constexpr char kId[] = "AAECAwQFBgcICQoLDA0ODw";
constexpr int kNodes = 2;

using Knowledge = std::uint32_t;  // set of writes

std::string TokenOf(Knowledge knowledge) {
  return absl::StrCat("k", knowledge);
}

Knowledge KnowledgeOf(const std::string& token) {
  Knowledge knowledge = 0;
  EXPECT_TRUE(absl::SimpleAtoi(token.substr(1), &knowledge)) << token;
  return knowledge;
}

// How a site keeps tokens in cookies; the subject of the test, or a design that
// it refutes.
struct Scheme {
  std::function<Tokens(const std::string& cookie_header)> parse;
  std::function<std::vector<std::string>(const std::string& cookie_header,
                                         int node, const std::string& token)>
      answer;
};

Scheme OneNamePerToken() {
  static const SessionCookies cookies = *SessionCookies::Make();
  return {
      [](const std::string& header) { return cookies.Parse(header).tokens; },
      [](const std::string& header, int, const std::string& token) {
        return cookies.Answer(cookies.Parse(header), token);
      }};
}

// The obvious design: one cookie for each answering node, holding its last
// token; the answer expires the others that its request presented.
Scheme OneNamePerNode(bool expire_others) {
  return {
      [](const std::string& header) {
        Tokens tokens;
        for (std::size_t at = header.find("=k"); at != std::string::npos;
             at = header.find("=k", at + 1)) {
          tokens.push_back(
              header.substr(at + 1, header.find(';', at) - at - 1));
        }
        return tokens;
      },
      [expire_others](const std::string& header, int node,
                      const std::string& token) {
        std::vector<std::string> headers = {
            absl::StrCat("sid_t", node, "=", token)};
        for (int other = 0; expire_others && other < kNodes; ++other) {
          if (other != node &&
              absl::StrContains(header, absl::StrCat("sid_t", other, "="))) {
            headers.push_back(absl::StrCat("sid_t", other, "=; Max-Age=0"));
          }
        }
        return headers;
      }};
}

struct Request {
  enum class Stage { kNew, kSent, kProcessed, kDelivered };
  int node = 0;
  bool writes = false;
  Stage stage = Stage::kNew;
  std::string cookie_header = {};
  std::string token = {};
};

struct World {
  CookieJar jar;
  Knowledge nodes[kNodes] = {};
  Knowledge delivered = 0;  // union over all tokens the browser was given
  Knowledge writes = 0;
  std::vector<Request> requests;
};

struct Outcome {
  int runs = 0;
  int losses = 0;  // deliveries after which some token was not covered
  int leftovers =
      0;  // runs that a last, lone answer did not bring down to one token
  std::size_t cookies_max = 0;
};

class Explorer {
 public:
  explicit Explorer(Scheme scheme) : scheme_(std::move(scheme)) {}

  // All calls of all requests, all orders, all placements; the last request is
  // on node 0, since the nodes are alike.
  Outcome Run(int requests) {
    const int choices = 1 << (2 * requests - 1);
    for (int choice = 0; choice < choices; ++choice) {
      World world;
      world.jar.Deliver({absl::StrCat("sid=", kId)});
      for (int i = 0; i < requests; ++i) {
        world.requests.push_back(
            Request{.node = (choice >> (2 * i + 1)) & 1,
                    .writes = ((choice >> (2 * i)) & 1) != 0});
      }
      Explore(world);
    }
    return outcome_;
  }

 private:
  void Explore(const World& world) {
    bool ended = true;
    for (std::size_t i = 0; i < world.requests.size(); ++i) {
      if (world.requests[i].stage != Request::Stage::kDelivered) {
        World next = world;
        Advance(&next, &next.requests[i]);
        Explore(next);
        ended = false;
      }
    }
    if (ended) {
      Finish(world);
    }
  }

  // Nothing is in flight any more: one further answer puts everything into one
  // token.
  void Finish(World world) {
    ++outcome_.runs;
    Request request;
    while (request.stage != Request::Stage::kDelivered) {
      Advance(&world, &request);
    }
    outcome_.leftovers += world.jar.size() == 2 ? 0 : 1;
  }

  void Advance(World* world, Request* request) {
    switch (request->stage) {
      case Request::Stage::kNew:
        request->cookie_header = world->jar.Header();
        request->stage = Request::Stage::kSent;
        break;
      case Request::Stage::kSent:
        Process(world, request);
        request->stage = Request::Stage::kProcessed;
        break;
      case Request::Stage::kProcessed:
        Deliver(world, request);
        request->stage = Request::Stage::kDelivered;
        break;
      case Request::Stage::kDelivered:
        break;
    }
  }

  void Process(World* world, Request* request) {
    Knowledge& node = world->nodes[request->node];
    for (const std::string& token : scheme_.parse(request->cookie_header)) {
      node |= KnowledgeOf(token);
    }
    if (request->writes) {
      const Knowledge write = world->writes + 1;
      node |= write;
      world->writes |= write;
    }
    request->token = TokenOf(node);
  }

  void Deliver(World* world, Request* request) {
    world->jar.Deliver(
        scheme_.answer(request->cookie_header, request->node, request->token));
    world->delivered |= KnowledgeOf(request->token);
    Knowledge held = 0;
    for (const std::string& token : scheme_.parse(world->jar.Header())) {
      held |= KnowledgeOf(token);
    }
    outcome_.losses += (world->delivered & ~held) != 0 ? 1 : 0;
    outcome_.cookies_max = std::max(outcome_.cookies_max, world->jar.size());
  }

  const Scheme scheme_;
  Outcome outcome_;
};

TEST(CookiesInterleavingTest, TwoAnswersInFlightLoseNothing) {
  const Outcome outcome = Explorer(OneNamePerToken()).Run(2);
  EXPECT_EQ(outcome.runs, 8 * 20) << "6! / (3! 3!) orders of 8 pairs of calls";
  EXPECT_EQ(outcome.losses, 0);
  EXPECT_EQ(outcome.leftovers, 0);
  EXPECT_LE(outcome.cookies_max, 1u + 2u)
      << "the id, and no more tokens than answers in flight";
}

TEST(CookiesInterleavingTest, ThreeAnswersInFlightLoseNothing) {
  const Outcome outcome = Explorer(OneNamePerToken()).Run(3);
  EXPECT_EQ(outcome.runs, 32 * 1680)
      << "9! / (3! 3! 3!) orders of 32 triples of calls";
  EXPECT_EQ(outcome.losses, 0);
  EXPECT_EQ(outcome.leftovers, 0);
  EXPECT_LE(outcome.cookies_max, 1u + 3u);
}

// Why the names are not those of the nodes: the explorer finds what each such
// design loses, which also shows that the explorer can see a loss.
TEST(CookiesInterleavingTest, OneNamePerNodeWouldLoseTokens) {
  EXPECT_GT(Explorer(OneNamePerNode(/*expire_others=*/false)).Run(2).losses, 0)
      << "two answers of one node that arrive swapped";
  EXPECT_GT(Explorer(OneNamePerNode(/*expire_others=*/true)).Run(2).losses, 0)
      << "an expiry that meets a newer token of the same name";
}

}  // namespace
}  // namespace sessionmesh::client
