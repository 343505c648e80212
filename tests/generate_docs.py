# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what the docs repeat of the code, such as the property table and the capabilities of backends: ``make
generate``.

A test says when the files are not what this writes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import CAPABILITIES as AIOSMTPD
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import Property, render_value
from ansible_collections.mailops.relay.plugins.module_utils._engine.capabilities import Capabilities
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import CONNECTOR_COLUMNS
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.sorts import SORTS

DOCS = Path(__file__).resolve().parents[1] / "docs"
CAPABILITIES = DOCS / "capabilities.md"
SNAPSHOT = DOCS / "exchange-snapshot.ps1"
ERRORS = DOCS / "exchange-errors.md"
BACKENDS: dict[str, Capabilities] = {"aiosmtpd": AIOSMTPD}
"""Exchange is only read so far, and reads all that its version has."""
VERSIONS = {"07": "2007", "07s": "2007 SP1", "10": "2010", "10s": "2010 SP2", "13": "2013", "16": "2016"}
HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 mailops.relay contributors
SPDX-License-Identifier: GPL-3.0-or-later
-->

<!-- Written by make generate out of the property table and the capabilities: do not edit. -->

# Which backend has which option

The options of a connector in `mailops.relay.receive_connectors`. The column of a backend says which
values it takes:

* *yes*: all that the option takes
* values: only these
* *always* a value: the server does so whatever is asked. That value is accepted and changes
  nothing, so that one task serves several backends
* *no*: there is nothing of the kind

Whatever a backend does not take is refused before anything is changed. `exchange` has an option
from the version in its column on; so far it is read only ([exchange.md](exchange.md)).
"""
RIGHTS = """
## Extended rights

What an entry of `extended_rights` or `removed_rights` may name. On `exchange` that is every
principal and every right of the option.
"""
ERRORS_HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 mailops.relay contributors
SPDX-License-Identifier: GPL-3.0-or-later
-->

<!-- Written by make generate out of plugins/plugin_utils/_exchange/sorts.py: do not edit. -->

# What errors of Exchange mean

A task on `backend: exchange` that fails on the way to Exchange, or in one of its cmdlets, has
`error: exchange` and a message of this form: where it failed, what that means, what to do, and what
Windows or Exchange said.

```text
Exchange, session: access is denied: the user has no management role of Exchange for this. Add it
to a role group: ... It said: Connecting to remote server ex1.corp.test failed ...
```

`connection` is Ansible's connection to Windows, `session` the session that is opened there to
Exchange, anything else the call that failed. Where the connection was lost while the task wrote,
the message says that the outcome is unknown: run the task again, it continues where it stopped.

The texts are known in English, some in other languages; most are known by error numbers and names
too, which are the same in every language. A text that is not in the table is shown as it is. Please
report one that did not help.

"""
Taken = Mapping[str, "frozenset[Any] | None"]
"""What a backend takes by option: ``None`` is every value; of lists these are entries."""


def literal(value: Any) -> str:
    """As it is written in YAML."""
    text = str(value).lower() if isinstance(value, bool) else "''" if value == "" else str(value)
    return f"`{text}`"


def cell(row: Property, takes: Taken) -> str:
    """What the table says of one option and backend."""
    if row.option not in takes:
        return "no"
    values = takes[row.option]
    if values is None or values == (frozenset((True, False)) if row.type == "bool" else frozenset(row.choices) or None):
        return "yes"
    if row.is_list:
        kept = sorted(values, key=row.choices.index if row.choices else None)
        return ", ".join(literal(entry) for entry in render_value(row, kept)) or "always `[]`"
    shown = ", ".join(literal(render_value(row, value)) for value in sorted(values))
    return f"always {shown}" if len(values) == 1 else shown


def accepted(row: Property) -> str:
    """The values of an option, where they are few words or a range."""
    if row.type == "bool":
        return "`true`, `false`"
    if row.choices:
        words = ", ".join(literal(choice) for choice in row.choices)
        return f"list of {words}" if row.is_list else words
    if row.is_list:
        return "list"
    if row.least is None:
        return "text"
    ends = f"{literal(row.render(row.least))} to {literal(row.render(row.most))}"
    return f"{ends}, `Unlimited`" if row.unlimited else ends


def table(*rows: tuple[str, ...]) -> str:
    first, *rest = rows
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (first, ("---",) * len(first), *rest))


def capabilities_page() -> str:
    takes: dict[str, Taken] = {name: can.options for name, can in BACKENDS.items()}
    options = [
        (
            f"`{row.option}`",
            accepted(row),
            *(cell(row, values) for values in takes.values()),
            VERSIONS[row.since] if row.exchange or row.option in ("extended_rights", "removed_rights") else "no",
        )
        for row in CONNECTOR_PROPERTIES
    ]
    names = [f"`{name}`" for name in BACKENDS]
    rights = [
        (name, "<br>".join(literal(item) for item in sorted(items or ())))
        for backend, can in BACKENDS.items()
        for name, items in ((f"principals on `{backend}`", can.principals), (f"rights on `{backend}`", can.rights))
    ]
    return "\n".join(
        [HEAD, table(("option", "values", *names, "`exchange`"), *options) + RIGHTS, table(("part", "values"), *rights)]
    )


def snapshot_script() -> str:
    """The script with the properties that a live read asks for."""
    script = SNAPSHOT.read_text()
    names = textwrap.fill(", ".join(f"'{name}'" for name in CONNECTOR_COLUMNS), 110)
    columns = textwrap.indent(names, " " * 8)
    head = r"(\{ Get-ReceiveConnector -Server \$server \} @\(\n)[^)]*\)"
    return re.sub(head, lambda match: f"{match[1]}{columns})", script)


def errors_page() -> str:
    again = "Run the task again."
    rows = [(sort.what, f"{sort.way_out} {again}".strip() if sort.cut_off else sort.way_out) for sort in SORTS]
    escaped = [tuple(cell.replace("<", "&lt;") for cell in row) for row in rows]
    return ERRORS_HEAD + table(("what the message says", "way out"), *escaped)


PAGES = {CAPABILITIES: capabilities_page, SNAPSHOT: snapshot_script, ERRORS: errors_page}


def main() -> None:
    for path, make in PAGES.items():
        path.write_text(make())


if __name__ == "__main__":
    main()
