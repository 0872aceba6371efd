#include "node/membership_loop.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "node/node_events.h"
#include "node/socket_address.h"
#include "proto/wire_gossip.h"

namespace sessionmesh::node {
namespace {

using membership::EventKind;

// Notes that may wait; peers' calls beyond it are refused.
constexpr size_t kInboxMax = 1024;
// Datagrams taken in one go, so that timers run on time under a flood.
constexpr int kDatagramsPerRound = 512;
constexpr absl::Duration kBadDatagramReportInterval = absl::Minutes(1);
constexpr size_t kBadDatagramSourcesMax = 64;

membership::ExchangeError ErrorOf(const absl::Status& status) {
  return absl::IsFailedPrecondition(status)
             ? membership::ExchangeError::kOtherCluster
             : membership::ExchangeError::kUnreachable;
}

// gRPC's text of a failed connection names the address, and so does what the
// text becomes a part of. Keeps what comes after it.
std::string WithoutAddress(absl::string_view message,
                           const membership::Address& address) {
  const std::string prefix = absl::StrCat(address, ": ");
  const size_t found = message.rfind(prefix);
  if (found != absl::string_view::npos) {
    message.remove_prefix(found + prefix.size());
  }
  return std::string(message);
}

}  // namespace

MembershipLoop::MembershipLoop(Settings settings, Surroundings surroundings)
    : settings_(std::move(settings)),
      surroundings_(surroundings),
      inbox_(std::make_shared<NoteInbox>(kInboxMax)),
      swim_(settings_.config, settings_.self, settings_.seed,
            surroundings_.clock->Now()),
      seeds_(settings_.seeds),
      bad_datagrams_(kBadDatagramReportInterval, kBadDatagramSourcesMax) {}

MembershipLoop::~MembershipLoop() { Stop(); }

void MembershipLoop::Start() {
  resolver_ = std::make_unique<SeedResolver>(
      [this](const ResolvedSeeds& resolved) { OnResolved(resolved); });
  Publish();
  if (!seeds_.empty()) swim_.Join({}, surroundings_.clock->Now(), &effects_);
  Perform();
  thread_ = std::thread([this] { Run(); });
}

void MembershipLoop::HandleRequest(membership::Request request, Answered done) {
  Note note = PeerCall{std::move(request), std::move(done)};
  if (inbox_->Push(std::move(note))) return;
  std::get<PeerCall>(note).done(
      inbox_->closed()
          ? absl::UnavailableError("this node is stopping")
          : absl::ResourceExhaustedError(absl::StrCat(
                "more than ", kInboxMax, " calls wait for membership")));
}

bool MembershipLoop::Join(std::vector<std::string> seeds) {
  return inbox_->Push(JoinNote{std::move(seeds)});
}

std::vector<membership::Address> MembershipLoop::AddressesOf(
    const std::vector<std::string>& seeds) const {
  std::vector<membership::Address> addresses;
  MutexLock lock(&view_mutex_);
  for (const std::string& seed : seeds) {
    const auto found = resolved_.find(seed);
    if (found == resolved_.end()) continue;
    addresses.insert(addresses.end(), found->second.begin(),
                     found->second.end());
  }
  return addresses;
}

std::string MembershipLoop::WhyUnresolved(const std::string& seed) const {
  MutexLock lock(&view_mutex_);
  const auto found = unresolved_.find(seed);
  return found == unresolved_.end() ? "" : found->second;
}

void MembershipLoop::Leave() { inbox_->PushAnyway(LeaveNote{}); }

void MembershipLoop::Stop() {
  if (!thread_.joinable()) return;
  inbox_->PushAnyway(StopNote{});
  thread_.join();
  resolver_->Stop();
  // Calls that came after the end.
  std::vector<Note> notes;
  inbox_->Close(&notes);
  for (Note& note : notes) {
    if (auto* call = std::get_if<PeerCall>(&note)) {
      call->done(absl::UnavailableError("this node is stopping"));
    }
  }
}

membership::ViewPtr MembershipLoop::view() const {
  MutexLock lock(&view_mutex_);
  return view_;
}

void MembershipLoop::Run() {
  while (running_) {
    Wait();
    HandleNotes();
    HandleDatagrams();
    swim_.Tick(surroundings_.clock->Now(), &effects_);
    Perform();
  }
}

void MembershipLoop::Wait() {
  const absl::Time deadline = swim_.NextDeadline();
  timespec timeout{};
  const bool forever = deadline == absl::InfiniteFuture();
  if (!forever) {
    const absl::Duration left = deadline - surroundings_.clock->Now().steady;
    timeout = absl::ToTimespec(std::max(left, absl::ZeroDuration()));
  }
  pollfd files[] = {{surroundings_.socket->file(), POLLIN, 0},
                    {inbox_->file(), POLLIN, 0}};
  // Woken for nothing (EINTR) is harmless: the loop only looks once more.
  ppoll(files, std::size(files), forever ? nullptr : &timeout, nullptr);
}

void MembershipLoop::HandleNotes() {
  std::vector<Note> notes;
  inbox_->Drain(&notes);
  for (Note& note : notes) Handle(std::move(note));
}

void MembershipLoop::Handle(Note note) {
  const Instant now = surroundings_.clock->Now();
  if (auto* message = std::get_if<membership::Message>(&note)) {
    swim_.Step(*message, now, &effects_);
    if (std::holds_alternative<membership::SeedsResolved>(*message)) {
      surroundings_.listener->OnSeedsResolved();
    }
  } else if (auto* call = std::get_if<PeerCall>(&note)) {
    const membership::CallId id = next_call_++;
    calls_.emplace(id, std::move(call->done));
    swim_.Step(membership::RequestReceived{id, std::move(call->request)}, now,
               &effects_);
  } else if (auto* join = std::get_if<JoinNote>(&note)) {
    for (std::string& seed : join->seeds) {
      if (std::find(seeds_.begin(), seeds_.end(), seed) == seeds_.end() &&
          seeds_.size() < membership::kSeedsMax) {
        seeds_.push_back(std::move(seed));
      }
    }
    last_join_failure_.clear();  // who asks anew is told anew
    swim_.Join({}, now, &effects_);
  } else if (std::holds_alternative<LeaveNote>(note)) {
    swim_.Leave(now, &effects_);
  } else {
    running_ = false;
  }
}

void MembershipLoop::HandleDatagrams() {
  std::string bytes;
  SocketAddress from;
  for (int i = 0; i < kDatagramsPerRound; ++i) {
    if (!surroundings_.socket->Receive(&bytes, &from)) return;
    absl::StatusOr<membership::Datagram> datagram =
        wire::DecodeDatagram(bytes, settings_.cluster_hash);
    if (!datagram.ok()) {
      ReportBadDatagram(datagram.status(), from);
      continue;
    }
    swim_.Step(membership::DatagramReceived{*std::move(datagram)},
               surroundings_.clock->Now(), &effects_);
  }
}

void MembershipLoop::ReportBadDatagram(const absl::Status& status,
                                       const SocketAddress& from) {
  surroundings_.log->Count("node_datagrams_refused");
  const Instant now = surroundings_.clock->Now();
  if (!bad_datagrams_.Allow(from.ToString(), now.steady)) return;
  surroundings_.log->Append(MakeNodeEvent(
      now.wall, Severity::kWarning, "datagram_refused",
      absl::StrCat("datagram from ", from.ToString(), ": ", status.message())));
}

void MembershipLoop::Perform() {
  // Answering may reach Swim again through nothing but the inbox, so the
  // effects cannot grow meanwhile.
  membership::Effects effects = std::move(effects_);
  effects_.clear();
  for (membership::Answer& answer : effects.answers) {
    const auto call = calls_.find(answer.call);
    if (call == calls_.end()) continue;
    const Answered done = std::move(call->second);
    calls_.erase(call);
    done(std::move(answer.reply));
  }
  for (const membership::Send& send : effects.sends) {
    const absl::StatusOr<SocketAddress> to = ParseSocketAddress(send.to);
    if (!to.ok()) continue;  // like loss: a peer that advertises a name
    surroundings_.socket->Send(
        *to, wire::EncodeDatagram(send.datagram, settings_.cluster_hash));
  }
  for (const membership::Exchange& exchange : effects.exchanges) {
    surroundings_.plane->Call(
        exchange.to, exchange.request, exchange.timeout,
        [inbox = inbox_, op = exchange.op,
         to = exchange.to](absl::StatusOr<membership::Reply> reply) {
          if (reply.ok()) {
            inbox->PushAnyway(membership::Message(
                membership::ReplyReceived{op, *std::move(reply)}));
          } else {
            inbox->PushAnyway(membership::Message(membership::ExchangeFailed{
                op, ErrorOf(reply.status()),
                WithoutAddress(reply.status().message(), to)}));
          }
        });
  }
  if (effects.want_seeds) Resolve();
  // The view first, so that whoever hears an event can look it up.
  if (swim_.view_version() != published_version_) Publish();
  for (const membership::Event& event : effects.events) {
    // The same failure again and again is one event and a number.
    if (event.kind == EventKind::kJoinFailed) {
      if (event.detail == last_join_failure_) {
        surroundings_.log->Count("member_join_failed");
        continue;
      }
      last_join_failure_ = event.detail;
    } else if (event.kind == EventKind::kJoinSucceeded) {
      last_join_failure_.clear();
    }
    surroundings_.log->Append(DescribeEvent(event));
    surroundings_.listener->OnMemberEvent(event);
  }
}

void MembershipLoop::Resolve() {
  if (!seeds_.empty()) resolver_->Resolve(seeds_);
}

void MembershipLoop::OnResolved(const ResolvedSeeds& resolved) {
  const absl::Time wall = surroundings_.clock->Now().wall;
  std::map<std::string, std::string> before;
  {
    MutexLock lock(&view_mutex_);
    before = unresolved_;
  }
  std::map<std::string, std::string> unresolved;
  for (const ResolvedSeeds::Failure& failure : resolved.failures) {
    unresolved[failure.seed] = failure.why;
    const auto known = before.find(failure.seed);
    if (known != before.end() && known->second == failure.why) continue;
    surroundings_.log->Append(MakeNodeEvent(
        wall, Severity::kWarning, "seed_unresolved",
        absl::StrCat("seed ", failure.seed, " does not resolve: ", failure.why,
                     "; trying again, up to every ",
                     absl::FormatDuration(settings_.config.join_retry_max))));
  }
  for (const auto& [seed, why] : before) {
    if (unresolved.count(seed) > 0) continue;
    surroundings_.log->Append(
        MakeNodeEvent(wall, Severity::kInfo, "seed_resolved",
                      absl::StrCat("seed ", seed, " resolves now")));
  }
  {
    MutexLock lock(&view_mutex_);
    unresolved_ = std::move(unresolved);
    resolved_ = resolved.by_seed;
  }
  inbox_->PushAnyway(
      membership::Message(membership::SeedsResolved{resolved.addresses}));
}

void MembershipLoop::Publish() {
  published_version_ = swim_.view_version();
  membership::ViewPtr view = swim_.view();
  {
    MutexLock lock(&view_mutex_);
    view_ = view;
  }
  surroundings_.listener->OnView(view);
}

}  // namespace sessionmesh::node
