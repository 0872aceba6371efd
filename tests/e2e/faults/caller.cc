#include "tests/e2e/faults/caller.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "tests/e2e/cluster.h"

namespace sessionmesh::e2e {
namespace {

constexpr int kReconnectMs = 50;
constexpr int kReconnectMsMax = 500;
constexpr absl::Duration kPause = absl::Milliseconds(50);
constexpr size_t kMessageMax = 160;
// Of the calls, in 10.
constexpr int kSticky = 3;

std::string CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::OK:
      return "OK";
    case grpc::CANCELLED:
      return "CANCELLED";
    case grpc::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::ABORTED:
      return "ABORTED";
    case grpc::INTERNAL:
      return "INTERNAL";
    case grpc::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::UNKNOWN:
      return "UNKNOWN";
    default:
      return absl::StrCat("CODE_", static_cast<int>(code));
  }
}

Record::Level LevelOf(v1::Consistency consistency) {
  switch (consistency) {
    case v1::CONSISTENCY_LOCAL:
      return Record::Level::kLocal;
    case v1::CONSISTENCY_QUORUM:
      return Record::Level::kQuorum;
    default:
      return Record::Level::kSession;
  }
}

Record::Level LevelOf(v1::Durability durability, Record::Level otherwise) {
  switch (durability) {
    case v1::DURABILITY_LOCAL:
      return Record::Level::kLocal;
    case v1::DURABILITY_ONE:
      return Record::Level::kOne;
    case v1::DURABILITY_QUORUM:
      return Record::Level::kQuorum;
    case v1::DURABILITY_ALL:
      return Record::Level::kAll;
    default:
      return otherwise;
  }
}

// As client/error.h has it: a node that explains itself knows; a connection
// that was never made has carried nothing.
Record::Outcome OutcomeOf(const grpc::Status& status,
                          const v1::ErrorInfo& info) {
  if (status.ok()) return Record::Outcome::kOk;
  if (info.reason() != v1::REASON_UNSPECIFIED || info.applied()) {
    return info.applied() ? Record::Outcome::kUnknown
                          : Record::Outcome::kRefused;
  }
  if (status.error_code() == grpc::UNAVAILABLE &&
      absl::StrContains(status.error_message(), "failed to connect")) {
    return Record::Outcome::kRefused;
  }
  return Record::Outcome::kUnknown;
}

}  // namespace

std::atomic<bool> Caller::give_up_ = false;
std::atomic<bool> Caller::forget_tokens_ = false;

std::string TextOf(const Value& value) {
  return absl::StrCat(value.writer, ":", value.count);
}

std::vector<Value> ValuesOf(const v1::Session& session) {
  std::vector<Value> values;
  for (const auto& [name, text] : session.attributes()) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits(':', 1));
    Value value{.attribute = name};
    if (absl::SimpleAtoi(parts.first, &value.writer) &&
        absl::SimpleAtoi(parts.second, &value.count)) {
      values.push_back(std::move(value));
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

Caller::Caller(int client, const std::vector<Door>& doors, uint32_t seed,
               History* history)
    : client_(client), history_(history), random_(seed) {
  for (const Door& door : doors) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMsMax);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
    nodes_.push_back(
        {door.node,
         v1::SessionService::NewStub(grpc::CreateCustomChannel(
             door.address, grpc::InsecureChannelCredentials(), arguments))});
  }
}

std::string Caller::NewRequestId() {
  std::string id(16, '\0');
  for (char& c : id) c = static_cast<char>(Roll(0, 255));
  return id;
}

int Caller::NextDoor(int last) {
  const int count = static_cast<int>(nodes_.size());
  if (last < 0 && Roll(1, 10) <= kSticky) return sticky_;
  int next = Roll(0, count - 1);
  if (next == last) next = (next + 1) % count;
  sticky_ = next;
  return next;
}

template <typename Request, typename Response>
Answer Caller::Call(Record record, const About& about,
                    grpc::Status (v1::SessionService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const Request& original) {
  Request request = original;
  record.client = client_;
  record.call = static_cast<int64_t>(client_) * 1'000'000'000 + ++calls_;
  record.session = about.session;
  record.id_number = about.id_number;
  record.wrote = about.wrote;
  record.audit = about.audit;
  if constexpr (requires { request.tokens(); }) {
    for (const std::string& token : request.tokens()) {
      record.tokens.push_back(history_->TokenNumber(token));
    }
    if (forget_tokens_) request.clear_tokens();
  }
  const absl::Time until = SteadyNow() + about.patience;
  Answer answer;
  int door = about.door >= 0 ? about.door : NextDoor(-1);
  for (;; ++record.attempt) {
    const Node& node = nodes_[static_cast<size_t>(door)];
    Record one = record;
    one.asked = node.name;
    one.invoked = SteadyNow();
    grpc::ClientContext context;
    context.set_deadline(
        absl::ToChronoTime(absl::Now() + absl::Milliseconds(Roll(1000, 3000))));
    Response response;
    const grpc::Status status =
        (node.stub.get()->*method)(&context, request, &response);
    const v1::ErrorInfo error = InfoOf(status);
    one.outcome = OutcomeOf(status, error);
    one.code = CodeName(status.error_code());
    if (!status.ok()) {
      one.message = status.error_message().substr(0, kMessageMax);
      one.replicas = static_cast<int>(error.replicas());
      if (error.reason() != v1::REASON_UNSPECIFIED) {
        one.reason = std::string(
            absl::StripPrefix(v1::Reason_Name(error.reason()), "REASON_"));
      }
    } else {
      const v1::ReplyInfo& info = response.info();
      one.answered_by = info.node();
      one.degraded = info.degraded();
      one.message = info.degraded_reason().substr(0, kMessageMax);
      one.replicas = static_cast<int>(info.replicas());
      one.token = history_->TokenNumber(info.token());
      answer.token = info.token();
      if constexpr (requires { response.session(); }) {
        if (response.has_session()) {
          one.shows = true;
          one.values = ValuesOf(response.session());
          answer.session = response.session();
        }
      }
      if (one.kind == Record::Kind::kCreate) one.id = answer.session.id();
    }
    answer.record = one;
    answer.in_doubt |= one.outcome == Record::Outcome::kUnknown;
    history_->Add(std::move(one));
    if (answer.record.final() || give_up_ || SteadyNow() >= until) {
      return answer;
    }
    if (about.door < 0) door = NextDoor(door);
    absl::SleepFor(kPause);
  }
}

Answer Caller::Create(const v1::CreateRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kCreate,
               .level = LevelOf(request.durability(), Record::Level::kOne),
               .idle = about.idle},
              about, &v1::SessionService::Stub::Create, request);
}

Answer Caller::Get(const v1::GetRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kGet,
               .level = LevelOf(request.consistency()),
               .peek = request.peek(),
               .id = request.id()},
              about, &v1::SessionService::Stub::Get, request);
}

Answer Caller::Update(const v1::UpdateRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kUpdate,
               .level = LevelOf(request.durability(), Record::Level::kOne),
               .id = request.id()},
              about, &v1::SessionService::Stub::Update, request);
}

Answer Caller::Touch(const v1::TouchRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kTouch, .id = request.id()}, about,
              &v1::SessionService::Stub::Touch, request);
}

Answer Caller::Delete(const v1::DeleteRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kDelete,
               .level = LevelOf(request.durability(), Record::Level::kQuorum),
               .id = request.id()},
              about, &v1::SessionService::Stub::Delete, request);
}

Answer Caller::Rotate(const v1::RotateRequest& request, const About& about) {
  return Call({.kind = Record::Kind::kRotate,
               .level = LevelOf(request.durability(), Record::Level::kOne),
               .id = request.id()},
              about, &v1::SessionService::Stub::Rotate, request);
}

}  // namespace sessionmesh::e2e
