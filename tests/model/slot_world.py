"""The world of one run: nodes, clients, network and views, driven by a random schedule."""
from collections import defaultdict

from harness import Violation, mutant
from slot_clients import Clients
from slot_delta import EPS, norm
from slot_network import Network, Views
from slot_replica import Replica

# How often each action is drawn, by schedule; the columns are ACTIONS.
WEIGHTS = {  # client deliver sync snap crash target learn mislead drop net partition orphan
    "mixed": (40, 35, 7, 6, 3, 1.5, 3, 1, 3, 6, 1.5, 0.5),
    "churn": (16, 18, 26, 7, 0, 7, 28, 1, 16, 50, 0, 0),
    "views": (6, 12, 20, 4, 0.2, 2, 4, 8, 12, 32, 0.7, 0.5),
    "regain": (14, 4, 12, 2, 0, 3, 14, 3, 14, 44, 5, 0),
    "partition": (40, 30, 9, 6, 1, 1, 3, 2, 3, 6, 5, 2),
    "crash": (36, 32, 14, 6, 8, 1, 3, 1, 2, 5, 1, 1),
    "foreign": (50, 26, 8, 6, 0.5, 1, 3, 0.5, 1, 4, 3, 0),
    "rotate": (50, 26, 8, 6, 0.5, 1, 3, 0.5, 1, 4, 3, 0),
}
ACTIONS = (
    "client_op",
    "deliver",
    "sync",
    "snap_arrives",
    "crash",
    "retarget",
    "learn",
    "mislead",
    "try_drop",
    "drop_protocol",
    "partition",
    "orphan",
)


class World(Clients, Network, Views):
    def __init__(self, rng, schedule):
        self.rng = rng
        self.schedule = schedule
        # in steps: absolute lifetime of a session, and how long an actor keeps its epoch
        self.lifetime = 240 if schedule in ("views", "regain") else 60
        self.rotation_period = 1000 if mutant("counter_reset") else 15
        self.node_count = rng.choice([3, 4, 5])
        self.owner_count = min(3, self.node_count)
        self.log_max = rng.choice([0, 2, 5, 50])
        if schedule in ("views", "regain"):
            self.node_count = 3
            self.owner_count = rng.choice([1, 1, 1, 2])
        if schedule == "regain" and rng.random() < 0.5:
            self.node_count = 4
            self.owner_count = 2
        # how many clients use one session, how often a client stays on its node, how many ids the application chooses
        self.share_rate = 0.9 if schedule in ("rotate", "regain") else rng.choice([0.4, 0.8])
        self.sticky_rate = 0.8 if schedule == "foreign" else rng.choice([0, 0.5, 0.9])
        self.foreign_rate = 0.95 if schedule == "foreign" else rng.choice([0.1, 0.3, 0.9])
        self.policy = rng.choice(["ALIAS", "REVOKE"])
        self.stats = defaultdict(int)
        self.now = self.crashes = self.incarnations = 0
        self.delta_count = self.merged_groups = self.id_count = 0
        self.cut_off = None
        self.messages = []
        self.snapshots = []
        self.questions = []
        self.answers = []
        self.session_ids = []
        self.acked = []
        self.deadline_of = {}
        self.request = {}
        self.target = frozenset(range(self.owner_count))
        self.nodes = [Replica(i, self) for i in range(self.node_count)]
        for i in self.target:
            self.nodes[i].status = "READY"
        self.clients = [
            {"sid": None, "token": set(), "seen": set(), "home": rng.randrange(self.node_count)}
            for _ in range(rng.choice([3, 6]))
        ]

    def connected(self, a, b):
        return self.cut_off is None or (a in self.cut_off) == (b in self.cut_off)

    def fresh(self, d):
        """are all lives of this delta far from their absolute deadline?"""
        return (
            min((self.deadline_of.get(b, 0) for b in d.births), default=0) > self.now + 2 * EPS + 1
        )

    def step(self):
        getattr(self, self.rng.choices(ACTIONS, WEIGHTS[self.schedule])[0])()
        self.now += 1
        for n in self.nodes:
            n.tick()
            n.check()

    def finish(self):
        """heal: one view, everybody syncs, non-owners hand over; then compare all owners"""
        self.cut_off = None
        for n in self.nodes:
            self.set_view(n, self.target)
        for _ in range(8):
            for A in self.nodes:
                for B in self.nodes:
                    if A is B or A.status == "EMPTY" or (B.status == "EMPTY" and not B.owner()):
                        continue
                    if B.status == "EMPTY":
                        B.status = "SYNCING"
                    B.join_snapshot(A.snapshot(B.context.copy()))
            self.questions = []
            self.answers = []
            for n in self.nodes:
                n.asking = -1
            self.try_drop()
            for _ in range(4 * len(self.questions) + 8):
                self.drop_protocol()
        self.check_convergence()
        self.check_durability()

    def check_convergence(self):
        own = [self.nodes[j] for j in sorted(self.target)]
        o0 = own[0]
        dead = set().union(*(n.dead_roots for n in self.nodes))
        for o in own:
            o.tick()
            o.dirty = True
            o.check()
        ok = lambda x: x.deadline > self.now + 2 * EPS + 1
        live = lambda deltas: self.still_wanted(deltas, o0.kills_seen)
        for o in own[1:]:
            if norm(o.store, ok) != norm(o0.store, ok) or live(o.reflects) != live(o0.reflects):
                raise Violation("not converged")
            if not (o.context.dominates(o0.context) and o0.context.dominates(o.context)):
                raise Violation("contexts differ")
        for n in self.nodes:
            for x in n.store.values():
                if x.root in dead and ok(x):
                    raise Violation(f"{n.node}: {x.ids()} outlived its logout after convergence")
        for o in own:  # a parked delta may remain only if its dependency died with every holder
            for d in o.pending.values():
                self.stats["lostdeps"] += 1
                for h in d.deps:
                    if (
                        self.fresh(d)
                        and not o.context.covers(h)
                        and any(
                            h == e.last and e in n.reflects
                            for n in self.nodes
                            for e, _ in self.acked
                        )
                    ):
                        raise Violation(f"{d} parked although {h} is held by a live node")

    def still_wanted(self, deltas, killed):
        """those that are neither near their deadline nor covered by a KILL"""
        return {d for d in deltas if self.fresh(d) and (d.kind == "KILL" or not d.births <= killed)}

    def check_durability(self):
        """what was acknowledged by a replica that is still there is on an owner"""
        alive = {(n.node, n.incarnation, n.generation) for n in self.nodes}
        first = self.nodes[min(self.target)]
        for d, h in self.acked:
            if h & alive and d not in first.reflects and self.still_wanted([d], first.kills_seen):
                raise Violation(f"durability: {d} was acked by a survivor and is lost; {h}")
