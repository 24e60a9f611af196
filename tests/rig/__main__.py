"""`python -m rig [--seed N] [--kills N] [--minutes N]`, from `tests/`: tries to break *nothing lost, nothing twice*.

Without `--seed` the seeds that once found a mistake come first, then one that nobody has tried.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from rig.chronicle import Chronicle
from rig.harm import any_kinds, drawn
from rig.run import Plan, Run
from rig.table import table

# With how many kills each found its mistake: one sender's order over a process's death; a start that met an election.
KEPT = {1: 12, 2026: 25}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rig")
    parser.add_argument("--seed", type=int, help="the harms, and what customers say; the moments are the machine's")
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs, of Santrals and of the primary")
    parser.add_argument("--minutes", type=float, default=15, help="no harm is begun after so long")
    given = parser.parse_args()
    if given.seed is not None:
        seeds = {given.seed: given.kills}
    else:
        seeds = KEPT | {random.SystemRandom().randrange(1_000_000): given.kills}
    faults = [fault for seed, kills in seeds.items() for fault in torture(seed, kills, given.minutes)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def torture(seed: int, kills: int, minutes: float) -> list[str]:
    """One run. Returns what was wrong."""
    print(f"seed {seed}", flush=True)
    chronicle = Chronicle(seed)
    plan = Plan(santrals=3, each=3, pause=0.5, streams=3, longest_stop=20.0, hurry=1.0, until=60 * minutes)
    chances = random.Random(f"{seed}/harm")
    draws = drawn(chances, any_kinds(chances, kills), plan.santrals)
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    verdict = uvloop.run(Run(chronicle, plan, folder).torture(draws))
    print(table(chronicle, verdict), flush=True)
    if chronicle.faults:
        print(f"the logs and the data are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return chronicle.faults


if __name__ == "__main__":
    sys.exit(main())
