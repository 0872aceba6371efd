#include "tests/membership/lone_swim.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace sessionmesh::membership {
namespace {

Instant Start() {
  return Instant{absl::UnixEpoch() + absl::Hours(1),
                 absl::FromUnixSeconds(1700000000)};
}

Update MakeUpdate(const NodeName& name, Generation generation,
                  Incarnation incarnation, State state,
                  const NodeName& accuser) {
  return Update{name, AddressOf(name), Claim{generation, incarnation, state},
                accuser};
}

}  // namespace

LoneSwim::LoneSwim(const Config& config, Generation generation)
    : now(Start()),
      swim(config, membership::Self{"me", AddressOf("me"), generation}, 1,
           now) {}

void LoneSwim::Step(const Message& message) {
  effects.clear();
  swim.Step(message, now, &effects);
  Collect();
}

void LoneSwim::Advance(absl::Duration duration) {
  Effects all;
  const Instant end{now.steady + duration, now.wall + duration};
  while (now.steady < end.steady) {
    const absl::Duration step =
        std::clamp(swim.NextDeadline() - now.steady, absl::ZeroDuration(),
                   end.steady - now.steady);
    now.steady += step;
    now.wall += step;
    effects.clear();
    swim.Tick(now, &effects);
    Collect();
    all.sends.insert(all.sends.end(), effects.sends.begin(),
                     effects.sends.end());
    all.exchanges.insert(all.exchanges.end(), effects.exchanges.begin(),
                         effects.exchanges.end());
    all.events.insert(all.events.end(), effects.events.begin(),
                      effects.events.end());
    all.want_seeds |= effects.want_seeds;
    CHECK_GT(swim.NextDeadline(), now.steady) << "a tick leaves something due";
  }
  effects = all;
}

void LoneSwim::Live(absl::Duration duration) {
  const absl::Time end = now.steady + duration;
  Effects all;
  while (now.steady < end) {
    Advance(std::min(
        end - now.steady,
        std::max(swim.NextDeadline() - now.steady, absl::Nanoseconds(1))));
    all.sends.insert(all.sends.end(), effects.sends.begin(),
                     effects.sends.end());
    all.exchanges.insert(all.exchanges.end(), effects.exchanges.begin(),
                         effects.exchanges.end());
    all.want_seeds |= effects.want_seeds;
    for (const auto& [to, ping] : Sent<Ping>()) {
      const Claim claim = Find(ping.target)->claim;
      Hear(ping.target, Ack{ping.sequence, ping.target, claim.generation}, {},
           claim.generation, claim.incarnation);
    }
  }
  effects = all;
}

void LoneSwim::Join(std::vector<Address> seeds) {
  effects.clear();
  swim.Join(std::move(seeds), now, &effects);
  Collect();
}

void LoneSwim::Leave() {
  effects.clear();
  swim.Leave(now, &effects);
  Collect();
}

void LoneSwim::Hear(const NodeName& name, DatagramBody body,
                    std::vector<Update> updates, Generation generation,
                    Incarnation incarnation) {
  Datagram datagram;
  datagram.from = Sender{name, AddressOf(name), generation, incarnation};
  datagram.body = std::move(body);
  datagram.updates = std::move(updates);
  Step(DatagramReceived{datagram});
}

void LoneSwim::HearOf(const Update& update) {
  Hear("told", Gossip(), {update});
}

void LoneSwim::Call(const NodeName& name, RequestBody body,
                    Generation generation, Incarnation incarnation) {
  Step(RequestReceived{
      77, Request{Sender{name, AddressOf(name), generation, incarnation},
                  std::move(body)}});
}

void LoneSwim::Reply(OpId op, const NodeName& name, ReplyBody body,
                     Generation generation, Incarnation incarnation) {
  const Sender from{name, AddressOf(name), generation, incarnation};
  Step(ReplyReceived{op, membership::Reply{from, std::move(body)}});
}

State LoneSwim::StateOf(const NodeName& name) {
  const Member* member = Find(name);
  CHECK(member != nullptr) << name << " is not known";
  return member->claim.state;
}

std::vector<Update> LoneSwim::SentAbout(const NodeName& name) const {
  std::vector<Update> found;
  for (const Send& send : effects.sends) {
    for (const Update& update : send.datagram.updates) {
      if (update.name == name) found.push_back(update);
    }
  }
  return found;
}

std::vector<Event> LoneSwim::EventsOf(EventKind kind) const {
  std::vector<Event> found;
  std::copy_if(events.begin(), events.end(), std::back_inserter(found),
               [kind](const Event& event) { return event.kind == kind; });
  return found;
}

void LoneSwim::Collect() {
  events.insert(events.end(), effects.events.begin(), effects.events.end());
}

Address AddressOf(const NodeName& name) { return absl::StrCat(name, ":7401"); }

Update Alive(const NodeName& name, Generation generation,
             Incarnation incarnation) {
  return MakeUpdate(name, generation, incarnation, State::kAlive, "");
}

Update Suspected(const NodeName& name, Generation generation,
                 Incarnation incarnation, const NodeName& accuser) {
  return MakeUpdate(name, generation, incarnation, State::kSuspect, accuser);
}

Update Dead(const NodeName& name, Generation generation,
            Incarnation incarnation, const NodeName& accuser) {
  return MakeUpdate(name, generation, incarnation, State::kDead, accuser);
}

Update Left(const NodeName& name, Generation generation,
            Incarnation incarnation) {
  return MakeUpdate(name, generation, incarnation, State::kLeft, "");
}

}  // namespace sessionmesh::membership
