# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send real mail through a relay and say who may send where.

Prints ``{"rows": [lines of the table], "failed": [what was not as it must be]}`` as JSON;
the exit status is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import smtplib
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

BODY = (
    ".a line that begins with a dot\r\n..two dots\r\nScanned: Größe 4 µm\r\n" + "0123456789" * 90 + "\r\n.\r\nend\r\n"
)


@dataclass(frozen=True)
class Case:
    """``reply``: how the answer to RCPT or DATA must begin; ``arrives``: in which folder, ``None``: nowhere."""

    who: str
    source: str
    sender: str
    recipient: str
    reply: str
    arrives: Path | None


def send(relay: tuple[str, int], case: Case, token: str) -> str:
    """The last reply of the dialogue."""
    message = f"Message-ID: <{token}@prove.test>\r\nSubject: {token}\r\nFrom: <{case.sender}>\r\n\r\n{BODY}".encode()
    with smtplib.SMTP(*relay, local_hostname="prove.test", timeout=30, source_address=(case.source, 0)) as client:
        client.ehlo()
        for step in (lambda: client.mail(case.sender, ["BODY=8BITMIME"]), lambda: client.rcpt(case.recipient)):
            code, text = step()
            if code != 250:
                return f"{code} {text.decode()}"
        code, text = client.data(message)
        return f"{code} {text.decode()}"


def found(folder: Path, token: str) -> bytes | None:
    return next((text for path in folder.glob("*.eml") if token.encode() in (text := path.read_bytes())), None)


def prove(relay: tuple[str, int], case: Case, folders: list[Path]) -> tuple[str, list[str]]:
    """A line of the table and what was wrong."""
    token = uuid.uuid4().hex
    reply = send(relay, case, token)
    arrived = {folder: text for folder in folders if (text := found(folder, token)) is not None}
    wrong = []
    if not reply.startswith(case.reply):
        wrong.append(f"{case.source} to {case.recipient}: {case.reply} was due, got {reply}")
    if list(arrived) != ([case.arrives] if case.arrives else []):
        names = [folder.name for folder in arrived]
        due = case.arrives.name if case.arrives else "nowhere"
        wrong.append(f"{case.source} to {case.recipient}: it was due at {due}, arrived at {names or 'nowhere'}")
    wrong += [
        f"the body changed on its way to {folder.name}"
        for folder, text in arrived.items()
        if not text.endswith(BODY.encode())
    ]
    where = ", ".join(folder.name for folder in arrived) or "nowhere"
    return f"{case.who:<18} {case.source:<11} {case.sender:<23} {case.recipient:<21} {where:<14} {reply}", wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relay", required=True, help="host:port")
    parser.add_argument("--device", required=True, help="address of a listed device")
    parser.add_argument("--stranger", required=True, help="address that is not listed")
    parser.add_argument("--accepted-domain", required=True)
    parser.add_argument("--external-domain", required=True)
    parser.add_argument(
        "--next-hop", type=Path, required=True, help="folder of the host that takes mail to external domains"
    )
    parser.add_argument(
        "--inbound-route", type=Path, required=True, help="folder of the host that takes mail to the accepted domain"
    )
    options = parser.parse_args()
    host, _colon, port = options.relay.rpartition(":")
    ours, theirs = f"user@{options.accepted_domain}", f"someone@{options.external_domain}"
    cases = [
        Case("listed device", options.device, f"scanner@{options.accepted_domain}", theirs, "250 ", options.next_hop),
        Case("anybody, outwards", options.stranger, "stranger@elsewhere.test", theirs, "550 5.7.54", None),
        Case("anybody, inwards", options.stranger, "stranger@elsewhere.test", ours, "250 ", options.inbound_route),
    ]
    head = f"{'who':<18} {'from':<11} {'sender':<23} {'to':<21} {'arrived at':<14} reply"
    results = [prove((host, int(port)), case, [options.next_hop, options.inbound_route]) for case in cases]
    failed = [text for _row, wrong in results for text in wrong]
    print(json.dumps({"rows": [head, *(row for row, _wrong in results)], "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
