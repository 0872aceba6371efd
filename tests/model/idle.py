#!/usr/bin/env python3
"""Executable specification of idle expiry: one session, several owners, late and different membership views.

THE RULES IN PLAIN WORDS
  Touch.    An owner that is READY accepts a touch only while ITS last_access + IDLE has not passed on ITS clock (otherwise the
            session is expired here; it asks the others first). last_access := max(last_access, clock); no dot. It is sent to the
            other owners when it has advanced by IDLE/8 since it was last sent; messages may be lost.
  Sync.     Every state transfer carries last_access (max), also when contexts are equal. A node that gains (or regains) the slot
            is SYNCING until it has pulled from two holders; a holder remembers who pulled (a CLAIMANT).
  Recent.   Every node remembers, with the time, whom it took for an owner of the slot and who pulled from it, for IDLE + SLACK.
  Hand-over. A node leaves only after all owners of its view, owners in their own view and READY, confirmed its last_access.
  Expiry.   An owner whose clock passed last_access + IDLE + SLACK asks every owner of its view, everyone recent, and everyone whom
            an answer calls recent. ALL must answer (also the ones it thinks dead); a later last_access, from whomever, makes all
            answers void; else it mints KILL (an ordinary one). SLACK >= 2 * clock skew. A silent node stops being waited for when it is no longer recent.
CHECKED: a KILL minted at real time T finds no touch accepted at a real time > T - IDLE on any node, except touches that died with
their node (crash before replication), and touches beyond a partition that is older than IDLE (documented, counted).
usage: idle.py RUNS SEED [MUTANT]"""
import sys

import harness
from harness import Violation, mutant

IDLE = 40  # steps without a touch after which a session ends
EPS = 2  # clock skew of a node
D = 6  # steps within which every node has noticed a change
K = 3  # owners of the slot


MUTANTS = [
    "no_probe",
    "no_slack",
    "view_only",
    "no_recent",
    "no_claims",
    "no_closure",
    "touch_expired",
    "drop_no_la",
    "sync_no_la",
    "any_answer",
    "no_wait_dead",
    "probe_kept",
]


def slack():
    return 0 if mutant("no_slack") else 2 * EPS


class Node:
    """One process: its clock, its view, its copy of last_access, and what it remembers about others."""

    def __init__(self, w, i, inc):
        self.world = w
        self.index = i
        self.incarnation = inc
        self.skew = w.rng.choice([-EPS, 0, EPS])
        self.alive = set(range(w.node_count))
        self.status = "EMPTY"
        self.last_access = self.last_sent = -(10**6)
        self.dead = False
        self.recent = {}
        self.probe = None
        self.sources = set()
        self.attempt = 0
        self.confirmed = set()
        self.lateness = 0

    def clock(self):
        return self.world.now + self.skew

    def owners(self):
        return [i for i in self.world.order if i in self.alive][:K]

    def owner(self):
        return self.index in self.owners()

    def note(self, i):
        self.recent[i] = max(self.recent.get(i, -(10**6)), self.clock())

    def recents(self):
        """whom this node took for an owner, or who pulled from it, within IDLE + SLACK"""
        return {i for i, t in self.recent.items() if t > self.clock() - IDLE - 2 * slack() - D} - {
            self.index
        }

    def view(self, alive):
        self.alive = set(alive) | {self.index}
        self.attempt += 1
        self.confirmed = set()
        if self.owner() and self.status in ("EMPTY", "LEAVING"):
            self.status = "SYNCING"
            self.sources = set()
        if not self.owner() and self.status in ("READY", "SYNCING"):
            self.status = "LEAVING"

    def learn(self, last_access):
        if last_access > self.last_access:
            self.last_access = last_access
            self.attempt += 1
            self.confirmed = set()
            if not mutant("probe_kept"):
                self.probe = None  # answers belong to the last_access that was asked about

    def tick(self):
        for i in self.owners():
            self.note(i)


class World:
    """One session, its user, the nodes and the network between them."""

    def __init__(self, r, st):
        self.rng = r
        self.stats = st
        self.node_count = r.choice([4, 5])
        self.now = 0
        self.order = r.sample(range(self.node_count), self.node_count)
        self.cut_off = self.last_cut_off = None
        self.part_since = self.last_part_length = 0
        self.messages = []
        self.touches = []
        self.last_crash = -100
        self.killed = False
        self.probes = 0
        self.partitions = r.random() < 0.4
        self.loss = r.choice([0.05, 0.4])
        self.nodes = [Node(self, i, i) for i in range(self.node_count)]
        self.incarnations = self.node_count
        self.silent_until = 0
        self.want = {i: set(range(self.node_count)) for i in range(self.node_count)}
        for i in self.order[:K]:
            self.nodes[i].status = "READY"
            self.nodes[i].last_access = self.nodes[i].last_sent = 0
        for n in self.nodes:
            n.tick()

    def connected(self, a, b):
        return self.cut_off is None or (a in self.cut_off) == (b in self.cut_off)

    def apart(self, a, b):
        """are the two cut off for more than IDLE (or were, and membership has not noticed the heal yet)?"""
        if self.cut_off is not None:
            return not self.connected(a, b) and self.now - self.part_since > IDLE
        return (
            self.last_cut_off
            and (a in self.last_cut_off) != (b in self.last_cut_off)
            and self.now - self.part_since <= D
            and self.last_part_length > IDLE
        )

    def post(self, a, b, kind, *x):
        if a != b and self.rng.random() > self.loss:
            self.messages.append((a, b, self.nodes[b].incarnation, kind, x))

    # ---- user
    def touch(self):
        if self.now < self.silent_until:
            return
        if self.rng.random() < 0.04:
            # the user falls silent for about IDLE
            self.silent_until = self.now + self.rng.randrange(IDLE // 2, IDLE + 3 * EPS + 4)
        own = [n for n in self.nodes if n.owner() and n.status == "READY" and not n.dead]
        if not own:
            return
        n = self.rng.choice(own)
        if n.last_access + IDLE < n.clock() and not mutant("touch_expired"):
            self.stats["touch_refused"] += 1
            return
        if n.clock() <= n.last_access:
            self.touches.append((self.now, n.index, n.incarnation, n.last_access))
            return
        n.learn(n.clock())
        self.touches.append((self.now, n.index, n.incarnation, n.last_access))
        self.stats["touch"] += 1
        if len([m for m in self.nodes if m.owner()]) > K:
            self.stats["touch_while_views_differ"] += 1
        if n.last_access - n.last_sent >= IDLE // 8:
            n.last_sent = n.last_access
            for j in n.owners():
                self.post(n.index, j, "TOUCH", n.last_access)
        else:
            self.stats["touch_not_sent"] += 1

    # ---- idle expiry
    def expire(self):
        """one owner whose copy has expired asks whom it must, or ends the session when all have answered"""
        for n in self.rng.sample(self.nodes, len(self.nodes)):
            if n.status != "READY" or not n.owner() or n.dead:
                continue
            if n.last_access + IDLE + slack() >= n.clock():
                n.probe = None
                continue
            if mutant("no_probe"):
                return self.kill(n)
            ask = set(n.owners()) | n.recents() if not mutant("view_only") else set(n.owners())
            if mutant("no_recent"):
                ask = set(n.owners()) | {i for i, t in n.recent.items() if t > n.clock() - 1}
            if mutant("no_wait_dead"):
                ask &= n.alive
            ask -= {n.index}
            if n.probe is None:
                self.probes += 1
                n.probe = {"id": self.probes, "at": self.now, "got": set(), "more": set()}
                self.stats["probe"] += 1
            ask |= (
                n.probe["more"] - {n.index}
                if not mutant("view_only", "no_claims", "no_closure")
                else set()
            )
            left = ask - n.probe["got"]
            if mutant("any_answer") and n.probe["got"]:
                left = set()
            if not left:
                return self.kill(n)
            self.stats["postponed"] += 1
            for j in left:
                self.post(n.index, j, "ASK", n.probe["id"], n.last_access)
            if self.now - n.probe["at"] > 12:
                n.probe = None  # start anew
            return

    def kill(self, n):
        """node `n` ends the session; a violation if anybody accepted a touch within IDLE that it could know of"""
        self.stats["kill"] += 1
        self.killed = True
        n.dead = True
        for t, i, inc, la in self.touches:
            if t > self.now - IDLE:
                if self.nodes[i].incarnation != inc:  # its node crashed: who else knows the touch?
                    know = [m for m in self.nodes if m.last_access >= la and m is not n]
                    if not know:
                        self.stats["touch_died_with_its_node"] += 1
                        continue
                    if all(self.apart(m.index, n.index) for m in know):
                        self.stats["documented_partition_kill"] += 1
                        continue
                if self.apart(i, n.index):
                    self.stats["documented_partition_kill"] += 1
                    continue
                raise Violation(
                    f"node {n.index} kills at {self.now} (its last_access {n.last_access}), but node {i} accepted a touch at {t}; "
                    f"asked {n.probe and n.probe['got']}, views {[(m.index, m.owners(), m.status, m.last_access) for m in self.nodes]}"
                )

    # ---- messages
    def deliver(self):
        if not self.messages:
            return
        a, b, inc, kind, x = self.messages.pop(self.rng.randrange(len(self.messages)))
        n = self.nodes[b]
        if not self.connected(a, b) or n.incarnation != inc:
            return
        if kind == "TOUCH":
            if n.status != "EMPTY":
                n.learn(x[0])
        elif kind == "ASK":
            if n.status != "EMPTY":
                n.learn(x[1])
            self.post(b, a, "ANSWER", x[0], n.last_access, n.recents(), n.incarnation)
        elif kind == "ANSWER":
            n.learn(x[1])
            if n.probe and n.probe["id"] == x[0] and self.nodes[a].incarnation == x[3]:
                n.probe["got"].add(a)
                n.probe["more"] |= x[2]
        elif kind == "PULL":
            if n.status not in ("READY", "LEAVING"):
                return
            if not mutant("no_claims"):
                n.note(a)
            self.post(b, a, "STATE", -(10**6) if mutant("sync_no_la") else n.last_access, n.dead)
        elif kind == "STATE":
            if n.status != "SYNCING":
                return
            n.learn(x[0])
            n.sources.add(a)
            n.dead |= x[1]
            if len(n.sources) >= 2:
                n.status = "READY"
                self.stats["ready"] += 1
                if mutant("sync_no_la"):
                    n.last_access = max(
                        n.last_access, n.clock() - IDLE // 2
                    )  # it must start somewhere
        elif kind == "HAND":
            if n.status == "READY" and n.owner():
                n.learn(x[1])
                self.post(b, a, "HANDOK", x[0])
        elif kind == "HANDOK":
            if n.status == "LEAVING" and x[0] == n.attempt:
                n.confirmed.add(a)
                if n.confirmed >= set(n.owners()):
                    n.status = "EMPTY"
                    n.last_access = n.last_sent = -(10**6)
                    n.attempt += 1
                    self.stats["handed_over"] += 1

    def background(self):
        """pulls of those that join, hand-over of those that leave"""
        for n in self.nodes:
            if n.status == "SYNCING" and self.rng.random() < 0.5:
                for j in range(self.node_count):
                    self.post(n.index, j, "PULL")
            if n.status == "LEAVING" and self.rng.random() < 0.3:
                if mutant("drop_no_la"):
                    n.status = "EMPTY"
                    n.last_access = n.last_sent = -(10**6)
                    continue
                for j in n.owners():
                    self.post(n.index, j, "HAND", n.attempt, n.last_access)

    # ---- faults and views: every change reaches every node within D steps
    def views(self):
        for n in self.nodes:
            real = {j for j in range(self.node_count) if self.connected(n.index, j)}
            if self.rng.random() < 0.01:
                real -= {self.rng.randrange(self.node_count)}  # a false suspicion
            n.lateness = n.lateness + 1 if n.alive != real | {n.index} else 0
            if n.lateness and (n.lateness >= D or self.rng.random() < 0.2):
                n.view(real)
                n.lateness = 0

    def crash(self):
        if self.now - self.last_crash < 2 * IDLE or self.rng.random() > 0.02:
            return
        i = self.rng.randrange(self.node_count)
        o = self.nodes[i]
        self.last_crash = self.now
        self.incarnations += 1
        if sum(m.status == "READY" for m in self.nodes if m is not o) < 2:
            return
        n = self.nodes[i] = Node(self, i, self.incarnations)
        n.skew = o.skew
        n.view(o.alive)
        n.tick()
        self.stats["crash"] += 1

    def step(self):
        self.now += 1
        if self.rng.random() < 0.3:
            self.touch()
        for _ in range(self.rng.randrange(5)):
            self.deliver()
        self.background()
        self.views()
        self.crash()
        # shorter ones are not noticed by membership
        if self.partitions and self.rng.random() < 0.02 and self.now - self.part_since > 2 * D:
            self.last_cut_off, self.last_part_length = self.cut_off, self.now - self.part_since
            self.part_since = self.now
            self.stats["partition"] += 1
            self.cut_off = (
                None
                if self.cut_off
                else set(
                    self.rng.sample(range(self.node_count), self.rng.randrange(1, self.node_count))
                )
            )
        if self.rng.random() < 0.5:
            self.expire()
        for n in self.nodes:
            n.tick()


def one_run(rng, stats):
    world = World(rng, stats)
    for _ in range(300):
        world.step()
        if world.killed:
            break


def main(arguments):
    runs, seed, mutant_name, _ = harness.parse(arguments, MUTANTS, [])
    return harness.campaign(runs, seed, mutant_name, [], one_run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
