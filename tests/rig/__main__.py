"""`python -m rig --seed N --kills N --minutes N`, from `tests/`: tries to break *nothing lost, nothing twice*."""

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rig")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs, of Santrals and of the primary")
    parser.add_argument("--minutes", type=float, default=15, help="no harm is begun after so long")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chronicle = Chronicle(given.seed)
    plan = Plan(
        santrals=3, each=3, pause=0.5, streams=3, longest_stop=20.0, hurry=1.0, until=60 * given.minutes
    )
    chances = random.Random(f"{given.seed}/harm")
    draws = drawn(chances, any_kinds(chances, given.kills), plan.santrals)
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    verdict = uvloop.run(Run(chronicle, plan, folder).torture(draws))
    print(table(chronicle, verdict))
    if chronicle.faults:
        print(f"the logs and the data are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    for fault in chronicle.faults:
        print(fault)
    return 1 if chronicle.faults else 0


if __name__ == "__main__":
    sys.exit(main())
