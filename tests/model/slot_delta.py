"""Deltas, lives and the specification: the state of a slot as a pure function of the SET of deltas it reflects."""
from collections import defaultdict

from harness import mutant

ID = "\0id"  # name of the id register
FOREIGN = ["F1", "F2", "F3"]  # ids that the application chose; they can be created twice
EPS = 2  # clock skew of a node, in steps


class Delta:
    """ops: (kind PUT|DEL|VOID, attribute, value, superseded dots, own dot). Ghosts: roots, rots, by."""

    __slots__ = (
        "id",
        "session_id",
        "kind",
        "dots",
        "births",
        "deps",
        "operations",
        "deadline",
        "members",
        "superseded_heads",
        "roots",
        "rotations",
        "by",
    )

    def __init__(self, id, sid, kind, dots, births, deps, ops, dl):
        self.id = id
        self.session_id = sid
        self.kind = kind
        self.dots = dots
        self.births = births
        self.deps = deps
        self.operations = ops
        self.deadline = dl
        self.members = (self,)
        self.superseded_heads = frozenset(deps)
        self.roots = frozenset()
        self.rotations = frozenset()
        self.by = None

    @property
    def last(self):
        return self.dots[-1]

    def __repr__(self):
        return f"<{self.kind} {self.session_id} {self.dots} births={set(self.births)} deps={set(self.deps)} ops={self.operations}>"


def may_merge(m, d):
    """coalescing in a sender's queue: a chain of the same actor on the same births; never a ROTATE, never a KILL"""
    if m.dots[0][0] != d.dots[0][0] or m.kind not in ("CREATE", "UPDATE"):
        return False
    if d.kind != "UPDATE" and not (mutant("merge_rotate") and d.kind == "ROTATE"):
        return False
    if m.births != d.births and not mutant("merge_births"):
        return False
    return d.deps == {m.last} or (mutant("merge_anydep") and bool(m.births & d.births))


def merge_group(m, d, nid):
    """the queued delta `m` followed by `d` as one delta that has both dots and the effect of both"""
    sup = {(op[1], t): op for op in d.operations for t in op[3]}
    carried = defaultdict(set)
    ops = []
    for op in m.operations:
        if op[0] == "PUT" and (op[1], op[4]) in sup:
            # the value is dropped; its dot and what it superseded are kept
            carried[sup[(op[1], op[4])][4]] |= set(op[3])
            ops.append(("VOID", op[1], None, op[3], op[4]))
        else:
            ops.append(op)
    for op in d.operations:
        ops.append((op[0], op[1], op[2], frozenset(op[3] | carried[op[4]]), op[4]))
    g = Delta(nid, m.session_id, m.kind, m.dots + d.dots, m.births, m.deps, tuple(ops), m.deadline)
    g.members = m.members + d.members
    g.superseded_heads = m.superseded_heads | {m.last}
    g.roots = m.roots
    return g


class Life:
    """A session: attributes as {name: {dot: value}}, heads as the dots nothing follows yet, `ever` as all ids it had."""

    __slots__ = ("birth", "attributes", "heads", "deadline", "ever", "root")

    def __init__(self, birth, dl, root):
        self.birth = birth
        self.attributes = {}
        self.heads = set()
        self.deadline = dl
        self.ever = set()
        self.root = root

    def copy(self):
        n = Life(self.birth, self.deadline, self.root)
        n.attributes = {k: dict(v) for k, v in self.attributes.items()}
        n.heads = set(self.heads)
        n.ever = set(self.ever)
        return n

    def ids(self):
        return set(self.attributes.get(ID, {}).values())

    def live(self):
        """every dot this life still shows"""
        r = {self.birth} | self.heads
        for v in self.attributes.values():
            r |= set(v)
        return r


def norm(store, keep=lambda x: True):
    """a store in a form that can be compared"""
    return {
        b: (
            frozenset(s.heads),
            frozenset((k, d, v) for k, m in s.attributes.items() for d, v in m.items()),
            frozenset(s.ever),
        )
        for b, s in store.items()
        if keep(s)
    }


def spec(G):
    """the state as a pure function of the SET of applied deltas"""
    killed = set()
    sup = defaultdict(set)
    hs = defaultdict(set)
    out = {}
    for d in G:
        if d.kind == "KILL":
            killed |= d.births
            continue
        for b in d.births:
            hs[b] |= d.deps
            for op in d.operations:
                for t in op[3]:
                    sup[b].add((op[1], t))
    for d in G:
        if d.kind == "CREATE" and not d.births & killed:
            for b in d.births:
                out[b] = Life(b, d.deadline, next(iter(d.roots)))
    for d in G:
        if d.kind == "KILL":
            continue
        for b in d.births & out.keys():
            s = out[b]
            if d.last not in hs[b]:
                s.heads.add(d.last)
            for op in d.operations:
                if op[0] != "PUT":
                    continue
                if op[1] == ID:
                    s.ever.add(op[2])
                if (op[1], op[4]) not in sup[b]:
                    s.attributes.setdefault(op[1], {})[op[4]] = op[2]
    return out
