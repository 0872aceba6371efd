#ifndef TESTS_MEMBERSHIP_LONE_SWIM_H_
#define TESTS_MEMBERSHIP_LONE_SWIM_H_

#include <string>
#include <vector>

#include "membership/config.h"
#include "membership/effects.h"
#include "membership/swim.h"

namespace sessionmesh::membership {

// One Swim under test, named "me", whose peers exist only as messages. Time
// moves when told to. Effects of the last call are in `effects`, all events so
// far in `events`.
class LoneSwim {
 public:
  explicit LoneSwim(const Config& config = Config::Lan(),
                    Generation generation = 5);

  void Step(const Message& message);
  // Ticks at every deadline on the way, and at the end. `effects` then has
  // those of the whole way.
  void Advance(absl::Duration duration);
  // The same, while every ping is answered by its target.
  void Live(absl::Duration duration);
  void Join(std::vector<Address> seeds);
  void Leave();

  // A datagram from a peer with address AddressOf(name).
  void Hear(const NodeName& name, DatagramBody body,
            std::vector<Update> updates = {}, Generation generation = 1,
            Incarnation incarnation = 0);
  // Gossip without content: makes `name` a member.
  void Meet(const NodeName& name, Generation generation = 1) {
    Hear(name, Gossip(), {}, generation);
  }
  // A member "told" passes on one claim.
  void HearOf(const Update& update);
  void Call(const NodeName& name, RequestBody body, Generation generation = 1,
            Incarnation incarnation = 0);
  void Reply(OpId op, const NodeName& name, ReplyBody body,
             Generation generation = 1, Incarnation incarnation = 0);

  const Member* Find(const NodeName& name) { return swim.view()->Find(name); }
  State StateOf(const NodeName& name);
  const Member& Self() { return *Find("me"); }

  // What was sent by the last call, by kind of body, in order.
  template <typename Body>
  std::vector<std::pair<Address, Body>> Sent() const {
    std::vector<std::pair<Address, Body>> found;
    for (const Send& send : effects.sends) {
      if (const auto* body = std::get_if<Body>(&send.datagram.body)) {
        found.emplace_back(send.to, *body);
      }
    }
    return found;
  }
  // The calls started by the last call; safe to answer while iterating.
  std::vector<Exchange> Calls() const { return effects.exchanges; }
  // All updates about `name` in what was sent by the last call.
  std::vector<Update> SentAbout(const NodeName& name) const;
  // Events of one kind so far.
  std::vector<Event> EventsOf(EventKind kind) const;

  Instant now;
  Swim swim;
  Effects effects;
  std::vector<Event> events;

 private:
  void Collect();
};

Address AddressOf(const NodeName& name);  // "name:7401"
Update Alive(const NodeName& name, Generation generation,
             Incarnation incarnation);
Update Suspected(const NodeName& name, Generation generation,
                 Incarnation incarnation, const NodeName& accuser);
Update Dead(const NodeName& name, Generation generation,
            Incarnation incarnation, const NodeName& accuser);
Update Left(const NodeName& name, Generation generation,
            Incarnation incarnation);

}  // namespace sessionmesh::membership

#endif  // TESTS_MEMBERSHIP_LONE_SWIM_H_
