"""The network, crashes, partitions; membership views and the drop of a slot."""
from harness import Violation, mutant
from slot_context import Context
from slot_replica import Replica


class Network:
    """A part of World: loses, duplicates and reorders; cuts nodes off and restarts them without memory."""

    def deliver(self):
        """a queued delta arrives, is lost, or arrives and stays queued as a duplicate"""
        if not self.messages:
            return
        i = self.rng.randrange(len(self.messages))
        a, b, inc, d = self.messages[i]
        rep = self.nodes[b]
        if not self.connected(a, b):
            return
        if self.rng.random() > 0.15:
            self.messages.pop(i)  # else: a duplicate stays
        if self.rng.random() < 0.1:
            return  # lost
        if rep.incarnation != inc and self.rng.random() < 0.5:
            return
        if rep.status == "EMPTY":
            if not rep.owner():
                self.stats["misplaced_refused"] += 1
                return  # not an owner and holds nothing: no ack
            rep.status = "SYNCING"
            rep.dirty = True
        rep.receive(d)
        for e, h in self.acked[-60:]:
            if e in d.members and e in rep.reflects:
                h.add((b, rep.incarnation, rep.generation))  # ack only what is APPLIED

    def sync(self):
        """one replica brings another up to date: by its log, or by a snapshot that may travel"""
        r = self.rng
        a, b = r.sample(range(self.node_count), 2)
        A, B = self.nodes[a], self.nodes[b]
        if not self.connected(a, b) or A.status == "EMPTY":
            return
        if B.status == "EMPTY":
            if not B.owner():
                return
            B.status = "SYNCING"
            B.dirty = True
        if r.random() < 0.4:  # by the log
            for d in list(A.log):
                if not B.context.covers(d.last):
                    B.receive(d)
            return
        if A.status != "READY" and B.status == "READY" and r.random() < 0.3:
            return
        if mutant("nonatomic"):  # context taken first, sessions later
            c0 = A.context.copy()
            for _ in range(3):
                m = next((m for m in self.messages if m[1] == A.node), None)
                if m:
                    A.receive(m[3])
            B.join_snapshot((c0,) + A.snapshot(B.context.copy())[1:])
            return
        if r.random() < 0.6:
            # the answer travels
            self.snapshots.append((a, b, B.incarnation, B.generation, A.snapshot(B.context.copy())))
        else:
            B.join_snapshot(A.snapshot(B.context.copy()))

    def snap_arrives(self):
        if not self.snapshots:
            return
        a, b, inc, gen, sn = self.snapshots.pop(self.rng.randrange(len(self.snapshots)))
        B = self.nodes[b]
        if not self.connected(a, b) or B.incarnation != inc or B.status == "EMPTY":
            return
        if B.generation != gen and not mutant("snap_nogen"):
            return  # slot dropped meanwhile: the filter context is void
        B.join_snapshot(sn)

    def crash(self):
        """a node forgets everything and comes back as another incarnation"""
        live = [n for n in self.nodes if n.status == "READY"]
        i = self.rng.randrange(self.node_count)
        old = self.nodes[i]
        if old.status == "READY" and len(live) <= 1:
            return  # total loss is a separate, documented case
        n = Replica(i, self)
        n.view = old.view
        n.actor = (i, max(n.clock(), old.actor[1] + 1))  # start epoch above the last one
        if mutant("reuse_actor"):
            n.actor = old.actor
        self.nodes[i] = n
        self.crashes += 1
        self.stats["crash"] += 1

    def partition(self):
        """some nodes are cut off from the rest, or the cut heals"""
        if self.cut_off:
            self.cut_off = None
        else:
            size = self.rng.randrange(1, self.node_count)
            self.cut_off = set(self.rng.sample(range(self.node_count), size))

    def orphan(self):
        """no READY replica in reach for long: an owner serves with what it has (and says DEGRADED)"""
        n = self.rng.choice(self.nodes)
        if (
            n.owner()
            and n.status == "SYNCING"
            and not any(m.status == "READY" and self.connected(m.node, n.node) for m in self.nodes)
        ):
            n.status = "READY"
            n.dirty = True
            n.kept_context = Context()
            n.dead_here = set()
            self.stats["orphan_ready"] += 1


class Views:
    """A part of World: who owns the slot, who believes what about it, and when a node may drop its copy."""

    def set_view(self, n, v):
        if v == n.view:
            return
        n.view = frozenset(v)
        n.changed()
        if n.owner() and n.status == "EMPTY":
            n.status = "SYNCING"
            n.dirty = True

    def retarget(self):
        self.target = frozenset(self.rng.sample(range(self.node_count), self.owner_count))
        self.learn()

    def learn(self):
        self.set_view(self.rng.choice(self.nodes), self.target)

    def mislead(self):
        """a false suspicion: one node believes in other owners"""
        node = self.rng.choice(self.nodes)
        size = self.rng.randrange(1, self.owner_count + 1)
        self.set_view(node, self.rng.sample(range(self.node_count), size))

    def try_drop(self):
        """every node that holds the slot without owning it asks the owners of its view"""
        for n in self.nodes:
            if n.owner() or n.status == "EMPTY":
                continue
            if mutant("drop_blind"):
                n.asked_at_crash = self.crashes
                self.drop(n)
                continue
            if n.asking == n.attempt and self.rng.random() < 0.7:
                continue  # a question is still out: wait, then ask anew
            if not mutant("drop_stale"):
                n.changed()  # every new question is a new attempt
            n.asking = n.attempt
            n.asked_at_crash = self.crashes
            for j in sorted(n.view):
                self.questions.append(
                    (n.node, n.incarnation, j, n.attempt, n.context.copy(), dict(n.pending))
                )

    def drop_protocol(self):
        """a question or an answer of the drop protocol arrives (late, in any order, or never)"""
        if self.questions and self.rng.random() < 0.5:
            a, inc, j, att, ctx, pend = self.questions.pop(self.rng.randrange(len(self.questions)))
            o = self.nodes[j]
            if not self.connected(a, j) or self.rng.random() < 0.1:
                return
            if not o.owner() and not mutant("drop_noview"):
                self.stats["drop_refused_not_owner"] += 1
                return
            if (
                o.status == "READY"
                and (o.context.dominates(ctx) or mutant("drop_nodom"))
                and all(o.context.covers(d.last) or i in o.pending for i, d in pend.items())
            ):
                self.answers.append((j, a, inc, att))
        elif self.answers:
            j, a, inc, att = self.answers.pop(self.rng.randrange(len(self.answers)))
            n = self.nodes[a]
            if not self.connected(a, j) or n.incarnation != inc or n.status == "EMPTY":
                return
            if att != n.attempt and not mutant("drop_stale"):
                self.stats["drop_answer_void"] += 1
                return
            n.confirmed[j] = att
            if not n.owner() and set(n.confirmed) >= n.view:
                self.drop(n)

    def drop(self, n):
        self.stats["dropped"] += 1
        if n.view != self.target:
            self.stats["dropped_with_other_view"] += 1
        rest = [m for m in self.nodes if m is not n]
        for d in n.reflects:  # ghost: a drop never removes the last copy
            # covered by its KILL, nobody needs it any more
            moot = d.kind != "KILL" and d.births <= n.kills_seen
            if (
                self.fresh(d)
                and not moot
                and self.crashes == n.asked_at_crash
                and not any(d in m.reflects for m in rest)
            ):
                raise Violation(f"{n.node} (view {set(n.view)}) dropped the last copy of {d}")
        for e, h in self.acked:
            if (n.node, n.incarnation, n.generation) in h:
                h.discard((n.node, n.incarnation, n.generation))
                h |= {(m.node, m.incarnation, m.generation) for m in rest if e in m.reflects}
        n.kept_context.join(n.context)
        n.kept_context.floor = max(n.kept_context.floor, n.context.floor)
        n.dead_here |= n.kills_seen
        n.reset_slot()
