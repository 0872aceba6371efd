"""One replica of the slot: receives, parks and applies deltas, transfers state, and checks itself after every step."""
from harness import Violation, mutant
from slot_context import Context
from slot_delta import EPS, ID, Life, norm, spec


class Replica:
    def __init__(self, node, world):
        world.incarnations += 1
        self.node = node
        self.world = world
        self.incarnation = world.incarnations
        self.actor = (node, 0)
        self.next = 1
        self.skew = world.rng.randrange(-EPS, EPS + 1)
        self.view = frozenset(world.target)
        self.attempt = 0
        self.asking = -1
        self.confirmed = {}
        self.asked_at_crash = 0
        self.generation = 0
        self.kept_context = Context()
        self.dead_here = set()
        self.reset_slot()

    def reset_slot(self):
        """holds nothing of the slot; only what a restart of the slot needs stays (`kept_context`, `dead_here`)"""
        self.context = Context()
        self.store = {}
        self.pending = {}
        self.reflects = set()
        self.log = []
        self.status = "EMPTY"
        self.generation += 1
        self.dirty = True
        self.kills_seen = set()
        self.dead_roots = set()
        self.changed()
        if mutant("counter_reset"):
            self.next = 1

    def changed(self):
        """every change begins a new attempt to drop the slot and makes earlier confirmations void"""
        self.attempt += 1
        self.confirmed = {}
        self.dirty = True

    def owner(self):
        return self.node in self.view

    def clock(self):
        return self.world.now + self.skew

    def tick(self):
        """time passes: a new epoch for the actor, absolute deadlines, the floor of the context"""
        t = self.clock()
        if t - self.actor[1] > self.world.rotation_period and not mutant("no_rotation"):
            self.actor = (self.node, t)
            self.next = 1  # never under the floor
        for b in [b for b, x in self.store.items() if x.deadline < t]:
            del self.store[b]  # absolute deadline, local
        lim = (
            t - (self.world.lifetime + self.world.rotation_period + 4 * EPS)
            if not mutant("prune_early")
            else t - self.world.rotation_period - 1
        )
        self.context.prune(lim)
        self.kept_context.prune(lim)
        for i in [i for i, d in self.pending.items() if d.dots[0][0][1] < lim]:
            del self.pending[i]

    def mint(self, n):
        """the next `n` dots of this actor; no dot is ever minted twice"""
        r = tuple((self.actor, self.next + i) for i in range(n))
        self.next += n
        return r

    # ---- look-up by id: only clients come through here, deltas go by birth
    def lookup(self, sid):
        return [x for x in self.store.values() if sid in x.ids()]

    def lookup_logout(self, sid):
        """a logout also reaches a life that held the id once, unless another life holds the id now (foreign ids)"""
        r = self.lookup(sid)
        return (
            r if r or mutant("ended_id_deaf") else [x for x in self.store.values() if sid in x.ever]
        )

    # ---- receive, park, apply
    def receive(self, d):
        """applies a delta, parks it while a dependency is not covered, ignores it if it is covered"""
        if self.context.covers(d.last):
            return
        if (
            d.kind in ("UPDATE", "ROTATE")
            and not mutant("no_deps")
            and any(not self.context.covers(h) for h in d.deps)
        ):
            if d.id not in self.pending:
                self.pending[d.id] = d
                self.changed()
            return
        self.apply(d)
        self.wake()

    def wake(self):
        """applies parked deltas until none can be applied"""
        ch = True
        while ch:
            ch = False
            for i, d in list(self.pending.items()):
                if self.context.covers(d.last):
                    del self.pending[i]
                    ch = True
                elif all(self.context.covers(h) for h in d.deps):
                    del self.pending[i]
                    self.apply(d)
                    ch = True

    def lives_named(self, d):
        """the live lives a delta is for"""
        if mutant("upd_by_id") and d.kind == "UPDATE" or mutant("kill_by_id") and d.kind == "KILL":
            return self.lookup(d.session_id)  # wrong: the id may belong to another life by now
        if mutant("rot_by_id"):
            return [
                self.store[b]
                for b in d.births
                if b in self.store and d.session_id in self.store[b].ids()
            ]
        return [self.store[b] for b in d.births if b in self.store]

    def apply(self, d):
        self.changed()
        self.log.append(d)
        st = self.world.stats
        if len(self.log) > self.world.log_max:
            self.log.pop(0)
        lives = self.lives_named(d)
        if d.kind == "KILL":
            for x in lives:
                del self.store[x.birth]
                if d.session_id not in x.ids():
                    st["kill_hits_rotated"] += 1
            if not mutant("kill_no_void"):
                for b in d.births:
                    self.context.add(b)
            self.kills_seen |= d.births
            if d.by == "client":
                self.dead_roots |= d.roots
        elif d.kind == "CREATE":
            (b,) = d.births
            if not self.context.covers(b):
                if not (mutant("one_life") and self.lookup(d.session_id)):
                    x = Life(b, d.deadline, next(iter(d.roots)))
                    x.heads = {d.last}
                    self.store[b] = x
                    self.apply_operations(x, d)
            elif lives and len(d.members) > 1:
                self.update(lives[0], d)  # CREATE came alone before, this is a group
        else:
            for x in lives:
                if d.session_id not in x.ids() and d.kind == "UPDATE":
                    st["update_carried"] += 1
                if mutant("rot_extends") and d.kind == "ROTATE":
                    # wrong: a ROTATE must not move the deadline
                    x.deadline = max(x.deadline, d.deadline + self.world.lifetime)
                    self.world.deadline_of[x.birth] = x.deadline
                self.update(x, d)
            if not lives and mutant("addwins"):  # resurrecting update
                b = min(d.births)
                x = Life(b, d.deadline, b)
                self.store[b] = x
                self.apply_operations(x, d)
                x.heads = {d.last}
        for t in d.dots:
            self.context.add(t)
        self.reflects |= set(d.members)

    def update(self, x, d):
        self.apply_operations(x, d)
        x.heads = (x.heads - d.superseded_heads) | {d.last}

    def apply_operations(self, x, d):
        for op in d.operations:
            if self.context.covers(op[4]) and (not mutant("merge_noskip") or op[4] == x.birth):
                continue  # op-level idempotency (groups)
            m = x.attributes.setdefault(op[1], {})
            if not (mutant("rot_keepold") and op[1] == ID):
                for t in op[3]:
                    m.pop(t, None)
            if op[0] == "PUT":
                m[op[4]] = op[2]
                if op[1] == ID:
                    x.ever.add(op[2])
            if mutant("lww_collapse") and len(m) > 1:
                w = max(m)
                for t in list(m):
                    if t != w:
                        del m[t]
            if not m:
                x.attributes.pop(op[1], None)

    # ---- state transfer: an atomic (context, live dots, entries)
    def snapshot(self, peer_context):
        """all of this replica; the entries only of lives that have something the peer has not seen"""
        ent = {
            b: x.copy()
            for b, x in self.store.items()
            if any(not peer_context.covers(t) for t in x.live())
        }
        lives = {
            b: (set(x.heads), {(k, t) for k, m in x.attributes.items() for t in m})
            for b, x in self.store.items()
        }
        return (
            self.context.copy(),
            lives,
            ent,
            dict(self.pending),
            self.status,
            (set(self.reflects), set(self.kills_seen), set(self.dead_roots)),
        )

    def join_snapshot(self, snap):
        """(A & B) | (A - context of B) | (B - context of A), for lives and within each life"""
        octx, lives, ent, pend, ostat, (G, ks, dr) = snap
        self.changed()
        for b in list(self.store):  # 1. remove what the other has seen and no longer holds
            x = self.store[b]
            if octx.covers(b) and b not in lives:
                del self.store[b]
                continue
            oh, oa = lives.get(b, (set(), set()))
            x.heads = {h for h in x.heads if h in oh or not octx.covers(h)}
            for k in list(x.attributes):
                m = x.attributes[k]
                for t in list(m):
                    if octx.covers(t) and (k, t) not in oa:
                        del m[t]
                if not m:
                    del x.attributes[k]
        for b, y in ent.items():  # 2. add what we have not seen
            x = self.store.get(b)
            if x is None:
                if self.context.covers(b):
                    continue  # dead here
                x = self.store[b] = Life(b, y.deadline, y.root)
            x.ever |= y.ever
            x.heads |= {h for h in y.heads if not self.context.covers(h)}
            for k, m in y.attributes.items():
                for t, v in m.items():
                    if not self.context.covers(t):
                        x.attributes.setdefault(k, {})[t] = v
        # 3. contexts and ghosts
        self.context.join(octx)
        self.reflects |= G
        self.kills_seen |= ks
        self.dead_roots |= dr
        for d in pend.values():  # 4. parked deltas of the other side are offered too
            if not self.context.covers(d.last):
                self.pending.setdefault(d.id, d)
        self.wake()
        if ostat == "READY" and self.status != "READY":
            if self.context.dominates(self.kept_context) or mutant("forget_ctx"):
                self.status = "READY"
            else:
                self.world.stats["not_ready_kept_ctx"] += 1

    # ---- the invariants
    def check(self):
        """the store equals the specification of what it reflects, and nothing killed is shown"""
        if not self.dirty or (self.status != "READY" and not mutant("serve_syncing")):
            return
        self.dirty = False
        # lives near or after their absolute deadline are not compared
        ok = lambda x: x.deadline > self.world.now + 2 * EPS + 1
        for b, x in self.store.items():
            if x.deadline < self.clock() - 1:
                raise Violation(f"{self.node}: {b} outlived its absolute deadline")
            if b in self.kills_seen:
                raise Violation(f"{self.node}: resurrected {b}")
            if b in self.dead_here and x.deadline > self.world.now + 2 * EPS + 1:
                raise Violation(
                    f"{self.node}: had killed {b}, dropped the slot, regained it and shows it again"
                )
            if x.root in self.dead_roots and ok(x):
                raise Violation(
                    f"{self.node}: shows {x.ids()}, a session that a client has logged out"
                )
        sp = norm(spec(self.reflects), ok)
        st = norm(self.store, ok)
        if sp != st:
            raise Violation(
                f"{self.node} store!=spec(G)\n store={st}\n spec ={sp}\n G={sorted(self.reflects, key=lambda d: str(d.id))}\n"
            )
