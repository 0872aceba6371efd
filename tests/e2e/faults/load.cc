#include "tests/e2e/faults/load.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace sessionmesh::e2e {
namespace {

constexpr size_t kSeatsMax = 8;
constexpr size_t kEndedMax = 20;
constexpr int kReadsOfEnded = 6;
// After so many tokens a read that merges them all comes first.
constexpr size_t kTokensPlenty = 5;
constexpr size_t kTokensMax = 8;  // that a node takes
constexpr int kGivenMax = 3;
constexpr int kThinkMsMax = 40;
constexpr char kBoth[] = "both";

google::protobuf::Duration ProtoDuration(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::ToInt64Seconds(duration));
  return proto;
}

}  // namespace

void Inbox::Put(Seat seat) {
  const std::lock_guard<std::mutex> lock(mutex_);
  seats_.push_back(std::move(seat));
}

std::vector<Seat> Inbox::TakeAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(seats_, {});
}

LoadClient::LoadClient(int number, const std::vector<Door>& doors,
                       uint32_t seed, History* history, SessionBook* book,
                       std::vector<Inbox>* inboxes)
    : number_(number),
      caller_(number, doors, seed, history),
      book_(book),
      inboxes_(inboxes) {}

void LoadClient::Run(const std::atomic<bool>* stop) {
  while (!*stop) {
    Step();
    absl::SleepFor(absl::Milliseconds(caller_.Roll(0, kThinkMsMax)));
  }
  while (!seats_.empty()) Drop(seats_.size() - 1);
}

void LoadClient::Step() {
  for (Seat& seat : (*inboxes_)[static_cast<size_t>(number_)].TakeAll()) {
    Take(std::move(seat));
  }
  for (size_t i = 0; i < seats_.size(); ++i) {
    if (SteadyNow() < seats_[i].touch_at) continue;
    if (!Touch(&seats_[i])) Drop(i);
    return;
  }
  if (!ended_.empty() && caller_.Roll(1, 100) <= 6) return ReadEnded();
  if (seats_.size() < kSeatsMax && caller_.Roll(1, 4) == 1) return Create();
  if (seats_.empty()) return Create();
  Use(static_cast<size_t>(
      caller_.Roll(0, static_cast<int>(seats_.size()) - 1)));
}

void LoadClient::Take(Seat seat) {
  for (Seat& have : seats_) {
    if (have.session != seat.session) continue;
    have.tokens.insert(have.tokens.end(), seat.tokens.begin(),
                       seat.tokens.end());
    if (have.tokens.size() > kTokensMax) have.tokens.resize(kTokensMax);
    return;
  }
  seat.uses_max = caller_.Roll(20, 120);
  seats_.push_back(std::move(seat));
}

void LoadClient::Use(size_t index) {
  Seat* const seat = &seats_[index];
  if (seat->session->closed()) return Drop(index);
  if (++seat->uses > seat->uses_max) {
    // Some end by logout; the others are left alone and audited.
    if (seat->owner && caller_.Roll(1, 3) == 1) {
      Delete(seat);
    }
    return Drop(index);
  }
  const SharedSession::Id id = seat->session->CurrentId();
  if (id.number > seat->id.number) {
    seat->id = id;
    seat->tokens.push_back(id.token);
  }
  const int roll = caller_.Roll(1, 100);
  bool go_on = true;
  if (seat->tokens.size() >= kTokensPlenty || roll <= 45) {
    go_on = Get(seat);
  } else if (roll <= 88) {
    go_on = Update(seat);
  } else if (roll <= 93) {
    go_on = Touch(seat);
  } else if (roll <= 95) {
    go_on = !seat->owner || Rotate(seat);
  } else {
    go_on = HandOver(seat);
  }
  if (!go_on) Drop(index);
}

Caller::About LoadClient::AboutOf(const Seat& seat) const {
  return {.session = seat.session->number(), .id_number = seat.id.number};
}

v1::Durability LoadClient::SomeDurability() {
  const int roll = caller_.Roll(1, 100);
  if (roll <= 70) return v1::DURABILITY_ONE;
  if (roll <= 78) return v1::DURABILITY_LOCAL;
  if (roll <= 92) return v1::DURABILITY_QUORUM;
  return v1::DURABILITY_ALL;
}

void LoadClient::PlanTouch(absl::Time accessed, Seat* seat) {
  const absl::Duration idle = seat->session->idle();
  if (idle == absl::ZeroDuration()) return;
  seat->touch_at = accessed + idle * caller_.Roll(25, 75) / 100;
}

bool LoadClient::Learn(const Answer& answer, bool local, absl::Time invoked,
                       Seat* seat) {
  if (answer.record.ok()) {
    if (!local) seat->tokens.clear();
    if (std::find(seat->tokens.begin(), seat->tokens.end(), answer.token) ==
        seat->tokens.end()) {
      seat->tokens.push_back(answer.token);
    }
    if (!answer.record.peek) PlanTouch(invoked, seat);
    return true;
  }
  if (answer.record.DataLoss()) seat->tokens.clear();
  // Who was told nothing tries again later.
  return !answer.record.final();
}

void LoadClient::Drop(size_t index) {
  Seat& seat = seats_[index];
  seat.session->Leave(seat.tokens);
  seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(index));
}

void LoadClient::Create() {
  v1::CreateRequest request;
  request.set_request_id(caller_.NewRequestId());
  request.set_durability(SomeDurability());
  absl::Duration idle;
  if (caller_.Roll(1, 8) == 1) {
    idle = absl::Seconds(caller_.Roll(20, 30));
    *request.mutable_idle_timeout() = ProtoDuration(idle);
  }
  const int number = book_->NewNumber();
  const absl::Time invoked = SteadyNow();
  const Answer answer =
      caller_.Create(request, {.session = number, .idle = idle});
  if (!answer.record.ok()) return;
  Seat seat;
  seat.session =
      std::make_shared<SharedSession>(number, answer.session.id(), idle);
  seat.owner = true;
  seat.id = seat.session->CurrentId();
  seat.tokens = {answer.token};
  seat.uses_max = caller_.Roll(20, 120);
  PlanTouch(invoked, &seat);
  book_->Add(seat.session);
  seats_.push_back(std::move(seat));
}

bool LoadClient::Get(Seat* seat) {
  v1::GetRequest request;
  request.set_id(seat->id.id);
  request.mutable_tokens()->Assign(seat->tokens.begin(), seat->tokens.end());
  const int roll = caller_.Roll(1, 100);
  request.set_consistency(seat->tokens.size() >= kTokensPlenty || roll <= 60
                              ? v1::CONSISTENCY_SESSION
                          : roll <= 75 ? v1::CONSISTENCY_LOCAL
                                       : v1::CONSISTENCY_QUORUM);
  request.set_peek(caller_.Roll(1, 3) == 1);
  const bool local = request.consistency() == v1::CONSISTENCY_LOCAL;
  const absl::Time invoked = SteadyNow();
  const Answer answer = caller_.Get(request, AboutOf(*seat));
  // A node that is behind may not know the session yet.
  if (local && answer.record.NotFound()) return true;
  return Learn(answer, local, invoked, seat);
}

bool LoadClient::Update(Seat* seat) {
  const bool shared = !seat->owner || caller_.Roll(1, 4) == 1;
  Value value{.attribute = absl::StrCat("own", number_), .writer = number_};
  if (shared && caller_.Roll(1, 2) == 1) value.attribute = kBoth;
  value.count = ++counts_[{seat->session->number(), value.attribute}];
  v1::UpdateRequest request;
  request.set_id(seat->id.id);
  request.mutable_tokens()->Assign(seat->tokens.begin(), seat->tokens.end());
  (*request.mutable_set())[value.attribute] = TextOf(value);
  request.set_durability(SomeDurability());
  request.set_request_id(caller_.NewRequestId());
  Caller::About about = AboutOf(*seat);
  about.wrote = {value};
  const absl::Time invoked = SteadyNow();
  return Learn(caller_.Update(request, about), /*local=*/false, invoked, seat);
}

bool LoadClient::Touch(Seat* seat) {
  // Until it is answered; a failure plans the next one soon.
  if (seat->touch_at != absl::InfiniteFuture()) {
    seat->touch_at = SteadyNow() + absl::Seconds(1);
  }
  if (seat->session->closed()) return false;
  v1::TouchRequest request;
  request.set_id(seat->id.id);
  request.mutable_tokens()->Assign(seat->tokens.begin(), seat->tokens.end());
  const absl::Time invoked = SteadyNow();
  return Learn(caller_.Touch(request, AboutOf(*seat)), /*local=*/false, invoked,
               seat);
}

bool LoadClient::Rotate(Seat* seat) {
  v1::RotateRequest request;
  request.set_id(seat->id.id);
  request.mutable_tokens()->Assign(seat->tokens.begin(), seat->tokens.end());
  request.set_durability(SomeDurability());
  request.set_request_id(caller_.NewRequestId());
  const absl::Time invoked = SteadyNow();
  const Answer answer = caller_.Rotate(request, AboutOf(*seat));
  if (!answer.record.ok()) {
    // It may live under an id that nobody was told.
    if (answer.in_doubt) seat->session->Close();
    return !answer.in_doubt && !answer.record.final();
  }
  // Two rotations of which the second does not know the first, which may yet
  // be under way, revoke the session. So this was its last one.
  if (answer.in_doubt) seat->owner = false;
  seat->session->Rotated(answer.session.id(), answer.token);
  seat->id = seat->session->CurrentId();
  return Learn(answer, /*local=*/false, invoked, seat);
}

bool LoadClient::HandOver(Seat* seat) {
  if (!seat->owner || seat->given >= kGivenMax || inboxes_->size() < 2) {
    return true;
  }
  ++seat->given;
  const int other =
      (number_ + caller_.Roll(1, static_cast<int>(inboxes_->size()) - 1)) %
      static_cast<int>(inboxes_->size());
  Seat given;
  given.session = seat->session;
  given.id = seat->id;
  given.tokens = seat->tokens;
  (*inboxes_)[static_cast<size_t>(other)].Put(std::move(given));
  return true;
}

void LoadClient::Delete(Seat* seat) {
  v1::DeleteRequest request;
  request.set_id(seat->id.id);
  request.mutable_tokens()->Assign(seat->tokens.begin(), seat->tokens.end());
  if (caller_.Roll(1, 2) == 1) request.set_durability(SomeDurability());
  request.set_request_id(caller_.NewRequestId());
  const Answer answer = caller_.Delete(request, AboutOf(*seat));
  if (!answer.record.ok()) return;
  seat->session->Close();
  seat->tokens = {answer.token};
  if (ended_.size() >= kEndedMax) ended_.erase(ended_.begin());
  ended_.push_back({.session = seat->session->number(),
                    .id = seat->id.id,
                    .id_number = seat->id.number,
                    .token = answer.token});
}

void LoadClient::ReadEnded() {
  const size_t index =
      static_cast<size_t>(caller_.Roll(0, static_cast<int>(ended_.size()) - 1));
  Ended& ended = ended_[index];
  v1::GetRequest request;
  request.set_id(ended.id);
  request.add_tokens(ended.token);
  request.set_consistency(caller_.Roll(1, 4) == 1 ? v1::CONSISTENCY_QUORUM
                                                  : v1::CONSISTENCY_SESSION);
  caller_.Get(request,
              {.session = ended.session, .id_number = ended.id_number});
  if (++ended.reads >= kReadsOfEnded) {
    ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

Load::Load(int clients, const std::vector<Door>& doors, uint32_t seed,
           History* history, SessionBook* book)
    : inboxes_(static_cast<size_t>(clients)) {
  Caller::Resume();
  for (int i = 0; i < clients; ++i) {
    clients_.push_back(std::make_unique<LoadClient>(
        i, doors, seed + static_cast<uint32_t>(i), history, book, &inboxes_));
  }
  for (const auto& client : clients_) {
    threads_.emplace_back([this, c = client.get()] { c->Run(&stop_); });
  }
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stop_ = true;
  Caller::GiveUp();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  Caller::Resume();
}

}  // namespace sessionmesh::e2e
