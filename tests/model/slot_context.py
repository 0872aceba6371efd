"""The causal context of a slot: a version vector with exceptions, and a floor below which everything is covered.

A dot is (actor, counter); an actor is (node, epoch)."""


class Context:
    """Which dots a replica has seen. Absence of an entry whose dot is covered means: seen and superseded or killed."""

    __slots__ = ("vector", "exceptions", "floor")

    def __init__(self):
        self.vector = {}
        self.exceptions = set()
        self.floor = -(10**9)  # every actor with epoch < floor counts as covered

    def copy(self):
        c = Context()
        c.vector = dict(self.vector)
        c.exceptions = set(self.exceptions)
        c.floor = self.floor
        return c

    def covers(self, d):
        a, c = d
        return a[1] < self.floor or c <= self.vector.get(a, 0) or d in self.exceptions

    def prune(self, floor):
        """forgets actors below `floor`; from then on all their dots count as covered"""
        if floor <= self.floor:
            return
        self.floor = floor
        for a in [a for a in self.vector if a[1] < floor]:
            del self.vector[a]
        self.exceptions = {d for d in self.exceptions if d[0][1] >= floor}

    def add(self, d):
        if not self.covers(d):
            self.exceptions.add(d)
            self.compact(d[0])

    def compact(self, a):
        """moves exceptions of actor `a` that continue its vector into the vector"""
        b = self.vector.get(a, 0)
        while (a, b + 1) in self.exceptions:
            b += 1
            self.exceptions.discard((a, b))
        if b:
            self.vector[a] = b

    def join(self, o):
        for a, b in o.vector.items():
            if a[1] >= self.floor and self.vector.get(a, 0) < b:
                self.vector[a] = b
        for d in o.exceptions:
            if not self.covers(d):
                self.exceptions.add(d)
        self.exceptions = {d for d in self.exceptions if d[1] > self.vector.get(d[0], 0)}
        for a in {d[0] for d in self.exceptions}:
            self.compact(a)

    def dominates(self, o):
        return all(
            self.covers((a, c)) for a, b in o.vector.items() for c in range(1, b + 1)
        ) and all(self.covers(d) for d in o.exceptions)
