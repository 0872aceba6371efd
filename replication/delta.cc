#include "replication/delta.h"

namespace sessionmesh::replication {

size_t Delta::ByteSize() const {
  size_t bytes =
      sizeof(Delta) +
      (births.size() + deps.size() + inner_heads.size()) * sizeof(Dot);
  for (const Op& op : ops) {
    bytes += sizeof(Op) + op.name.size() + op.value.size() +
             op.superseded.size() * sizeof(Dot);
  }
  return bytes;
}

}  // namespace sessionmesh::replication
