"""What clients do, the answers they get, and the ghosts that judge these answers."""
from harness import Violation, active_mutant, mutant
from slot_delta import EPS, FOREIGN, ID, Delta, may_merge, merge_group


class Clients:
    """A part of World: users who create, read, write, rotate and log out, with a token each."""

    def send(self, o, d):
        """queues a delta of replica `o` for every other owner in its view, sometimes merged into a queued one"""
        for j in sorted(o.view - {o.node}):
            if self.rng.random() < 0.6:
                link = (o.node, j, self.nodes[j].incarnation)
                # the newest queued delta on the same life, if it may merge
                for i in range(len(self.messages) - 1, -1, -1):
                    a, b, inc, m = self.messages[i]
                    if (a, b, inc) != link or not m.births & d.births:
                        continue
                    if may_merge(m, d):
                        self.merged_groups += 1
                        self.messages[i] = (a, b, inc, merge_group(m, d, ("g", self.merged_groups)))
                        self.stats["merged"] += 1
                    else:
                        self.messages.append((o.node, j, self.nodes[j].incarnation, d))
                    break
                else:
                    self.messages.append((o.node, j, self.nodes[j].incarnation, d))
            else:
                self.messages.append((o.node, j, self.nodes[j].incarnation, d))

    def write(self, rep, sid, kind, lives, ops, by="client", root=None):
        """mints a delta on a replica that names `lives`, applies it there and sends it to the other owners"""
        n = len(ops) + (kind in ("CREATE", "KILL"))
        dots = rep.mint(n)
        self.delta_count += 1
        k = 0
        births = frozenset(x.birth for x in lives)
        deps = set()
        if kind == "CREATE":
            births = frozenset(dots[:1])
            k = 1
        elif kind != "KILL":
            deps = {h for x in lives for h in x.heads}
        # the first id has the birth dot
        full = [("PUT", ID, sid, frozenset(), dots[0])] if kind == "CREATE" else []
        full += [(op[0], op[1], op[2], frozenset(op[3]), dots[k + i]) for i, op in enumerate(ops)]
        dl = rep.clock() + self.lifetime if kind == "CREATE" else min(x.deadline for x in lives)
        d = Delta(self.delta_count, sid, kind, dots, births, frozenset(deps), tuple(full), dl)
        d.by = by
        d.roots = (
            frozenset([root or dots[0]]) if kind == "CREATE" else frozenset(x.root for x in lives)
        )
        d.rotations = frozenset(e for e in rep.reflects if e.kind == "ROTATE" and e.births & births)
        if mutant("name_one") and kind in ("UPDATE", "KILL"):
            d.births = frozenset([min(births)])
        if kind == "CREATE":
            self.deadline_of[dots[0]] = dl
        rep.receive(d)
        assert d in rep.reflects or active_mutant()
        self.acked.append((d, {(rep.node, rep.incarnation, rep.generation)}))
        self.send(rep, d)
        self.stats[kind] += 1
        return d

    def client_op(self):
        """a random client does one thing at a random owner, or nothing if the owner may not serve it"""
        r = self.rng
        c = r.choice(self.clients)
        own = [n for n in self.nodes if n.owner()]
        if not own:
            return
        rep = next(
            (n for n in own if n.node == c["home"] and r.random() < self.sticky_rate), None
        ) or r.choice(own)
        if rep.view != self.target:
            self.stats["op_with_other_view"] += 1
        if rep.status == "EMPTY":
            return
        if rep.status != "READY" and not mutant("serve_syncing"):
            if not (c["sid"] is None and r.random() < 0.5):
                return  # CREATE is allowed on a SYNCING owner
        if c["sid"] is None or r.random() < 0.05:
            return self.begin(c, rep)
        sid = c["sid"]
        if not all(rep.context.covers(t) for t in c["token"]):
            return  # STALE: the client goes elsewhere
        self.use(c, rep, sid)

    def use(self, c, rep, sid):
        """a client with a token that the replica covers: read, update, rotate or log out"""
        lives = rep.lookup(sid)
        births = {x.birth for x in lives}
        lost = [d for d in c["seen"] if d not in rep.reflects and d.births & births]
        if lost:
            raise Violation(f"token passed on {rep.node} but not reflected: {lost}")
        u = self.rng.random()
        rotating = 0.12 if self.schedule == "rotate" else 0.05
        if u > (0.75 if self.schedule == "regain" else 0.9):
            return self.logout(c, rep, sid)
        if not lives:
            c["sid"] = None
            return
        self.ghost_read(rep, sid, lives)
        forked = [x for x in lives if len(x.ids()) > 1]
        if forked:
            self.stats["two_ids_seen"] += 1
        if forked and self.policy == "REVOKE":
            if any(len({self.request.get(i, i) for i in x.ids()}) == 1 for x in forked):
                ids = [x.ids() for x in lives]
                raise Violation(f"{rep.node}: a retried ROTATE would end its own session {ids}")
            if not mutant("no_revoke"):  # refused to the client, and the life is ended
                self.write(rep, sid, "KILL", forked, [], by="revoke")
                c["sid"] = None
                return
        if self.policy == "REVOKE":
            self.ghost_separation(rep, sid, lives)
        now = {d for d in rep.reflects if d.births & births}
        if len(lives) > 1:
            self.stats["two_lives_seen"] += 1
        if u < 0.3:
            c["token"] = {h for x in lives for h in x.heads}
            c["seen"] = now
            return
        if u < 0.3 + rotating and sid not in FOREIGN or u < 0.36 and sid in FOREIGN:
            return self.rotate(c, rep, sid, lives, now)
        self.update(c, rep, sid, lives, now)

    def update(self, c, rep, sid, lives, now):
        """a client changes one or two attributes; its operations supersede the dots it saw"""
        ops = []
        for k in self.rng.sample(["a", "b", "c"], self.rng.choice([1, 1, 2])):
            seen = {t for x in lives for t in x.attributes.get(k, {})}
            if self.rng.random() < 0.25 and seen:
                ops.append(("DEL", k, None, seen))
            else:
                ops.append(("PUT", k, f"v{self.delta_count}.{k}", seen))
        if len(lives) > 1:
            self.stats["update_of_two_lives"] += 1
        d = self.write(rep, sid, "UPDATE", lives, ops)
        c["token"] = {d.last}
        c["seen"] = now | {d}

    def begin(self, c, rep):
        """a client without a session takes one that others use, or creates one"""
        r = self.rng
        c["token"] = set()
        c["seen"] = set()
        if r.random() < self.share_rate and self.session_ids and rep.status == "READY":
            c["sid"] = r.choice(self.session_ids[-3 if self.share_rate > 0.5 else -12 :])
            return
        if r.random() < self.foreign_rate:
            sid = r.choice(FOREIGN[: 2 if self.schedule == "foreign" else 3])
        else:
            self.id_count += 1
            sid = f"s{self.id_count}"
        if rep.lookup(sid):
            c["sid"] = sid
            return  # ALREADY_EXISTS
        if sid in self.session_ids:
            self.stats["id_created_again"] += 1
        ops = [("PUT", "a", f"v{self.delta_count}", [])] if r.random() < 0.7 else []
        d = self.write(rep, sid, "CREATE", [], ops)
        self.session_ids.append(sid)
        c["sid"] = sid
        c["token"] = {d.last}
        c["seen"] = {d}

    def rotate(self, c, rep, sid, lives, now):
        """a client changes its id; sometimes the reply is lost and it will retry"""
        again = c.get("retry")
        if again and again[0] == sid and not mutant("retry_newid"):
            new = again[1]
            self.stats["rotate_retried"] += 1  # same request: same new id (idempotent)
        else:
            self.id_count += 1
            new = f"s{self.id_count}"
            self.session_ids.append(new)
        self.request[new] = self.request[again[1]] if again and again[0] == sid else new
        c["sid"] = new
        c["retry"] = None
        if mutant("rot_rebirth"):  # ROTATE as KILL(old birth) + CREATE(new birth) without ancestors
            root = lives[0].root
            self.write(rep, sid, "KILL", lives, [], by="rotate")
            d = self.write(rep, new, "CREATE", [], [], root=root)
            c["token"] = {d.last}
            c["seen"] = {d}
            return
        ops = [("PUT", ID, new, {t for x in lives for t in x.attributes.get(ID, {})})]
        if self.rng.random() < 0.5:
            seen = {t for x in lives for t in x.attributes.get("a", {})}
            ops.append(("PUT", "a", f"v{self.delta_count}.rot", seen))
        d = self.write(rep, sid, "ROTATE", lives, ops)
        c["token"] = {d.last}
        c["seen"] = now | {d}
        if rep.lookup(sid):
            raise Violation(f"{rep.node}: {sid} still opens a session after its ROTATE")
        if any(
            e.kind == "ROTATE" and e.births & d.births and e not in rep.reflects
            for e, _ in self.acked
        ):
            self.stats["rotate_concurrent"] += 1
        if len(d.rotations) > 1:
            self.stats["rotate_chain"] += 1
        if self.rng.random() < 0.25:  # the reply was lost
            c["sid"] = sid
            c["retry"] = (sid, new)
            c["token"] = set()
            c["seen"] = set()

    def logout(self, c, rep, sid):
        lives = rep.lookup_logout(sid)
        c["sid"] = None
        if lives and not rep.lookup(sid):
            self.stats["logout_by_ended_id"] += 1
        if len(lives) > 1:
            self.stats["kill_of_two_lives"] += 1
        if lives:
            self.write(rep, sid, "KILL", lives, [])
        left = rep.lookup(sid) or [
            x for x in rep.store.values() if sid in x.ever and sid not in FOREIGN
        ]
        if left:
            raise Violation(
                f"{rep.node}: a logout with {sid} was answered, but {[x.ids() for x in left]} lives"
            )

    def ghost_read(self, rep, sid, lives):
        """a session is not readable once every READY owner has applied its KILL; an ended id finds nothing"""
        rd = [n for n in self.nodes if n.status == "READY" and n.owner()]
        for x in lives:
            if (
                rd
                and all(x.birth in n.kills_seen for n in rd)
                and x.deadline > self.now + 2 * EPS + 1
            ):
                raise Violation(
                    f"zombie read of {sid} on {rep.node} ({rep.status}): every READY owner has applied its KILL"
                )
            mine = {
                d for d in rep.reflects if x.birth in d.births and d.kind in ("CREATE", "ROTATE")
            }
            ended = {t for d in mine for op in d.operations if op[1] == ID for t in op[3]}
            given = {op[4] for d in mine for op in d.operations if op[1] == ID and op[2] == sid}
            if given and given <= ended:
                raise Violation(
                    f"{rep.node}: {sid} opens a session although its ROTATE was applied"
                )

    def ghost_separation(self, rep, sid, lives):
        """REVOKE: what was written after a ROTATE is shown only through ids that descend from that ROTATE"""
        for x in lives:
            mine = {d for d in rep.reflects if x.birth in d.births and d.kind != "KILL"}
            giver = [
                d
                for d in mine
                for op in d.operations
                if op[0] == "PUT" and op[1] == ID and op[2] == sid
            ]
            if not giver:
                continue
            # ROTATEs of this life
            of_x = lambda d: {
                e for e in d.rotations | {d} if e.kind == "ROTATE" and x.birth in e.births
            }
            known = set().union(*(of_x(g) for g in giver))
            dots = {t for m in x.attributes.values() for t in m}
            for d in mine:
                if (
                    not of_x(d) <= known
                    and any(op[4] in dots for op in d.operations)
                    and d not in giver
                ):
                    raise Violation(
                        f"{rep.node}: {sid} shows {d}, written under an id it does not descend from"
                    )
