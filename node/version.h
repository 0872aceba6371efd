#ifndef NODE_VERSION_H_
#define NODE_VERSION_H_

namespace sessionmesh::node {

// The version of this build, from the project() line of CMakeLists.txt.
inline constexpr char kVersion[] = SESSIONMESH_VERSION;

}  // namespace sessionmesh::node

#endif  // NODE_VERSION_H_
