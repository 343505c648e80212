# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to read, check and compile ranges: ``python benchmarks/compile_policy.py [ranges] [connectors]``.

Blocks of one to four addresses with gaps between them, half of the connectors relay, one connector of everything lies
behind them all; 100 accepted domains, ten of them relayed. The difference is between two such surfaces: every other
connector has lost its right to relay, and one relayed domain is gone. Run it in the environment of ``make link venv``.
Prints medians of five runs, of a plan one run.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".venv/collections"))

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import compile_policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session, decide
from ansible_collections.mailops.relay.plugins.module_utils._policy.shadow import shadows
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.module_utils._policy.surface import surface_of

RUNS = 5


def connectors(ranges: int, count: int) -> list[dict[str, Any]]:
    relay = {"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}
    common = {"bindings": ["0.0.0.0:25"], "permission_groups": ["AnonymousUsers"]}
    found: list[dict[str, Any]] = [{"name": "Default", "remote_ip_ranges": ["0.0.0.0/0"], **common}]
    for number in range(count):
        blocks = []
        for block in range(ranges // count):
            third, fourth = divmod(block * 8, 256)
            blocks.append(f"10.{number}.{third}.{fourth}-10.{number}.{third}.{fourth + block % 4}")
        rights = [relay] if number % 2 else []
        found.append({"name": f"C{number}", "remote_ip_ranges": blocks, "extended_rights": rights, **common})
    return found


def domains(count: int) -> list[dict[str, Any]]:
    types = ["InternalRelay", *["Authoritative"] * 9]
    return [{"name": f"d{number}.test", "type": types[number % 10]} for number in range(count)]


def narrower(state: State) -> State:
    def less(item: Connector) -> Connector:
        return replace(item, extended_rights=()) if item.name.endswith(("1", "5", "9")) else item

    return replace(state, connectors=tuple(map(less, state.connectors)), accepted_domains=state.accepted_domains[1:])


def taken_by_one(state: State) -> State:
    """The connector of everything on an exact address, so that no other one serves anybody there."""
    exact = (Binding(4, 1, 25),)
    connectors = [replace(item, bindings=exact) if item.name == "Default" else item for item in state.connectors]
    return replace(state, connectors=tuple(connectors))


def without_first(connector: Connector) -> Connector:
    """The same with a range less, where it has several."""
    return replace(connector, remote_ip_ranges=connector.remote_ip_ranges[1:] or connector.remote_ip_ranges)


def median(action: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds."""
    times = []
    for _run in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    ranges, count = (int(word) for word in [*sys.argv[1:], "10000", "50"][:2])
    options = Options(connectors=connectors(ranges, count), accepted_domains=domains(100))
    state = merge(State(), options)
    policy = state.policy
    wide, narrow = policy.surface, narrower(state).policy.surface
    peers = [Peer(4, (10 << 24) + number * 7919 % (count << 16)) for number in range(1000)]
    sessions = [Session(Binding(4, 1, 25), peer, "<s@a.test>", "<v@b.test>") for peer in peers]
    intervals = sum(len(found) for _binding, found in policy.bindings)
    relayed = [item for item in policy.accepted_domains if item.is_relayed]
    total = sum(len(item.remote_ip_ranges) for item in state.connectors)
    print(f"{total} ranges, {count} connectors, {intervals} intervals")
    print(f"read and check the options  {median(lambda: merge(State(), options)):8.3f} s")
    parts, reached = (state.connectors, state.accepted_domains), (policy.bindings, policy.rules, relayed)
    print(f"compile                     {median(lambda: compile_policy(*parts)):8.3f} s")
    print(f"surface                     {median(lambda: surface_of(*reached).render()):8.3f} s")
    print(f"surface difference          {median(lambda: (wide.minus(narrow), narrow.minus(wide))):8.3f} s, both ways")
    print(f"shadowed addresses          {median(lambda: shadows(state)):8.3f} s")
    behind = taken_by_one(state)
    print(f"                            {median(lambda: shadows(behind)):8.3f} s, all of them taken")
    one = replace(state, connectors=tuple(without_first(item) for item in state.connectors))
    print(f"plan a change to each       {median(lambda: plan(state, one, atomic=True), 1):8.3f} s, all at once")
    print(f"                            {median(lambda: plan(state, one), 1):8.3f} s, one after the other")
    decided = median(lambda: [decide(policy, session) for session in sessions])
    print(f"decide                      {decided / len(sessions) * 1e6:8.1f} µs")


if __name__ == "__main__":
    main()
