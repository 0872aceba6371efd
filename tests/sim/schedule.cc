#include "tests/sim/schedule.h"

#include <algorithm>

#include "glog/logging.h"
#include "membership/random.h"
#include "membership/scaling.h"

namespace sessionmesh::sim {
namespace {

constexpr absl::Duration kNever = absl::ZeroDuration();

std::vector<Schedule> MakeSchedules() {
  std::vector<Schedule> all;
  const auto add = [&all](absl::string_view name) -> Schedule& {
    Schedule& schedule = all.emplace_back();
    schedule.name = name;
    schedule.crash = schedule.leave = schedule.partition = schedule.one_way =
        kNever;
    schedule.reset = schedule.stall = schedule.block = schedule.slow = kNever;
    schedule.clock_jump = schedule.weather = kNever;
    return schedule;
  };
  Schedule& mixed = add("mixed");
  mixed.crash = absl::Seconds(25);
  mixed.leave = absl::Seconds(60);
  mixed.partition = absl::Seconds(30);
  mixed.one_way = absl::Seconds(30);
  mixed.reset = absl::Seconds(10);
  mixed.stall = absl::Seconds(30);
  mixed.block = absl::Seconds(30);
  mixed.slow = absl::Seconds(40);
  mixed.clock_jump = absl::Seconds(30);
  mixed.weather = absl::Seconds(15);

  Schedule& crash = add("crash");
  crash.crash = absl::Seconds(8);
  crash.reset = absl::Seconds(20);
  crash.weather = absl::Seconds(30);

  Schedule& partition = add("partition");
  partition.partition = absl::Seconds(12);
  partition.one_way = absl::Seconds(10);
  partition.weather = absl::Seconds(20);

  Schedule& slow = add("slow");
  slow.stall = absl::Seconds(8);
  slow.block = absl::Seconds(8);
  slow.slow = absl::Seconds(10);
  slow.weather = absl::Seconds(10);
  slow.clock_jump = absl::Seconds(20);

  Schedule& churn = add("churn");
  churn.crash = absl::Seconds(12);
  churn.leave = absl::Seconds(10);
  churn.reset = absl::Seconds(15);
  churn.partition = absl::Seconds(60);

  add("calm");

  Schedule& rotate = add("rotate");
  rotate.absolute_lifetime_max = absl::Seconds(40);
  rotate.lifetime_min = absl::Seconds(10);
  rotate.lifetime_max = absl::Seconds(40);
  rotate.idle_min = absl::Seconds(20);
  rotate.idle_max = absl::Seconds(40);
  rotate.rotate_weight = 20;
  rotate.crash = absl::Seconds(40);
  rotate.partition = absl::Seconds(25);
  rotate.reset = absl::Seconds(15);
  rotate.clock_jump = absl::Seconds(20);

  Schedule& expiry = add("expiry");
  expiry.idle_min = absl::Seconds(4);
  expiry.idle_max = absl::Seconds(10);
  expiry.lifetime_min = absl::Seconds(15);
  expiry.lifetime_max = absl::Seconds(60);
  expiry.think = absl::Milliseconds(1500);
  expiry.abandon_weight = 12;
  expiry.crash = absl::Seconds(40);
  expiry.partition = absl::Seconds(25);
  expiry.one_way = absl::Seconds(40);
  expiry.stall = absl::Seconds(40);
  expiry.clock_jump = absl::Seconds(15);
  expiry.weather = absl::Seconds(20);

  Schedule& overflow = add("overflow");
  overflow.tiny_queues = true;
  overflow.value_bytes = 4000;
  overflow.think = absl::Milliseconds(300);
  overflow.local_weight = 40;
  overflow.partition = absl::Seconds(20);
  overflow.block = absl::Seconds(10);
  overflow.slow = absl::Seconds(15);
  overflow.reset = absl::Seconds(10);
  overflow.crash = absl::Seconds(40);

  // ---- by name only

  Schedule& memory = add("memory");
  memory.picked = false;
  memory.lane_bytes_max = 24 << 10;
  memory.value_bytes = 1000;
  memory.think = absl::Milliseconds(400);
  memory.idle_min = absl::Seconds(15);
  memory.idle_max = absl::Seconds(40);
  memory.delete_weight = 8;
  memory.partition = absl::Seconds(25);
  memory.reset = absl::Seconds(15);
  memory.block = absl::Seconds(25);
  memory.crash = absl::Seconds(40);

  Schedule& quorum = add("quorum");
  quorum.picked = false;
  quorum.quorum = true;
  quorum.share_weight = 3;
  quorum.think = absl::Milliseconds(300);
  quorum.partition = absl::Seconds(15);
  quorum.one_way = absl::Seconds(10);
  quorum.reset = absl::Seconds(4);
  quorum.stall = absl::Seconds(15);
  quorum.block = absl::Seconds(5);
  quorum.slow = absl::Seconds(15);
  quorum.crash = absl::Seconds(25);
  quorum.leave = absl::Seconds(60);

  Schedule& placement = add("placement");
  placement.picked = false;
  placement.replicas = 3;
  placement.crash = absl::Seconds(20);
  placement.leave = absl::Seconds(20);
  placement.partition = absl::Seconds(30);
  placement.one_way = absl::Seconds(30);
  placement.reset = absl::Seconds(10);
  placement.stall = absl::Seconds(30);
  placement.block = absl::Seconds(30);
  placement.slow = absl::Seconds(40);
  placement.clock_jump = absl::Seconds(30);
  placement.weather = absl::Seconds(20);

  Schedule& handover = add("handover");
  handover.picked = false;
  handover.replicas = 2;
  handover.think = absl::Milliseconds(300);
  handover.crash = absl::Seconds(15);
  handover.leave = absl::Seconds(6);
  handover.partition = absl::Seconds(20);
  handover.reset = absl::Seconds(10);
  return all;
}

}  // namespace

const std::vector<Schedule>& Schedules() {
  static const auto& all = *new std::vector<Schedule>(MakeSchedules());
  return all;
}

const Schedule* FindSchedule(absl::string_view name) {
  for (const Schedule& schedule : Schedules()) {
    if (schedule.name == name) return &schedule;
  }
  return nullptr;
}

Plan MakePlan(uint64_t seed, absl::string_view schedule, size_t nodes,
              absl::Duration length) {
  Random random(seed ^ 0x9d5c1f3b7a2e4c60);
  // All are drawn, whatever is given, so that naming what a seed chose anyway
  // repeats its run.
  const auto picked = static_cast<size_t>(
      std::count_if(Schedules().begin(), Schedules().end(),
                    [](const Schedule& each) { return each.picked; }));
  const size_t drawn_schedule = random.Below(picked);  // those come first
  const uint64_t nodes_die = random.Below(20);
  const size_t drawn_nodes = nodes_die == 0   ? 1
                             : nodes_die <= 2 ? 2
                                              : 3 + random.Below(3);
  const absl::Duration drawn_length = absl::Seconds(random.Between(40, 80));
  Plan plan;
  plan.seed = seed;
  const Schedule* named =
      schedule.empty() ? &Schedules()[drawn_schedule] : FindSchedule(schedule);
  CHECK(named != nullptr) << schedule;
  plan.schedule = *named;
  plan.nodes = nodes == 0 ? drawn_nodes : nodes;
  if (nodes == 0 && named->replicas > 0) plan.nodes += named->replicas;
  plan.length = length == absl::ZeroDuration() ? drawn_length : length;
  return plan;
}

membership::Config MembershipConfig() { return membership::Config::Fast(); }

replication::Config ReplicationConfig(const Schedule& schedule) {
  replication::Config config;
  config.slot_count = 8;
  config.lane_count = 2;
  config.absolute_lifetime_max = schedule.absolute_lifetime_max;
  config.idle_default = schedule.idle_max;
  config.absolute_lifetime_default = schedule.lifetime_max;
  config.call_timeout_max = absl::Seconds(10);
  config.catch_up_timeout = absl::Seconds(1);
  config.dedupe_window = absl::Seconds(20);
  config.hello_interval = absl::Milliseconds(500);
  config.pull_timeout = absl::Seconds(1);
  config.transfer_idle_max = absl::Seconds(3);
  config.digest_interval = absl::Seconds(2);
  config.settle_time = absl::Milliseconds(500);
  config.orphan_grace = absl::Seconds(8);
  config.expiry_pass_interval = absl::Seconds(2);
  config.view_delay_max = absl::Seconds(3);
  config.parked_max = absl::Seconds(15);
  config.log_bytes_max = 16 << 10;
  config.state_part_bytes_max = 2 << 10;  // several parts
  config.frame_bytes_max = 4 << 10;
  if (schedule.lane_bytes_max > 0) {
    config.lane_bytes_max = schedule.lane_bytes_max;
  }
  if (schedule.replicas > 0) {
    config.replicas = schedule.replicas;
    config.takeover_delay = absl::Seconds(3);
  }
  if (schedule.tiny_queues) {
    // The ledger reads what one step made from the log.
    config.log_bytes_max = 128 << 10;
    config.session_bytes_max = 24 << 10;
    config.queue_bytes_max = 88 << 10;
    config.frames_in_flight_max = 2;
    config.parked_bytes_max = 16 << 10;
    config.waiting_calls_max = 4;
    config.pulls_in_flight_max = 2;
    config.transfers_in_flight_max = 1;
  }
  return config;
}

absl::Duration ConvergenceBound(const membership::Config& membership,
                                const replication::Config& replication) {
  // A dead member is called again after its backoff, the call may time out
  // once, then news spreads; what was accused meanwhile refutes or dies.
  const absl::Duration members =
      2 * membership.redial_backoff_max + membership.join_retry_max +
      2 * membership.exchange_timeout + 2 * membership.sync_interval +
      membership.suspicion_max_mult * membership.suspicion_mult *
          membership.probe_interval;
  // A stream that hangs breaks and is opened anew; the slots are compared and
  // pulled, at worst busy and timed out a few times; a node that finds nobody
  // ready serves alone.
  const absl::Duration slots =
      absl::Seconds(5) + 2 * replication.hello_interval +
      3 * (replication.digest_interval + replication.settle_time) +
      6 * replication.pull_timeout + replication.orphan_grace +
      replication.parked_max + 2 * replication.expiry_pass_interval;
  return members + slots;
}

}  // namespace sessionmesh::sim
