#ifndef DEPLOY_DEMO_ENDPOINTS_H_
#define DEPLOY_DEMO_ENDPOINTS_H_

#include "deploy/demo/health.h"
#include "deploy/demo/visit.h"
#include "httplib.h"

namespace sessionmesh::demo {

// Adds the endpoints for scripts and for comparisons with other session stores.
// All are GET and answer in plain text; errors as in problem.h, "WORD
// sentence".
//
//   /new?attrs=N&bytes=B   begins a session with N attributes of B bytes: "OK"
//   /write?k=&v=[&ms=]     reads the session, thinks for ms, sets attribute k:
//                          "OK"; 404 "NONE" without a session
//   /read?k=               "V value"; "NULL" when the session has no such
//                          attribute; 404 "NONE" without a session
//   /logout                ends the session, if there is one: "OK"
//   /ping                  "OK" while the node beside this server can serve,
//                          else 503
//
// `store` is copied; what it points to, and `health`, must outlive the server.
void AddEndpoints(const Store& store, NodeHealth* health,
                  httplib::Server* server);

// Writes an error as plain text.
void AnswerProblem(const absl::Status& status, httplib::Response* response);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_ENDPOINTS_H_
