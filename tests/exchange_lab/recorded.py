# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the lab that recordings/lab-*.txt are snapshots of."""

from __future__ import annotations

from pathlib import Path

from exchange_lab import state as lab

FOLDER = Path(__file__).parent / "recordings"


def states() -> dict[str, lab.Data]:
    """By the name of the file."""
    return {
        "lab-exchange-2016-german": _german(),
        "lab-sbs-2008": lab.state(lab.sbs_2008()),
        "lab-edge-2016": lab.state(lab.edge()),
    }


def _german() -> lab.Data:
    server = lab.mailbox(locale="de")
    relay = lab.connector(
        server,
        "Drucker B\u00fcro",
        ["AnonymousUsers"],
        [lab.relay_ace(), lab.ace("CORP\\svc-scan", "ms-Exch-SMTP-Accept-Any-Sender", inherited=True)],
        Bindings=["0.0.0.0:25"],
        RemoteIPRanges=["10.1.2.3", "10.1.3.0/28"],
        TransportRole="FrontendTransport",
        MaxMessageSize=37748737,
        Comment="two\r\nlines",
    )
    server["connectors"].append(relay)
    domains = [lab.accepted_domain("corp.test", default=True, sub_domains=True)]
    return lab.state(server, accepted_domains=domains)
