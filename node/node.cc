#include "node/node.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "node/grpc_settings.h"
#include "node/node_events.h"
#include "node/ports.h"
#include "node/random_bytes.h"

namespace sessionmesh::node {
namespace {

using membership::EventKind;

constexpr absl::Duration kCallTimeoutDefault = absl::Seconds(5);

// Port 0 is chosen by UDP; the same TCP port may be taken.
constexpr int kPortTries = 16;

replication::ProcessId NewProcessId() {
  return std::max<uint64_t>(RandomUint64(), 1);
}

}  // namespace

struct Node::Plan {
  Options options;
  std::string key;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<UdpSocket> udp;
  std::string advertised;
  std::vector<std::string> seeds;
  std::vector<membership::Address> former_peers;
  membership::Generation generation = 0;
  replication::ProcessId process = 0;

  wire::NodeInfo Info() const {
    wire::NodeInfo info;
    info.cluster_id = options.cluster_id;
    info.slot_count = options.replication.slot_count;
    info.lane_count = options.replication.lane_count;
    info.replicas = options.replication.replicas;
    info.absolute_lifetime_max = options.replication.absolute_lifetime_max;
    info.name = options.name;
    info.generation = generation;
    info.process = process;
    info.peer_address = advertised;
    info.key_check = KeyCheck(HmacKeyedHash(key), options.cluster_id);
    return info;
  }
  replication::Config LaneConfig() const {
    replication::Config config = options.replication;
    config.bootstrap = seeds.empty();
    config.former_peers = former_peers;
    return config;
  }
  membership::Self Self() const {
    return {options.name, advertised, generation, options.zone};
  }
};

namespace {

// A UDP socket on the peer port, whose TCP port is free as well.
absl::StatusOr<std::unique_ptr<UdpSocket>> OpenPeerPort(
    const std::string& text) {
  const absl::StatusOr<SocketAddress> wanted = ParseSocketAddress(text);
  if (!wanted.ok()) return wanted.status();
  absl::Status tcp;
  for (int i = 0; i < kPortTries; ++i) {
    absl::StatusOr<std::unique_ptr<UdpSocket>> udp = UdpSocket::Bind(*wanted);
    if (!udp.ok()) {
      return absl::UnavailableError(absl::StrCat(
          udp.status().message(),
          "; choose another address by --peer-address, or stop what uses it"));
    }
    tcp = CheckTcpPort((*udp)->address(), "--peer-address");
    if (tcp.ok()) return udp;
    if (wanted->port() != 0) break;
  }
  return tcp;
}

// Where the cluster may be found: the configured seeds and, from former lives,
// the last known peers. Empty: this node starts a cluster.
std::vector<std::string> AllSeeds(const Options& options,
                                  const NodeState& state,
                                  const std::string& advertised) {
  std::vector<std::string> seeds;
  for (const std::vector<std::string>* list : {&options.join, &state.peers}) {
    for (const std::string& seed : *list) {
      if (seed == advertised || seed == options.peer_address) continue;
      if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) {
        seeds.push_back(seed);
      }
    }
  }
  return seeds;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Start(const Options& options,
                                                  const Clock* clock) {
  Plan plan;
  plan.options = options;
  plan.process = NewProcessId();
  if (options.key_file.empty()) {
    plan.key = KeyFromClusterId(options.cluster_id);
  } else {
    absl::StatusOr<std::string> key = ReadKeyFile(options.key_file);
    if (!key.ok()) return key.status();
    plan.key = *std::move(key);
  }
  absl::StatusOr<std::unique_ptr<UdpSocket>> udp =
      OpenPeerPort(options.peer_address);
  if (!udp.ok()) return udp.status();
  plan.udp = *std::move(udp);
  absl::StatusOr<std::string> advertised =
      AdvertisedAddress(plan.udp->address(), options.advertise_address);
  if (!advertised.ok()) return advertised.status();
  plan.advertised = *std::move(advertised);
  absl::StatusOr<std::unique_ptr<Identity>> identity =
      Identity::Open(options.state_dir, options.name, clock->Now().wall);
  if (!identity.ok()) return identity.status();
  plan.identity = *std::move(identity);
  plan.generation = plan.identity->state().generation;
  plan.former_peers = plan.identity->state().peers;
  plan.seeds = AllSeeds(options, plan.identity->state(), plan.advertised);

  auto node = absl::WrapUnique(new Node(std::move(plan), clock));
  const absl::Status status = node->Open();
  if (!status.ok()) return status;
  return node;
}

Node::Node(Plan plan, const Clock* clock)
    : options_(plan.options),
      clock_(clock),
      seeds_(plan.seeds),
      advertised_(plan.advertised),
      generation_(plan.generation),
      identity_(std::move(plan.identity)),
      udp_(std::move(plan.udp)),
      key_(plan.key),
      ids_(options_.replication.slot_count, &key_),
      self_(plan.Info(), options_.replication.clock_offset_max, clock, &log_),
      peer_client_(&self_),
      forwarder_(&peer_client_, clock, &log_),
      links_(&self_, clock, &log_, this),
      lanes_(plan.LaneConfig(), {options_.name, plan.process},
             {clock, &ids_, &key_, &links_, &log_, this}),
      membership_({options_.membership, plan.Self(), RandomUint64(),
                   wire::ClusterHash(self_.constants()), seeds_},
                  {udp_.get(), clock, &peer_client_, &log_, this}),
      report_({options_.name, options_.cluster_id, advertised_, generation_,
               clock->Now().wall},
              {&lanes_, &membership_, &log_, &leaving_}),
      codec_({options_.default_consistency, options_.default_durability}, &ids_,
             &key_, options_.name,
             [this](uint64_t number) { return lanes_.ChooseSlot(number); }),
      sessions_({&codec_, &lanes_, clock_, &log_, nullptr, &forwarder_,
                 kCallTimeoutDefault, options_.replication.call_timeout_max}),
      cluster_({&report_, &membership_, &peer_client_, &lanes_, &log_, clock_,
                [this](ClusterService::LeaveDone done) {
                  LeaveFor(std::move(done));
                }}),
      peers_(
          {&self_, &membership_, &lanes_, &report_, &sessions_, clock_, &log_},
          {options_.replication.slot_count, options_.replication.lane_count}) {}

Node::~Node() { StopEverything(); }

absl::Status Node::Open() {
  const absl::StatusOr<SocketAddress> client =
      ParseSocketAddress(options_.client_address);
  if (!client.ok()) return client.status();
  absl::Status status = CheckTcpPort(*client, "--client-address");
  if (status.ok() && !options_.client_socket.empty()) {
    status = ClearSocketFile(options_.client_socket);
  }
  if (!status.ok()) return status;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  // Peers may call before the cores have begun: what they say waits in the
  // inbox, or is heard already. Clients come last, when there is a view.
  status = OpenPeerServer();
  if (!status.ok()) return status;
  if (options_.key_file.empty()) {
    Announce(Severity::kWarning, "no_key",
             "without --key-file, tokens and session ids are guarded against "
             "damage only, not against forgery");
  }
  membership_.Start();
  lanes_.Start();
  return OpenClientServer(*client);
}

absl::Status Node::OpenPeerServer() {
  // The port that UDP has got: gossip and calls share the number.
  const std::string address = udp_->address().ToString();
  grpc::ServerBuilder builder;
  ConfigurePeerServer(&builder);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&peers_);
  peer_server_ = builder.BuildAndStart();
  if (peer_server_ != nullptr) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "cannot listen on TCP ", address, " (--peer-address): it is in use"));
}

absl::Status Node::OpenClientServer(SocketAddress address) {
  int port = 0;
  grpc::ServerBuilder builder;
  ConfigureClientServer(&builder);
  builder.AddListeningPort(options_.client_address,
                           grpc::InsecureServerCredentials(), &port);
  if (!options_.client_socket.empty()) {
    builder.AddListeningPort(absl::StrCat("unix:", options_.client_socket),
                             grpc::InsecureServerCredentials());
  }
  builder.RegisterService(&sessions_);
  builder.RegisterService(&cluster_);
  client_server_ = builder.BuildAndStart();
  if (client_server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", options_.client_address, " (--client-address)",
        options_.client_socket.empty()
            ? ""
            : absl::StrCat(" or on ", options_.client_socket,
                           " (--client-socket)")));
  }
  address.set_port(static_cast<uint16_t>(port));
  client_address_ = address.ToString();
  report_.SetClientAddress(client_address_);
  SetServing(false);
  return absl::OkStatus();
}

// ---- What the parts report

void Node::OnView(const membership::ViewPtr& view) {
  lanes_.SetView(view);
  links_.SetView(view);
  peer_client_.SetView(view);
  forwarder_.SetView(view);
  MutexLock lock(&mutex_);
  view_to_save_ = view;
  changed_.SignalAll();
}

void Node::OnMemberEvent(const membership::Event& event) {
  cluster_.OnMemberEvent(event);
  switch (event.kind) {
    case EventKind::kJoinSucceeded: {
      MutexLock lock(&mutex_);
      joined_ = true;
      return;
    }
    case EventKind::kLeaveCompleted: {
      MutexLock lock(&mutex_);
      goodbye_said_ = true;
      changed_.SignalAll();
      return;
    }
    case EventKind::kSuperseded:
      Fail(absl::AbortedError(absl::StrCat(
          "another process runs as node \"", options_.name,
          "\" with a higher generation; only one may. If that is not "
          "intended, give this one another --name and --state-dir")));
      return;
    case EventKind::kNameConflict: {
      // Who was there first only reports it; a newcomer cannot go on.
      bool joined = false;
      {
        MutexLock lock(&mutex_);
        joined = joined_;
      }
      if (joined || seeds_.empty() || event.member.name != options_.name) {
        return;
      }
      Fail(absl::AlreadyExistsError(absl::StrCat(
          "the cluster has a live node named \"", options_.name, "\" at ",
          event.detail, "; give this one another --name")));
      return;
    }
    default:
      return;
  }
}

void Node::OnSeedsResolved() { cluster_.OnSeedsResolved(); }

void Node::OnLaneProgress() {
  MutexLock lock(&mutex_);
  progress_ = true;
  changed_.SignalAll();
}

void Node::OnPeerUp(const membership::NodeName& peer) { lanes_.LinkUp(peer); }

void Node::OnPeerDown(const membership::NodeName& peer) {
  lanes_.LinkDown(peer);
}

void Node::SavePeers(const membership::ViewPtr& view) {
  std::vector<membership::Address> peers;
  for (const membership::Member& member : view->members()) {
    if (member.name == view->self() ||
        member.claim.state == membership::State::kLeft) {
      continue;
    }
    peers.push_back(member.address);
  }
  // A node that has not met anybody yet must not forget whom it once knew.
  if (view->members().size() == 1) return;
  std::sort(peers.begin(), peers.end());
  const absl::Status status = identity_->SavePeers(std::move(peers));
  if (!status.ok()) {
    Announce(Severity::kWarning, "peers_not_saved",
             std::string(status.message()));
  }
}

// ---- Small things

void Node::Announce(Severity severity, absl::string_view kind,
                    std::string message) {
  log_.Append(
      MakeNodeEvent(clock_->Now().wall, severity, kind, std::move(message)));
}

void Node::SetServing(bool serving) {
  for (const std::unique_ptr<grpc::Server>* server :
       {&client_server_, &peer_server_}) {
    if (*server == nullptr) continue;
    grpc::HealthCheckServiceInterface* health =
        (*server)->GetHealthCheckService();
    if (health != nullptr) health->SetServingStatus(serving);
  }
}

std::string Node::ListeningLine() const {
  return absl::StrCat("listening name=", options_.name,
                      " client=", client_address_, " peer=", advertised_);
}

std::string Node::ReadyLine() const {
  return absl::StrCat("ready name=", options_.name, " client=", client_address_,
                      " peer=", advertised_, " generation=", generation_,
                      " slots=", options_.replication.slot_count);
}

}  // namespace sessionmesh::node
