#!/usr/bin/env python3
"""ROTATE as "new birth + list of ancestors" (the first proposal) against ROTATE as "the id is an attribute of the life".

Exhaustive for any number of replicas: a scenario is a handful of deltas; the explorer closes the set of replica states under
"any delta arrives" (if its deps are covered) and "any state joins any other state". Every pair of reachable states is jointly
reachable, because each replica may receive any delta by itself. Checked on every state:
  SET    two states with the same set of applied deltas G have the same store          (otherwise replicas diverge for ever)
  FINAL  KILL in G: no session that was ever reached from the killed birth is in the store
  ALIVE  no KILL in G, CREATE and one ROTATE in G: some session is live                   (no accidental logout)
  KEPT   no KILL in G, an UPDATE in G that nothing superseded: its entry is in some live session     (no lost write)
usage: rotate_ancestors.py"""
import sys

# scenario deltas: name -> (kind, dot, births named, deps, superseded dots, entries seen at the ROTATE)
C = ("CREATE", "c", (), (), (), ())
U = ("UPDATE", "u", ("c",), ("c",), (), ())
R1 = ("ROTATE", "r1", ("c",), ("c",), ("c",), ())
R2 = ("ROTATE", "r2", ("c",), ("c",), ("c",), ())
R3 = ("ROTATE", "r3", ("r1",), ("r1",), ("r1",), ())  # chain c -> r1 -> r3
V = ("UPDATE", "v", ("r1",), ("r1", "u"), ("u",), ())  # written under r1, replaces u
K = ("KILL", "k", ("c",), (), (), ())
K1 = ("KILL", "k1", ("r1",), (), (), ())
SCENARIOS = {
    "rotate|kill": (C, R1, K),
    "rotate|update": (C, U, R1),
    "rotate|update|kill": (C, U, R1, K),
    "rotate|rotate": (C, R1, R2),
    "rotate|rotate|kill": (C, R1, R2, K),
    "rotate|rotate|kill one": (C, R1, R2, K1),
    "chain|kill": (C, R1, R3, K),
    "chain|update|kill": (C, U, R1, R3, K),
    "chain|kill middle": (C, R1, R3, K1),
    "chain|rotate": (C, R1, R3, R2),
    "rotate|update+overwrite|rotate": (C, U, R1, V, R2),
}
ANC = {
    "c": frozenset("c"),
    "r1": frozenset(["c", "r1"]),
    "r2": frozenset(["c", "r2"]),
    "r3": frozenset(["c", "r1", "r3"]),
}  # line(y)


class Rules:
    """ancestors=True: the proposal. opts: carry (UPDATE of an ancestor goes to the descendant), move (the ROTATE takes over what the
    old session holds here; otherwise only what it names), fork (old session rotated away by another ROTATE: create all the same),
    skip (the ancestor rule on joins), kill_anc (KILL reaches descendants), before (skip judged before step 1 of the join),
    drop_anc (ancestors forgotten)"""

    def __init__(self, name, ancestors=True, **o):
        self.name = name
        self.ancestors = ancestors
        self.options = o

    def line(self, b):
        return (
            frozenset(forget(b))
            if self.options.get("forget")
            else ANC[b]
            if not self.options.get("drop_anc")
            else frozenset([b])
        )

    def apply(self, st, d):
        G, ctx, store = st
        kind, dot, births, deps, sup, seen = d
        S = dict(store)
        if dot in ctx or (kind in ("UPDATE", "ROTATE") and not set(deps) <= ctx):
            return None
        if (
            not self.ancestors
        ):  # the id is an attribute of the life "c"; entries: ("id", dot) and ("a", dot)
            if kind == "CREATE" and dot not in ctx:
                S[dot] = frozenset([("id", dot)])
            elif kind == "KILL":
                S.pop("c", None)
            elif "c" in S and kind == "UPDATE":
                S["c"] = frozenset(e for e in S["c"] if e[1] not in sup) | {("a", dot)}
            elif "c" in S and kind == "ROTATE":
                S["c"] = frozenset(e for e in S["c"] if not (e[0] == "id" and e[1] in sup)) | {
                    ("id", dot)
                }
            return (
                G | {dot},
                ctx | {dot} | ({"c"} if kind == "KILL" else set()),
                frozenset(S.items()),
            )
        if kind == "CREATE":
            if dot not in ctx:
                S[dot] = frozenset()
        elif kind == "KILL":
            for b in list(S):
                if births[0] == b or (
                    self.options.get("kill_anc", True) and births[0] in self.line(b)
                ):
                    del S[b]
            ctx = ctx | set(births)
        elif kind == "UPDATE":
            for b in list(S):
                if b == births[0] or (self.options.get("carry") and births[0] in self.line(b)):
                    S[b] = (S[b] - set(sup)) | {dot}
        elif kind == "ROTATE":
            old = births[0]
            if old in S:
                x = S.pop(old)
                S[dot] = x if self.options.get("move", True) else frozenset(seen)
            elif self.options.get("fork") and any(old in self.line(b) for b in S):
                S[dot] = frozenset(seen)
            ctx = ctx | set(births)
        return (G | {dot}, ctx | {dot}, frozenset(S.items()))

    def join(self, a, b):
        (G, ctx, sa), (H, octx, sb) = a, b
        A = dict(sa)
        B = dict(sb)
        before = set(A)
        ids = not self.ancestors
        if self.options.get("nearest"):
            return self.join_nearest(a, b)
        key = (lambda e: e[1]) if ids else (lambda e: e)
        for x in list(A):
            if x in octx and x not in B:
                del A[x]
                continue
            A[x] = frozenset(e for e in A[x] if key(e) not in octx or e in B.get(x, ()))
        at = before if self.options.get("before", True) else set(A)
        for y, ents in B.items():
            if y not in A:
                if y in ctx:
                    continue
                if (
                    self.ancestors
                    and self.options.get("skip", True)
                    and any(p in ctx and p not in at for p in self.line(y) - {y})
                ):
                    continue
                A[y] = frozenset()
                if self.options.get(
                    "carry"
                ):  # what the erased ancestor held and the other side has not seen goes to the descendant
                    for p in self.line(y) - {y}:
                        A[y] |= frozenset(e for e in dict(sa).get(p, ()) if e not in octx)
            A[y] |= frozenset(e for e in ents if key(e) not in ctx or (y not in before and not ids))
        return (G | H, ctx | octx, frozenset(A.items()))

    def join_nearest(self, a, b):
        """the best repair found: judge by the NEAREST ancestor that the other side covers, in both directions; merge entries with it"""
        (G, ctx, sa), (H, octx, sb) = a, b
        A = dict(sa)
        B = dict(sb)
        out = {}
        near = lambda y, c: next(
            (p for p in (forget(y) if self.options.get("forget") else ORDER[y])[1:] if p in c), None
        )
        for x, ex in A.items():
            p = x if x in octx else near(x, octx)
            if p is not None and p not in B:
                continue  # dead there
            eb = B.get(p, frozenset())
            out[x] = (
                (ex & eb)
                | frozenset(e for e in ex if e not in octx)
                | frozenset(e for e in eb if e not in ctx)
            )
        for y, ey in B.items():
            if y in A or y in ctx:
                continue
            p = near(y, ctx)
            if p is not None and p not in A:
                continue  # dead here
            ea = A.get(p, frozenset())
            out[y] = (
                (ey & ea)
                | frozenset(e for e in ey if e not in ctx)
                | frozenset(e for e in ea if e not in octx)
            )
        return (G | H, ctx | octx, frozenset(out.items()))


def forget(y):
    return [p for p in ORDER[y] if not (y == "r3" and p == "c")]


ORDER = {"c": ["c"], "r1": ["r1", "c"], "r2": ["r2", "c"], "r3": ["r3", "r1", "c"]}  # nearest first


def explore(rules, deltas):
    start = (frozenset(), frozenset(), frozenset())
    how = {start: "-"}
    todo = [start]
    bySet = {}
    bad = {}
    while todo:
        s = todo.pop()
        new = [(rules.apply(s, d), f"{how[s]} {d[1]}") for d in deltas]
        for t in list(how):
            new.append((rules.join(s, t), f"[{how[s]}]<-[{how[t]}]"))
            new.append((rules.join(t, s), f"[{how[t]}]<-[{how[s]}]"))
        for n, h in new:
            if n is None or n in how:
                continue
            how[n] = h
            todo.append(n)
            G, _, store = n
            S = dict(store)
            if G in bySet and bySet[G] != store:
                bad.setdefault(
                    "SET",
                    f"{h} -> {show(store)}   but   {how_of(how, G, bySet[G])} -> {show(bySet[G])}",
                )
            bySet.setdefault(G, store)
            kills = [d for d in deltas if d[0] == "KILL" and d[1] in G]
            for d in kills:
                if (
                    any(d[2][0] in ANC.get(b, ()) for b in S)
                    and rules.ancestors
                    or (not rules.ancestors and S)
                ):
                    bad.setdefault("FINAL", f"{h} -> {show(store)}")
            if not kills and "c" in G and not S:
                bad.setdefault("ALIVE", f"{h} -> nothing")
            if not kills and {"c", "u"} <= G and "v" not in G:
                e = "u" if rules.ancestors else ("a", "u")
                if not any(e in x for x in S.values()):
                    bad.setdefault("KEPT", f"{h} -> {show(store)}")
    return len(how), bad


def how_of(how, G, store):
    return next(h for n, h in how.items() if n[0] == G and n[2] == store)


def show(store):
    return "{" + ", ".join(f"{b}:{sorted(map(str, e))}" for b, e in sorted(store)) + "}"


VARIANTS = [
    Rules("P  proposal (move)"),
    Rules("P1 ... KILL by birth only", kill_anc=False),
    Rules("P2 ... no ancestor rule on join", skip=False),
    Rules("P3 ... join rule judged after step 1", before=False),
    Rules("P4 ... ancestors forgotten", drop_anc=True),
    Rules("C  + updates carried", carry=True),
    Rules("N  carried, nearest ancestor, both directions", carry=True, nearest=True),
    Rules("N+ ... and fork", carry=True, nearest=True, fork=True),
    Rules(
        "N- ... and the oldest ancestor of a chain is dropped",
        carry=True,
        nearest=True,
        forget=True,
    ),
    Rules("F  + carried + fork", carry=True, fork=True),
    Rules("F2 + fork, no carry, ROTATE names its content", move=False, fork=True),
    Rules("F3 = F2 without the ancestor rule on join", move=False, fork=True, skip=False),
    Rules("A  id is an attribute (no ancestors)", ancestors=False),
]


def main():
    wrong = 0
    for rules in VARIANTS:
        failed = 0
        print(rules.name)
        for name, deltas in SCENARIOS.items():
            states, bad = explore(rules, deltas)
            failed += bool(bad)
            print(f"   {name:32s} {states:6d} states  " + (" ".join(sorted(bad)) or "ok"))
            for kind, path in bad.items():
                print(f"        {kind}: {path[:220]}")
        # the rule of the project must pass every scenario; every proposal with ancestors must fail one
        if bool(failed) != rules.ancestors:
            wrong += 1
    print(f"{'FAIL' if wrong else 'OK'} {len(VARIANTS)} variants, {wrong} not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
