#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/proto/seed_bytes.h"

// Writes the seeds of the fuzzers, 64 a target. They are made afresh by each
// build, so they never lag behind the format.
//
// usage: write_corpus FOLDER

namespace {

constexpr uint64_t kSeeds = 64;

bool Write(const std::filesystem::path& folder, uint64_t seed,
           const std::string& bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder / std::to_string(seed), std::ios::binary);
  file << bytes;
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_corpus FOLDER\n";
    return 2;
  }
  namespace seeds = sessionmesh::wire::testing;
  const std::filesystem::path top = argv[1];
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    if (!Write(top / "datagram", seed, seeds::DatagramBytes(seed)) ||
        !Write(top / "peer_batch", seed, seeds::PeerBatchBytes(seed)) ||
        !Write(top / "token", seed, seeds::TokenBytes(seed)) ||
        !Write(top / "token", kSeeds + seed, seeds::TokenBodyBytes(seed))) {
      std::cerr << "write_corpus: cannot write to " << top << "\n";
      return 1;
    }
  }
  return 0;
}
