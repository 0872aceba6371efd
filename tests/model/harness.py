"""What the random models share: the active mutant, the command line and the loop over seeds."""
import random
import sys
from collections import defaultdict

_active = None


class Violation(Exception):
    """A checked property does not hold."""


def activate(name):
    """Breaks the rule called `name` for the rest of the process; None keeps all rules."""
    global _active
    _active = name


def active_mutant():
    return _active


def mutant(*names):
    """Is one of these rules to be broken?"""
    return _active in names


def parse(arguments, mutants, options):
    """RUNS SEED [MUTANT] [OPTION...] -> (runs, seed, mutant or None, options in the order given); exits on anything else."""
    known = f"mutants: {' '.join(mutants)}; options: {' '.join(options) or 'none'}"
    if len(arguments) < 2 or not all(a.isdigit() for a in arguments[:2]):
        sys.exit(f"usage: {sys.argv[0]} RUNS SEED [MUTANT] [OPTION...]\n{known}")
    words = arguments[2:]
    for word in words:
        if word not in mutants and word not in options:
            sys.exit(f"unknown argument {word!r}; {known}")
    chosen = next((w for w in words if w in mutants), None)
    activate(chosen)
    return int(arguments[0]), int(arguments[1]), chosen, [w for w in words if w in options]


def campaign(runs, seed, mutant_name, options, one_run, stories=()):
    """Runs the directed stories, then `runs` seeds from `seed` on; stops at the first violation.

    Prints one line, OK with counts or FAIL with the seed that replays it, and returns the exit code: 0 or 1.
    """
    words = " ".join(options + ([mutant_name] if mutant_name else []))
    for story in stories:
        try:
            story()
        except Violation as e:
            print(f"FAIL {story.__name__} {words}: {str(e)[:900]}")
            return 1
    stats = defaultdict(int)
    for i in range(runs):
        try:
            one_run(random.Random(seed + i), stats)
        except Violation as e:
            print(f"FAIL seed {seed + i} {words} after {i + 1} runs: {str(e)[:900]}")
            return 1
    print("OK", runs, "runs", words, " ".join(f"{k}={v}" for k, v in sorted(stats.items())))
    return 0
