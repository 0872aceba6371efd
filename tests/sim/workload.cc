#include "tests/sim/workload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

using replication::Consistency;
using replication::Durability;
using replication::Reason;

constexpr size_t kTokensMax = 8;  // of one call
constexpr size_t kAudited = 60;   // sessions, the latest

bool IsLocalRead(const Operation& operation) {
  return operation.command.kind == Command::Kind::kGet &&
         operation.command.consistency == Consistency::kLocal;
}

}  // namespace

void Jar::Learn(const Operation& operation, const World& world) {
  const std::string& token = operation.reply.token;
  const bool local = IsLocalRead(operation);
  if (token.empty()) return;
  if (!local) {
    for (const std::string& covered : operation.command.tokens) {
      tokens.erase(std::remove(tokens.begin(), tokens.end(), covered),
                   tokens.end());
    }
  } else if (tokens.size() + 2 >= kTokensMax) {
    return;  // what a LOCAL read saw is worth less than room for the others
  }
  if (std::find(tokens.begin(), tokens.end(), token) == tokens.end())
    tokens.push_back(token);
  if (operation.reply.session.has_value()) {
    if (const auto past = world.ledger().Past(operation.slot, operation.heads))
      read.Add(*past);
  }
  const Command::Kind kind = operation.command.kind;
  if (operation.IsWrite() && kind != Command::Kind::kDelete) {
    if (const Minted* made = DeltaOf(world, operation))
      written.Set(made->index);
  }
}

Workload::Workload(const Schedule& schedule, uint64_t seed, World* world)
    : schedule_(schedule), random_(seed), world_(world) {
  // Tiny queues want a crowd before them.
  const size_t browsers = (schedule.tiny_queues ? 10 : 3) + random_.Below(4);
  for (size_t i = 0; i < browsers; ++i) {
    auto browser = std::make_unique<Browser>();
    browser->number = i;
    browser->home = random_.Below(world->host_count());
    browser->sticky = random_.Chance(1, 4);
    browser->in_flight_max = 1 + random_.Below(schedule.tiny_queues ? 4 : 2);
    browsers_.push_back(std::move(browser));
  }
  for (int i = 0; i < 3; ++i) {
    foreign_ids_.push_back(absl::StrCat("PHPSESSID-chosen-by-the-app-", i, "-",
                                        random_.Below(10)));
  }
}

void Workload::Begin() {
  active_ = true;
  for (const auto& browser : browsers_) Think(browser.get());
}

void Workload::Think(Browser* browser) {
  const int64_t mean = absl::ToInt64Microseconds(schedule_.think);
  world_->queue().After(absl::Microseconds(random_.Between(0, 2 * mean)),
                        [this, browser] {
                          if (!active_) return;
                          if (browser->in_flight < browser->in_flight_max)
                            Act(browser);
                          Think(browser);
                        });
}

HostId Workload::PickHost(Browser* browser) {
  if (!browser->sticky || random_.Chance(1, 20)) {
    browser->home = random_.Below(world_->host_count());
  }
  // A load balancer with health checks: mostly not to a node that is down.
  if (world_->host(browser->home).process == nullptr && random_.Chance(9, 10)) {
    browser->home = random_.Below(world_->host_count());
  }
  return browser->home;
}

Jar* Workload::NewJar(size_t client, const std::string& id) {
  Jar& jar = jars_.emplace_back();
  jar.number = jars_.size() - 1;
  jar.client = client;
  jar.id = id;
  const auto slot = world_->ids().SlotOf(id);
  CHECK(slot.ok()) << slot.status();
  jar.slot = *slot;
  return &jar;
}

// ---- what a browser does next

void Workload::Act(Browser* browser) {
  if (browser->jar == nullptr || browser->jar->over) {
    // Who has logged out may press "back".
    if (browser->jar != nullptr && browser->in_flight == 0 &&
        random_.Chance(1, 3)) {
      Operation again = Prepare(browser, browser->jar, Command::Kind::kGet);
      FillGet(&again);
      Send(browser, browser->jar, PickHost(browser), std::move(again), 0);
      return;
    }
    if (browser->in_flight == 0) Begin(browser);
    return;
  }
  Jar* jar = browser->jar;
  const uint64_t die = random_.Below(100);
  uint64_t mark = schedule_.delete_weight;
  if (die < mark) {
    Operation deletion = Prepare(browser, jar, Command::Kind::kDelete);
    deletion.command.durability =
        random_.Chance(1, 2) ? Durability::kQuorum : PickDurability();
    Send(browser, jar, PickHost(browser), std::move(deletion), 2);
  } else if (die < (mark += schedule_.rotate_weight)) {
    Operation rotation = Prepare(browser, jar, Command::Kind::kRotate);
    rotation.value = UniqueValue(rotation);
    rotation.command.set["rotated"] = rotation.value;
    rotation.command.new_session_id = world_->ids().MakeNative(
        jar->slot, world_->ids().EntropyOfRequest(rotation.command.request_id));
    Send(browser, jar, PickHost(browser), std::move(rotation), 2);
  } else if (die < (mark += schedule_.abandon_weight)) {
    if (browser->in_flight == 0)
      browser->jar = nullptr;  // the session is left to expire
  } else if (die < (mark += 7)) {
    Operation touch = Prepare(browser, jar, Command::Kind::kTouch);
    Send(browser, jar, PickHost(browser), std::move(touch), 0);
  } else if (die < (mark += 38)) {
    Operation update = Prepare(browser, jar, Command::Kind::kUpdate);
    FillUpdate(&update, *jar);
    Send(browser, jar, PickHost(browser), std::move(update), 2);
  } else {
    Operation read = Prepare(browser, jar, Command::Kind::kGet);
    FillGet(&read);
    Send(browser, jar, PickHost(browser), std::move(read), 0);
  }
}

// A new session, one of a foreign id, or somebody else's: a second device, a
// stolen cookie.
void Workload::Begin(Browser* browser) {
  const HostId host = PickHost(browser);
  if (!jars_.empty() && random_.Chance(schedule_.share_weight, 4)) {
    Jar other = jars_[random_.Below(jars_.size())];
    if (!other.over) {
      browser->jar = NewJar(browser->number, other.id);
      if (random_.Chance(1, 2)) {
        browser->jar->tokens = other.tokens;
        browser->jar->written = other.written;
        browser->jar->read = other.read;
      }
      return;
    }
  }
  Process* process = world_->host(host).process.get();
  if (process == nullptr) return;
  const bool foreign = random_.Chance(1, 5);
  const std::string id = foreign
                             ? foreign_ids_[random_.Below(foreign_ids_.size())]
                             : process->NewSessionId();
  browser->jar = NewJar(browser->number, id);
  Operation creation = Prepare(browser, browser->jar, Command::Kind::kCreate);
  creation.value = UniqueValue(creation);
  Command& command = creation.command;
  command.set["login"] = creation.value;
  if (random_.Chance(1, 2))
    command.user = absl::StrCat("user", browser->number);
  const auto seconds = [this](absl::Duration low, absl::Duration high) {
    return absl::Seconds(
        random_.Between(absl::ToInt64Seconds(low), absl::ToInt64Seconds(high)));
  };
  command.idle = seconds(schedule_.idle_min, schedule_.idle_max);
  command.absolute_lifetime =
      seconds(schedule_.lifetime_min, schedule_.lifetime_max);
  Send(browser, browser->jar, host, std::move(creation), 2);
}

Operation Workload::Prepare(Browser* browser, Jar* jar, Command::Kind kind) {
  Operation operation;
  Command& command = operation.command;
  command.kind = kind;
  command.handle = world_->NextOperation();
  command.session_id = jar->id;
  command.durability = PickDurability();
  command.strict = random_.Chance(1, 20);
  operation.client = browser->number;
  operation.jar = jar->number;
  operation.slot = jar->slot;
  const bool forgets =
      world_->mutant() != nullptr && world_->mutant()->ForgetsTokens();
  const size_t presented = std::min(jar->tokens.size(), kTokensMax);
  if (!forgets && kind != Command::Kind::kCreate) {
    command.tokens.assign(jar->tokens.end() - static_cast<ptrdiff_t>(presented),
                          jar->tokens.end());
  }
  operation.guaranteed = presented == jar->tokens.size();
  operation.written = jar->written;
  operation.read = jar->read;
  if (operation.IsWrite()) {
    for (int i = 0; i < 16; ++i) {
      command.request_id.push_back(static_cast<char>(random_.Below(256)));
    }
  }
  return operation;
}

void Workload::FillGet(Operation* operation) {
  Command* command = &operation->command;
  const uint64_t die = random_.Below(20);
  command->consistency = die < 3   ? Consistency::kLocal
                         : die < 7 ? Consistency::kQuorum
                                   : Consistency::kSession;
  command->peek = random_.Chance(1, 5);
  if (!schedule_.quorum) return;
  if (random_.Chance(2, 3)) command->consistency = Consistency::kQuorum;
  if (random_.Chance(1, 2)) {
    command->tokens.clear();
    operation->guaranteed = false;
  }
}

void Workload::FillUpdate(Operation* operation, const Jar& jar) {
  Command& command = operation->command;
  operation->value = UniqueValue(*operation);
  const std::string name = absl::StrCat("a", random_.Below(5));
  command.set[name] = operation->value;
  if (random_.Chance(1, 6)) {
    const std::string other = absl::StrCat("a", random_.Below(5));
    if (other != name) command.unset.push_back(other);
  }
  if (random_.Chance(1, 10))
    command.user = absl::StrCat("user", random_.Below(9));
  if (random_.Chance(1, 12))
    command.if_absent.push_back(absl::StrCat("a", random_.Below(5)));
  if (random_.Chance(1, 12) && jar.tokens.size() == 1)
    command.if_version = jar.tokens.front();
  command.return_session = random_.Chance(1, 3);
}

std::string Workload::UniqueValue(const Operation& operation) {
  return absl::StrCat("c", operation.client, ".", operation.command.handle,
                      std::string(schedule_.value_bytes, '.'));
}

Durability Workload::PickDurability() {
  if (random_.Chance(schedule_.local_weight, 100)) return Durability::kLocal;
  const uint64_t die = random_.Below(10);
  if (schedule_.quorum) return die < 9 ? Durability::kQuorum : Durability::kAll;
  return die < 6   ? Durability::kOne
         : die < 8 ? Durability::kQuorum
                   : Durability::kAll;
}

// ---- calls and answers

void Workload::Send(Browser* browser, Jar* jar, HostId host,
                    Operation operation, int tries_left) {
  ++browser->in_flight;
  ++calls_;
  const absl::Duration timeout = absl::Milliseconds(random_.Between(500, 3000));
  world_->Call(host, std::move(operation), timeout,
               [this, browser, jar, host, tries_left](const Operation& done) {
                 --browser->in_flight;
                 --calls_;
                 OnDone(browser, jar, host, done, tries_left);
               });
}

void Workload::OnDone(Browser* browser, Jar* jar, HostId host,
                      const Operation& operation, int tries_left) {
  if (operation.outcome == Operation::Outcome::kOk) {
    OnOk(browser, jar, operation);
    return;
  }
  const absl::StatusCode code = operation.reply.status.code();
  const bool worth_a_retry =
      operation.outcome == Operation::Outcome::kUnknown ||
      code == absl::StatusCode::kUnavailable ||
      code == absl::StatusCode::kDeadlineExceeded;
  if (worth_a_retry && operation.IsWrite() && tries_left > 0 && active_ &&
      random_.Chance(2, 3)) {
    Operation again;
    again.first = operation.first;
    again.client = operation.client;
    again.jar = operation.jar;
    again.slot = operation.slot;
    again.command =
        operation.command;  // to the byte, tokens and request id included
    again.command.handle = world_->NextOperation();
    if (world_->mutant() != nullptr && world_->mutant()->ForgetsRequests()) {
      again.command.request_id[0] = static_cast<char>(random_.Below(256));
    }
    again.value = operation.value;
    again.written = operation.written;
    again.read = operation.read;
    again.guaranteed = operation.guaranteed;
    world_->Count("retries");
    Send(browser, jar, host, std::move(again), tries_left - 1);
    return;
  }
  OnFailed(browser, jar, operation);
}

void Workload::OnOk(Browser* browser, Jar* jar, const Operation& operation) {
  const Command& command = operation.command;
  if (command.kind == Command::Kind::kRotate && jar->id == command.session_id) {
    jar->id = command.new_session_id;
  }
  // A late answer to the id before a rotation may be of another life of a
  // foreign id, when no token says which.
  const bool late = schedule_.quorum && command.kind == Command::Kind::kGet &&
                    command.session_id != jar->id;
  if (!late) jar->Learn(operation, *world_);
  if (command.kind == Command::Kind::kDelete) jar->over = true;
  if (browser->in_flight == 0 && jar->over && browser->jar == jar &&
      random_.Chance(1, 2)) {
    browser->jar = nullptr;
  }
}

void Workload::OnFailed(Browser* browser, Jar* jar,
                        const Operation& operation) {
  const Command& command = operation.command;
  const Reason reason = operation.reply.failure.reason;
  if (operation.outcome == Operation::Outcome::kUnknown ||
      operation.process == 0) {
    if (command.kind == Command::Kind::kCreate) jar->over = true;
    return;
  }
  if (reason == Reason::kSessionNotFound && command.session_id == jar->id)
    jar->over = true;
  if (command.kind == Command::Kind::kCreate &&
      reason != Reason::kAlreadyExists)
    jar->over = true;
  if (reason == Reason::kWriteLost) {
    // Told that what it knew is gone: it goes on from what there is.
    jar->tokens.clear();
    if (!operation.reply.token.empty())
      jar->tokens.push_back(operation.reply.token);
    jar->written = Bits();
    jar->read = Bits();
    world_->Count("told_of_loss");
  }
  if (jar->over && browser->jar == jar && browser->in_flight == 0)
    browser->jar = nullptr;
}

// ---- afterwards

void Workload::Audit() {
  for (HostId host = 0; host < world_->host_count(); ++host) {
    const size_t first = jars_.size() > kAudited ? jars_.size() - kAudited : 0;
    AuditOn(host, first);
  }
}

// One after the other: a node of few waiting calls may refuse a crowd.
void Workload::AuditOn(HostId host, size_t index) {
  if (index >= jars_.size()) return;
  Jar* jar = &jars_[index];
  Browser auditor;
  auditor.number = jar->client;
  Operation read = Prepare(&auditor, jar, Command::Kind::kGet);
  read.audit = true;
  read.command.strict = false;
  read.command.peek = true;
  read.command.consistency = Consistency::kSession;
  if ((host + index) % 2 == 0) {
    read.command.consistency = Consistency::kLocal;
    read.command.tokens.clear();
    read.guaranteed = false;
  }
  ++calls_;
  world_->Call(host, std::move(read), absl::Seconds(5),
               [this, host, index](const Operation&) {
                 --calls_;
                 AuditOn(host, index + 1);
               });
}

}  // namespace sessionmesh::sim
