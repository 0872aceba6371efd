#include "tests/bench/cases.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "client/error.h"
#include "client/pipeline.h"
#include "client/watch.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "proto/cluster.grpc.pb.h"
#include "proto/session.grpc.pb.h"
#include "tests/bench/closed_loop.h"

namespace sessionmesh::bench {
namespace {

using Stub = v1::SessionService::Stub;

constexpr absl::Duration kCallTimeout = absl::Seconds(10);

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

std::chrono::system_clock::time_point Deadline() {
  return absl::ToChronoTime(absl::Now() + kCallTimeout);
}

// A session of `attributes` attributes of `bytes` bytes each.
v1::CreateRequest NewSession(int attributes, size_t bytes) {
  v1::CreateRequest request;
  for (int i = 0; i < attributes; ++i) {
    (*request.mutable_attributes())[absl::StrCat("attr", i)] =
        std::string(bytes, static_cast<char>('a' + i % 26));
  }
  return request;
}

absl::StatusOr<v1::CreateResponse> Create(Stub* stub,
                                          const v1::CreateRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(Deadline());
  v1::CreateResponse response;
  const grpc::Status status = stub->Create(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::Status AddLoop(absl::string_view name, Loop loop,
                     std::vector<Row>* rows) {
  if (loop.failed > 0) {
    return absl::InternalError(
        absl::StrCat(name, ": ", loop.failed, " calls failed"));
  }
  rows->push_back({std::string(name), "p50_us",
                   Percentile(&loop.latencies_us, 0.50), "us"});
  rows->push_back({std::string(name), "p99_us",
                   Percentile(&loop.latencies_us, 0.99), "us"});
  rows->push_back({std::string(name), "per_s", loop.per_second, "1/s"});
  return absl::OkStatus();
}

// What the reads are about: sessions of 8 attributes of 64 bytes.
struct Known {
  std::string id;
  std::string token;
};

constexpr int kAttributes = 8;

absl::StatusOr<std::vector<Known>> CreateSessions(Stub* stub) {
  std::vector<Known> sessions;
  for (int i = 0; i < 100; ++i) {
    const auto created = Create(stub, NewSession(kAttributes, 64));
    if (!created.ok()) return created.status();
    sessions.push_back({created->session().id(), created->info().token()});
  }
  return sessions;
}

struct GetCall {
  grpc::ClientContext context;
  v1::GetRequest request;
  v1::GetResponse response;
};

void Fill(const Known& session, GetCall* call) {
  call->context.set_deadline(Deadline());
  call->request.set_id(session.id);
  call->request.add_tokens(session.token);
}

bool IsWhole(const grpc::Status& status, const GetCall& call) {
  return status.ok() &&
         call.response.session().attributes_size() == kAttributes;
}

}  // namespace

absl::Status MeasureEmptyCalls(const Ground& ground, std::vector<Row>* rows) {
  grpc::GenericStub stub(ground.first);
  Loop loop = RunOneByOne(ground.smoke ? 5000 : 40000, [&](size_t) {
    grpc::ClientContext context;
    context.set_deadline(Deadline());
    grpc::CompletionQueue queue;
    const auto call =
        stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                              grpc::ByteBuffer(nullptr, 0), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok && status.ok();
  });
  return AddLoop("empty_call_1", std::move(loop), rows);
}

absl::Status MeasureGet(const Ground& ground,
                        const std::shared_ptr<grpc::Channel>& node,
                        absl::string_view name, std::vector<Row>* rows) {
  const auto stub = v1::SessionService::NewStub(node);
  const auto sessions = CreateSessions(stub.get());
  if (!sessions.ok()) return sessions.status();
  Loop loop = RunOneByOne(ground.smoke ? 5000 : 40000, [&](size_t n) {
    GetCall call;
    Fill((*sessions)[n % sessions->size()], &call);
    const grpc::Status status =
        stub->Get(&call.context, call.request, &call.response);
    return IsWhole(status, call);
  });
  return AddLoop(name, std::move(loop), rows);
}

absl::Status MeasureGets(const Ground& ground,
                         const std::shared_ptr<grpc::Channel>& node,
                         absl::string_view name, size_t in_flight,
                         std::vector<Row>* rows) {
  const auto stub = v1::SessionService::NewStub(node);
  const auto sessions = CreateSessions(stub.get());
  if (!sessions.ok()) return sessions.status();
  Loop loop = RunClosedLoop(
      ground.smoke ? 20000 : 160000, in_flight,
      [&](size_t n, std::function<void(bool)> done) {
        auto call = std::make_shared<GetCall>();
        Fill((*sessions)[n % sessions->size()], call.get());
        stub->async()->Get(
            &call->context, &call->request, &call->response,
            [call, done = std::move(done)](const grpc::Status& status) {
              done(IsWhole(status, *call));
            });
      });
  return AddLoop(name, std::move(loop), rows);
}

absl::Status MeasureSets(const Ground& ground, std::vector<Row>* rows) {
  const auto stub = v1::SessionService::NewStub(ground.first);
  const auto created = Create(stub.get(), NewSession(kAttributes, 64));
  if (!created.ok()) return created.status();
  Loop loop = RunOneByOne(ground.smoke ? 2000 : 20000, [&](size_t n) {
    grpc::ClientContext context;
    context.set_deadline(Deadline());
    v1::UpdateRequest request;
    request.set_id(created->session().id());
    request.set_durability(v1::DURABILITY_ONE);
    (*request.mutable_set())["attr0"] = absl::StrCat(n);
    v1::UpdateResponse response;
    const grpc::Status status = stub->Update(&context, request, &response);
    return status.ok() && response.info().replicas() >= 2;
  });
  return AddLoop("set_one_1", std::move(loop), rows);
}

absl::Status MeasurePipeline(const Ground& ground, std::vector<Row>* rows) {
  const auto stub = v1::SessionService::NewStub(ground.first);
  const auto created = Create(stub.get(), NewSession(8, 64));
  if (!created.ok()) return created.status();
  client::Pipeline pipeline(ground.first, {});
  Loop loop =
      RunClosedLoop(ground.smoke ? 20000 : 200000, 128,
                    [&](size_t, std::function<void(bool)> done) {
                      v1::PipelineRequest request;
                      request.mutable_get()->set_id(created->session().id());
                      const absl::Status accepted = pipeline.TryCall(
                          std::move(request),
                          [done](absl::StatusOr<v1::PipelineResponse> reply) {
                            done(reply.ok() && reply->has_get());
                          });
                      if (!accepted.ok()) done(false);
                    });
  return AddLoop("pipeline", std::move(loop), rows);
}

absl::Status MeasureVisibility(const Ground& ground, std::vector<Row>* rows) {
  const auto writer = v1::SessionService::NewStub(ground.first);
  const auto reader = v1::SessionService::NewStub(ground.second);
  v1::CreateRequest request = NewSession(8, 64);
  request.set_durability(v1::DURABILITY_ALL);
  const auto created = Create(writer.get(), request);
  if (!created.ok()) return created.status();

  grpc::ClientContext watch_context;
  v1::WatchRequest watch;
  watch.set_id(created->session().id());
  const auto stream = reader->Watch(&watch_context, watch);
  v1::WatchResponse seen;
  if (!stream->Read(&seen)) return FromGrpc(stream->Finish());

  std::vector<double> milliseconds;
  const int changes = ground.smoke ? 500 : 3000;
  for (int i = 0; i < changes; ++i) {
    const std::string value = absl::StrCat("change ", i);
    v1::UpdateRequest update;
    update.set_id(created->session().id());
    update.set_durability(v1::DURABILITY_LOCAL);
    (*update.mutable_set())["attr0"] = value;
    v1::UpdateResponse updated;
    grpc::ClientContext context;
    context.set_deadline(Deadline());
    const absl::Time begun = absl::Now();
    const grpc::Status status = writer->Update(&context, update, &updated);
    if (!status.ok()) return FromGrpc(status);
    do {
      if (!stream->Read(&seen)) return FromGrpc(stream->Finish());
    } while (seen.session().attributes().at("attr0") != value);
    milliseconds.push_back(absl::ToDoubleMilliseconds(absl::Now() - begun));
  }
  watch_context.TryCancel();
  (void)stream->Finish();
  rows->push_back(
      {"visibility", "p50_ms", Percentile(&milliseconds, 0.50), "ms"});
  rows->push_back(
      {"visibility", "p99_ms", Percentile(&milliseconds, 0.99), "ms"});
  return absl::OkStatus();
}

absl::Status MeasureWire(const Ground& ground, std::vector<Row>* rows) {
  constexpr int kPerSecond = 1000;
  const auto stub = v1::SessionService::NewStub(ground.first);
  const auto created = Create(stub.get(), NewSession(128, 32));  // 4 KiB
  if (!created.ok()) return created.status();
  client::Pipeline pipeline(ground.first, {});
  const int updates = kPerSecond * (ground.smoke ? 2 : 10);
  std::atomic<int> failed{0};

  const absl::StatusOr<uint64_t> before = ground.peer_bytes();
  if (!before.ok()) return before.status();
  const absl::Time begun = absl::Now();
  for (int i = 0; i < updates; ++i) {
    // The rate is part of what is measured: faster, and changes share frames.
    std::this_thread::sleep_until(
        absl::ToChronoTime(begun + absl::Seconds(1) * i / kPerSecond));
    v1::PipelineRequest request;
    v1::UpdateRequest* update = request.mutable_update();
    update->set_id(created->session().id());
    (*update->mutable_set())[absl::StrCat("attr", i % 128)] =
        std::string(32, static_cast<char>('A' + i % 26));
    const absl::Status accepted = pipeline.Call(
        std::move(request), [&](absl::StatusOr<v1::PipelineResponse> reply) {
          if (!reply.ok() || !reply->has_update()) ++failed;
        });
    if (!accepted.ok()) return accepted;
  }
  pipeline.Flush();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begun);
  const absl::StatusOr<uint64_t> after = ground.peer_bytes();
  if (!after.ok()) return after.status();
  if (failed > 0) {
    return absl::InternalError(
        absl::StrCat("wire: ", failed.load(), " updates failed"));
  }
  rows->push_back({"wire", "bytes_per_update",
                   static_cast<double>(*after - *before) / updates, "B"});
  rows->push_back({"wire", "per_s", updates / seconds, "1/s"});
  return absl::OkStatus();
}

namespace {

absl::StatusOr<uint64_t> ResidentBytes(v1::ClusterService::Stub* stub) {
  grpc::ClientContext context;
  context.set_deadline(Deadline());
  v1::NodeStatusResponse status;
  const grpc::Status result = stub->NodeStatus(&context, {}, &status);
  if (!result.ok()) return FromGrpc(result);
  return status.resident_bytes();
}

}  // namespace

absl::Status MeasureMemory(const Ground& ground, std::vector<Row>* rows) {
  const auto cluster = v1::ClusterService::NewStub(ground.second);
  const absl::StatusOr<uint64_t> before = ResidentBytes(cluster.get());
  if (!before.ok()) return before.status();
  const size_t sessions = 100000;
  client::Pipeline pipeline(ground.first, {});
  std::atomic<size_t> failed{0};
  for (size_t i = 0; i < sessions; ++i) {
    v1::PipelineRequest request;
    *request.mutable_create() = NewSession(8, 64);
    const absl::Status accepted = pipeline.Call(
        std::move(request), [&](absl::StatusOr<v1::PipelineResponse> reply) {
          if (!reply.ok() || !reply->has_create()) ++failed;
        });
    if (!accepted.ok()) return accepted;
  }
  pipeline.Flush();
  if (failed > 0) {
    return absl::InternalError(
        absl::StrCat("memory: ", failed.load(), " sessions were not made"));
  }
  const absl::StatusOr<uint64_t> after = ResidentBytes(cluster.get());
  if (!after.ok()) return after.status();
  rows->push_back(
      {"memory_8x64", "bytes_per_session",
       static_cast<double>(*after - *before) / static_cast<double>(sessions),
       "B"});
  rows->push_back(
      {"memory_8x64", "sessions", static_cast<double>(sessions), ""});
  return absl::OkStatus();
}

}  // namespace sessionmesh::bench
