# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Break the policy and the engine in many small ways and see whether the pure tests notice: run_mutants.py [count].

A sample, always the same, of what cosmic-ray can do to them, each tried alone in a copy of this checkout. Prints those
that survived. Ends badly only when it could not run: whether a survivor matters is for a reader to say.
"""

from __future__ import annotations

import os
import random
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing

from support.checkout import ROOT, copy_checkout

SEED = 2026
COPY = ROOT / ".venv" / "mutants" / "checkout"
SESSION = COPY.parent / "session.sqlite"
BROKEN = ("plugins/module_utils/_policy", "plugins/module_utils/_engine")
ROOMS = ("module_utils/_policy", "filter", "module_utils/_engine", "module_utils/_connector")
TESTS = tuple(f"tests/unit/plugins/{room}" for room in ROOMS)
# A mutant is caught by the first few random cases or hardly ever; who survives those meets all of them.
SCALES = ("0.1", "1")
CONFIG = """\
[cosmic-ray]
module-path = {broken}
timeout = 120.0
excluded-modules = []
test-command = {command}
[cosmic-ray.distributor]
name = "local"
"""
# The operator | stands in type hints, which nothing runs.
HINTS = "core/ReplaceBinaryOperator_BitOr_%"


def main(count: int) -> int:
    copy_checkout(COPY)
    link = COPY / ".venv" / "collections" / "ansible_collections" / "mailops" / "relay"
    link.parent.mkdir(parents=True)
    link.symlink_to(COPY)
    tool = str(ROOT / ".venv" / "mutants" / "venv" / "bin" / "cosmic-ray")
    pytest = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=60", "-p", "no:cacheprovider", *TESTS]
    config = COPY.parent / "config.toml"
    config.write_text(CONFIG.format(broken=list(BROKEN), command=repr(shlex.join(pytest))))
    SESSION.unlink(missing_ok=True)
    subprocess.run(pytest, cwd=COPY, check=True)
    subprocess.run([tool, "init", config, SESSION], cwd=COPY, check=True)
    with closing(sqlite3.connect(SESSION)) as session:
        total = sample(session, count)
    for scale in SCALES:
        with closing(sqlite3.connect(SESSION)) as session:
            session.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
            session.commit()
        subprocess.run([tool, "exec", config, SESSION], cwd=COPY, env={**os.environ, "SCALE": scale}, check=True)
    with closing(sqlite3.connect(SESSION)) as session:
        report(session, total)
    return 0


def sample(session: sqlite3.Connection, count: int) -> int:
    """Leave ``count`` of the mutants, chosen by SEED; how many there were."""
    query = "SELECT job_id FROM mutation_specs WHERE operator_name NOT LIKE ? ORDER BY "
    order = "module_path, start_pos_row, start_pos_col, operator_name, operator_args, occurrence"
    jobs = [row[0] for row in session.execute(query + order, (HINTS,))]
    kept = random.Random(SEED).sample(jobs, min(count, len(jobs)))
    session.execute("CREATE TEMPORARY TABLE kept (job_id TEXT)")
    session.executemany("INSERT INTO kept VALUES (?)", [(job,) for job in kept])
    session.execute("DELETE FROM mutation_specs WHERE job_id NOT IN (SELECT job_id FROM kept)")
    session.execute("DELETE FROM work_items WHERE job_id NOT IN (SELECT job_id FROM kept)")
    session.commit()
    return len(jobs)


def report(session: sqlite3.Connection, total: int) -> None:
    rows = session.execute("SELECT test_outcome, diff FROM work_results").fetchall()
    survivors = [diff for outcome, diff in rows if outcome == "SURVIVED"]
    for diff in survivors:
        print(diff, end="\n\n")
    print(f"{len(rows)} of {total} mutants tried, {len(rows) - len(survivors)} noticed, {len(survivors)} survived")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
