# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many changes get a plan, and how long a large one takes: ``python benchmarks/plan_changes.py [pairs] [first]``.

The pairs are those of the tests, made from the seeds ``first``, ``first`` + 1 and so on (0, 5000 of them); with the
rules that every server has, and with those of a server where each connector needs a range. What a backend could not
hold in the end is not counted. Prints the seed of every change without a safe order. Each such refusal names a step:
it is planned, and the change after it; ``no step`` says that this did not work. The large plan takes a range away from
each of 50 connectors that have 10,000 ranges. Times are of the processor. Run it in the environment of
``make link venv``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".venv/collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from compile_policy import connectors, domains, without_first

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.safety import Validate
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.planning import after_step, never_empty, numbered_pair

RULES: dict[str, Validate] = {"every server": new_conflicts, "ranges needed": never_empty}


def scan(seeds: range, rules: str) -> str:
    found, refused, start = 0, [], time.process_time()
    validate = RULES[rules]
    for seed in seeds:
        before, wanted = numbered_pair(seed)
        if validate(wanted, before):
            continue
        try:
            plan(before, wanted, validate=validate)
            found += 1
        except ConflictError as error:
            refused.append(f"{seed}{'' if helps(before, wanted, validate, str(error)) else ' (no step)'}")
    seconds = time.process_time() - start
    return f"{rules}: {found} planned, {len(refused)} refused, {seconds:.1f} s\n  {', '.join(refused)}"


def helps(before: State, wanted: State, validate: Validate, refusal: str) -> bool:
    try:
        step = after_step(before, refusal)
        plan(before, step, validate=validate)
        plan(step, wanted, validate=validate)
    except (AssertionError, ConflictError):
        return False
    return True


def large(ranges: int, count: int) -> str:
    state = merge(State(), Options(connectors=connectors(ranges, count), accepted_domains=domains(100)))
    less = replace(state, connectors=tuple(without_first(item) for item in state.connectors))
    start = time.process_time()
    operations = plan(state, less).operations
    total = sum(len(item.remote_ip_ranges) for item in state.connectors)
    return f"{len(operations)} changes, {total} ranges: {time.process_time() - start:.1f} s"


def main() -> None:
    count, first = (int(word) for word in [*sys.argv[1:], *["5000", "0"][len(sys.argv) - 1 :]])
    for rules in RULES:
        print(scan(range(first, first + count), rules))
    print(large(10000, 50))


if __name__ == "__main__":
    main()
