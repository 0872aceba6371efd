#!/usr/bin/env python3
"""Executable specification of QUORUM without a token: does a QUORUM read see every QUORUM-acknowledged write that was answered
before the read began, across ownership changes and crashes with amnesia? A replica is only a set of writes here.

THE RULES IN PLAIN WORDS
  Q0  The owner lists of a slot are NUMBERED: list v+1 follows list v, the same on every node; nodes learn them late.
  Q1  Every quorum message carries the sender's number. A receiver that is behind moves up first; one that is ahead answers
      "newer" and counts for nothing. A coordinator that moves up forgets the answers it has collected and asks the new owners.
  Q2  Only READY owners count, as coordinator, for an acknowledgement and for an answer.
  Q3  A node that gains the slot in list v is SYNCING until it has pulled from a majority of list v-1. A source counts only if it
      was READY there and has not crashed since; it moves up to v before it answers (so list v-1 can form no quorum any more).
  Q4  A restarted process is SYNCING until it has pulled from K/2+1 OTHER owners that are READY in its list (K=3: both).
  Q5  A node that moves up by more than one list is SYNCING (it may have missed a list it was not in).
usage: quorum.py RUNS SEED [MUTANT] [many] [wide]
       mutant spec: quorum over the owners of one's own view alone (no Q0, Q1; sources do not move up)
       wide: five owners of eight nodes
       many: any number of ownership changes and of crashes (the next crash only when all owners
             are READY again)"""
import random
import sys
from collections import defaultdict

import harness
from harness import Violation, mutant

MUTANTS = [
    "spec",
    "no_viewcheck",
    "no_fence",
    "syncing_acks",
    "syncing_reads",
    "ready_any",
    "amnesiac_source",
    "restart_one",
    "jump_ready",
    "acks_kept",
]


class Node:
    """One process: the number of its owner list, the writes it holds, the operations it coordinates."""

    def __init__(self, w, i, inc, view):
        self.world = w
        self.index = i
        self.incarnation = inc
        self.view = view
        self.status = "EMPTY"
        self.full = False
        self.writes = set()
        self.sources = set()
        self.restarted = False
        self.operations = {}

    def owner(self):
        return self.index in self.world.lists[self.view]

    def move(self, v):
        """learns of list `v`"""
        if v <= self.view:
            return
        old, self.view = self.view, v
        was = self.index in self.world.lists[old]
        if not self.owner():
            if self.status != "READY":
                self.full = False
            self.status = "LEAVING" if self.status != "EMPTY" else "EMPTY"
        elif self.status == "READY" and was and (v == old + 1 or mutant("jump_ready")):
            pass
        else:
            if v > old + 1:
                self.full = False
                self.world.stats["jumped"] += 1
            self.status = "SYNCING"
            self.sources = set()
        if not mutant("acks_kept", "spec"):
            for op in self.operations.values():
                op["got"] = set()
                op["G"] = set()


class World:
    """The numbered owner lists, the nodes, and a network that loses, duplicates and reorders."""

    def __init__(self, r, st, many, wide=False):
        self.rng = r
        self.stats = st
        self.many = many
        self.node_count = r.choice([4, 5, 6, 7])
        self.owner_count = r.choice([3, 3, 5]) if self.node_count > 5 else 3
        self.node_count, self.owner_count = (8, 5) if wide else (self.node_count, self.owner_count)
        self.majority = self.owner_count // 2 + 1
        self.push_rate = 0.08 if wide else 0.4
        self.now = 0
        self.messages = []
        self.operation_count = 0
        self.acked = set()
        self.incarnations = self.node_count
        self.lists = [frozenset(r.sample(range(self.node_count), self.owner_count))]
        self.nodes = [Node(self, i, i, 0) for i in range(self.node_count)]
        self.crashes = 0
        for i in self.lists[0]:
            self.nodes[i].status = "READY"
            self.nodes[i].full = True

    def post(self, a, b, kind, *x):
        self.messages.append((a, b, self.nodes[b].incarnation, self.nodes[a].view, kind, x))

    # ---- clients: a coordinator is a READY owner in its own view
    def start(self):
        n = self.rng.choice(self.nodes)
        if n.status != "READY" or not n.owner() or len(n.operations) > 2:
            return
        self.operation_count += 1
        write = self.rng.random() < 0.5
        n.operations[self.operation_count] = {
            "write": write,
            "got": set(),
            "G": set(),
            "must": set(self.acked),
            "view": n.view,
        }
        if write:
            n.writes.add(self.operation_count)

    def push(self):
        """coordinators ask the owners that have not answered yet"""
        for n in self.nodes:
            for o, op in list(n.operations.items()):
                if self.rng.random() < 0.02:
                    del n.operations[o]
                    continue  # the client gave up (the write may still exist)
                for j in self.lists[n.view] - {n.index} - op["got"]:
                    if self.rng.random() < self.push_rate:
                        self.post(n.index, j, "WRITE" if op["write"] else "READ", o)

    def done(self, n, o, op):
        """answers the client if a majority counts; a read must show every write acknowledged before it began"""
        me = n.owner() and n.status == "READY"
        if not me or len(op["got"] - {n.index}) + 1 < self.majority:
            return
        del n.operations[o]
        self.stats["write_acked" if op["write"] else "read_done"] += 1
        if op["view"] != n.view:
            self.stats["op_across_change"] += 1
        if op["write"]:
            self.acked.add(o)
        elif not op["must"] <= n.writes | op["G"]:
            raise Violation(
                f"QUORUM read at {n.index} (list {n.view}: {set(self.lists[n.view])}) with {op['got']} misses {op['must'] - n.writes - op['G']}; lists {[set(l) for l in self.lists]}; "
                f"{[(m.index, m.view, m.status) for m in self.nodes]}"
            )

    def deliver(self):
        if not self.messages:
            return
        i = self.rng.randrange(len(self.messages))
        a, b, inc, v, kind, x = self.messages[i]
        n = self.nodes[b]
        if self.rng.random() > 0.1:
            self.messages.pop(i)
        if self.rng.random() < 0.1 or n.incarnation != inc:
            return
        self.handle(n, a, b, v, kind, x)

    def handle(self, n, a, b, v, kind, x):
        if (
            not mutant("spec")
            and not (mutant("no_fence") and kind == "PULL")
            and not (mutant("no_viewcheck") and kind not in ("PULL", "STATE"))
        ):
            n.move(v)
        same = n.view == v or mutant("no_viewcheck", "spec")
        if kind == "WRITE":
            if n.status == "EMPTY" and not n.owner():
                return
            if n.status == "EMPTY":
                n.status = "SYNCING"
            n.writes.add(x[0])
            if (
                same
                and (n.owner() or mutant("no_viewcheck", "spec"))
                and (n.status == "READY" or mutant("syncing_acks", "spec"))
            ):
                self.post(b, a, "WROTE", x[0])
            elif not same:
                self.post(b, a, "NEWER")
        elif kind == "READ":
            if same and (n.status == "READY" or mutant("syncing_reads")):
                self.post(b, a, "ANSWER", x[0], frozenset(n.writes))
            elif not same:
                self.post(b, a, "NEWER")
        elif kind in ("WROTE", "ANSWER"):
            op = n.operations.get(x[0])
            if op and same:
                op["got"].add(a)
                if kind == "ANSWER":
                    op["G"] |= x[1]
                self.done(n, x[0], op)
        elif kind == "PULL":
            ready = n.status == "READY" and n.owner()
            self.post(
                b,
                a,
                "STATE",
                v,
                frozenset(n.writes),
                n.full or mutant("amnesiac_source") and n.status != "EMPTY",
                ready,
            )
        elif kind == "STATE":
            n.writes |= x[1]
            if n.status != "SYNCING" or x[0] != n.view:
                return
            if not mutant("no_fence") and not mutant("spec") and v != n.view:
                return
            if n.restarted:
                if x[3] and a in self.lists[n.view]:
                    n.sources.add(a)
            elif x[2] and n.view and a in self.lists[n.view - 1]:
                n.sources.add(a)
            if len(n.sources - {b}) >= (
                1 if mutant("ready_any") or mutant("restart_one") and n.restarted else self.majority
            ):
                n.status = "READY"
                n.full = True
                n.restarted = False
                self.stats["ready"] += 1

    def sync(self):
        for n in self.nodes:
            if n.status == "EMPTY" and n.owner():
                n.status = "SYNCING"
                n.sources = set()
            if n.status == "SYNCING":
                for j in (self.lists[n.view] if n.restarted else self.lists[max(0, n.view - 1)]) - {
                    n.index
                }:
                    if self.rng.random() < 0.3:
                        self.post(n.index, j, "PULL")
            elif n.status == "READY" and self.rng.random() < 0.02:
                self.post(n.index, self.rng.randrange(self.node_count), "PULL")

    def change(self):
        if len(self.lists) > 1 and not self.many:
            return
        old = self.lists[-1]
        new = set(old)
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            new = (
                set(self.rng.sample(range(self.node_count), self.owner_count))
                if self.rng.random() < 0.4
                else (new - {self.rng.choice(sorted(new))})
            )
            while len(new) < self.owner_count:
                new.add(self.rng.randrange(self.node_count))
        if not self.many or any(
            self.nodes[i].view == len(self.lists) - 1 and self.nodes[i].status == "READY"
            for i in old
        ):
            self.lists.append(frozenset(new))
        self.stats["change"] += 1
        self.learn()

    def learn(self):
        n = self.rng.choice(self.nodes)
        if n.view < len(self.lists) - 1:
            n.move(self.rng.randrange(n.view + 1, len(self.lists)))

    def crash(self):
        if self.crashes and not self.many:
            return
        if self.crashes and any(not self.nodes[i].full for i in self.lists[-1]):
            return
        i = self.rng.randrange(self.node_count)
        self.crashes += 1
        self.incarnations += 1
        self.stats["crash"] += 1
        n = self.nodes[i] = Node(
            self,
            i,
            self.incarnations,
            self.rng.choice(self.nodes).view if self.rng.random() < 0.5 else self.nodes[i].view,
        )
        n.restarted = True
        n.status = "SYNCING" if n.owner() else "EMPTY"

    def step(self):
        self.now += 1
        u = self.rng.random()
        if u < 0.15:
            self.start()
        elif u < 0.17:
            self.change()
        elif u < 0.22:
            self.learn()
        elif u < 0.24:
            self.crash()
        else:
            self.deliver()
        if self.rng.random() < 0.4:
            self.push()
            self.sync()
        if len(self.messages) > 80:
            self.messages = self.rng.sample(self.messages, 40)


def story_acks_kept():
    """0 collects 3's acknowledgement in list 0, moves up to list 1 and collects 5's there: together no majority of any list"""
    w = World(random.Random(1), defaultdict(int), False, True)
    w.lists = [frozenset(range(5)), frozenset([0, 1, 2, 5, 6])]
    for n in w.nodes:
        n.status, n.full = ("READY", True) if n.index < 5 else ("EMPTY", False)

    def tell(a, b, kind, *x):
        w.messages = []
        w.post(a, b, kind, *x)
        while w.messages:
            m = w.messages.pop(0)
            w.handle(w.nodes[m[1]], m[0], m[1], m[3], m[4], m[5])

    def op(i, o, write):
        w.nodes[i].operations[o] = {
            "write": write,
            "got": set(),
            "G": set(),
            "must": set(w.acked),
            "view": 0,
        }

    op(0, 1, True)
    w.nodes[0].writes.add(1)
    tell(0, 3, "WRITE", 1)
    for i in (5, 6):
        w.nodes[i].move(1)
        for j in (1, 2, 4):
            tell(i, j, "PULL")
    w.nodes[0].move(1)
    tell(0, 5, "WRITE", 1)
    op(1, 2, False)
    tell(1, 2, "READ", 2)
    tell(1, 6, "READ", 2)


def one_run(rng, stats, many, wide):
    world = World(rng, stats, many, wide)
    for _ in range(rng.choice([150, 400])):
        world.step()


def main(arguments):
    runs, seed, mutant_name, options = harness.parse(arguments, MUTANTS, ["many", "wide"])
    many, wide = "many" in options, "wide" in options
    return harness.campaign(
        runs,
        seed,
        mutant_name,
        options,
        lambda rng, stats: one_run(rng, stats, many, wide),
        [story_acks_kept],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
