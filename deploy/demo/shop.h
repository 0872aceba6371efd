#ifndef DEPLOY_DEMO_SHOP_H_
#define DEPLOY_DEMO_SHOP_H_

#include <string>

#include "deploy/demo/visit.h"
#include "httplib.h"

namespace sessionmesh::demo {

// Adds the shop that a person can click through (pages.h). Every POST answers
// 303 to "/", which the load balancer may send to any other server.
//
//   GET  /                    the page
//   GET  /cart                for scripts: a line "quantity item" for each
//                             thing, or 404 "NONE"
//   POST /login        user=  logs in. A session with a cart is kept and gets a
//                             new id, so that an id planted before the log in
//                             is worth nothing (session fixation)
//   POST /cart/add     item=  one more of it; begins a session if there is none
//   POST /cart/remove  item=
//   POST /logout
//
// `store` is copied; what it points to must outlive the server.
void AddShop(const Store& store, const std::string& server_name,
             httplib::Server* server);

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_SHOP_H_
