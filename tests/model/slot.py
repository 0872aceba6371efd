#!/usr/bin/env python3
"""Executable specification of session replication: one slot, several replicas, randomised model checking.

THE RULES IN PLAIN WORDS
  Life.     A session is a LIFE, named by its birth dot. Store, KILL, UPDATE, ROTATE speak of births, never of ids.
  Id.       An id is only an attribute of a life (register ID; the id given by CREATE has the birth dot). A look-up maps an
            id to every live life that holds it now: none, one, or (foreign ids created twice) several.
  UPDATE    names the births it saw under the id, its deps are the heads of those lives, its ops supersede the dots seen. A
            receiver parks it until its deps are covered, then applies it to each named life that is still live.
  KILL      names the births it saw. Applied at once: erases exactly these lives, puts their births into the context.
  ROTATE    is an UPDATE whose op replaces the ids it saw by the new id. The life keeps its birth, so a KILL or an UPDATE in
            flight for the old id still finds it; the old id finds nothing any more. No ancestor list is needed.
  Ended ids stay with the life (`ever`): only a logout looks at them, and only if no life holds the id now.
  Two concurrent ROTATEs leave two ids on one life. Policy ALIAS: both work until the next ROTATE (which ends every id it
            saw). Policy REVOKE (the default): nobody is served by such a life, and the first READY owner to see it kills it.
  Join.     A state transfer is an atomic (context, live dots, entries); keep = (A&B) | (A - ctxB) | (B - ctxA), per life.
  Views.    Every node has its own owner set, possibly late or wrong. A node that holds a slot it does not own asks every
            owner of ITS view; an asked node says yes only if it owns the slot in its OWN view, is READY and dominates the
            asked context; the slot is dropped when all said yes to this very attempt. Any change (view, delta, join, parked
            delta) begins a new attempt and makes earlier answers void. The context of a dropped slot is kept (`kept_context`, never
            as the own one): when the slot comes back, the node is READY only once its context dominates it.
  Retry.    A retried ROTATE brings the same new id, so that it never looks like two rotations.

HOW IT IS CHECKED.  Ghost variable: every replica carries G (`reflects`), the set of deltas whose effect it reflects. After every step, on
every READY replica: store == spec(G), a pure function of a SET; no life is shown whose KILL was applied; nobody is logged in
by a session whose logout is in G (`dead_roots`, computed from what the client meant, not from what the delta names); an
ended id finds nothing; REVOKE: a read by one id never shows what was written after a ROTATE the id's holder did not make; a
token that is covered shows all that its client has seen; a drop removes no last copy. At the end (healed): all owners equal,
no acked delta lost, no killed root live anywhere.

usage: slot.py RUNS SEED [MUTANT] [SCHEDULE]      schedules: mixed churn views partition crash rotate foreign regain"""
import random
import sys

import harness
from slot_delta import may_merge, merge_group
from slot_world import WEIGHTS, World

# mutant -> the schedule that catches it soonest
MUTANTS = {
    "lww_collapse": "mixed",
    "no_deps": "mixed",
    "nonatomic": "mixed",
    "reuse_actor": "crash",
    "drop_blind": "mixed",
    "addwins": "mixed",
    "serve_syncing": "mixed",
    "prune_early": "mixed",
    "counter_reset": "churn",
    "kill_no_void": "mixed",
    "no_rotation": "mixed",
    "merge_noskip": "foreign",
    "merge_anydep": "mixed",
    "snap_nogen": "churn",
    "rot_rebirth": "rotate",
    "rot_by_id": "rotate",
    "rot_keepold": "rotate",
    "merge_rotate": "rotate",
    "rot_extends": "rotate",
    "ended_id_deaf": "rotate",
    "no_revoke": "rotate",
    "upd_by_id": "foreign",
    "kill_by_id": "foreign",
    "name_one": "foreign",
    "one_life": "foreign",
    "merge_births": "foreign",
    "drop_noview": "views",
    "drop_stale": "views",
    "drop_nodom": "views",
    "forget_ctx": "regain",
    "retry_newid": "rotate",
}


def story_merge_births():
    """an update of {b2}, written after b1 was killed, must not ride in a group that names {b1, b2}: node 1 does not know the KILL"""
    w = World(random.Random(1), "mixed")
    w.node_count = 3
    a, b, c = w.nodes[:3]
    for n in (a, b, c):
        n.view = frozenset([n.node])
        n.status = "READY"
    d1 = w.write(a, "F1", "CREATE", [], [("PUT", "a", "1", [])])
    d2 = w.write(b, "F1", "CREATE", [], [])
    for n, d in ((a, d2), (b, d1), (c, d1)):
        n.receive(d)
    u1 = w.write(a, "F1", "UPDATE", a.lookup("F1"), [("PUT", "b", "2", [])])
    a.receive(w.write(c, "F1", "KILL", c.lookup("F1"), []))
    u2 = w.write(a, "F1", "UPDATE", a.lookup("F1"), [("PUT", "c", "3", [])])
    for d in [merge_group(u1, u2, "g")] if may_merge(u1, u2) else [u1, u2]:
        b.receive(d)
    for n in (a, b, c):
        n.check()


def one_run(rng, stats, schedule):
    """One random run; its counts are added to `stats` also when it fails."""
    world = World(rng, schedule)
    try:
        for _ in range(rng.choice([30, 80, 160, 400])):
            world.step()
        world.finish()
    finally:
        stats["deltas"] += world.delta_count
        for key, count in world.stats.items():
            stats[key] += count


def main(arguments):
    runs, seed, mutant, options = harness.parse(arguments, MUTANTS, WEIGHTS)
    schedule = options[0] if options else MUTANTS.get(mutant, "mixed")
    stories = [story_merge_births] if mutant in (None, "merge_births") else []
    return harness.campaign(
        runs, seed, mutant, [schedule], lambda rng, stats: one_run(rng, stats, schedule), stories
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
