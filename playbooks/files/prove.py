# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send real mail through a relay and say who may send where.

Reads what to prove as JSON from standard input (``site_proof`` of the inventory), so that no password is in argv.
Prints ``{"rows": [lines of the table], "failed": [what was not as it must be]}``; the exit status is 2 if any failed.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BODY = (
    ".a line that begins with a dot\r\n..two dots\r\nScanned: Größe 4 µm\r\n" + "0123456789" * 90 + "\r\n.\r\nend\r\n"
)
ROW = "{:<24} {:<5} {:<11} {:<23} {:<21} {:<14} {}"
HEAD = ROW.format("who", "port", "from", "sender", "to", "arrived at", "reply")


@dataclass(frozen=True)
class Case:
    """One attempt.

    :ivar relay: ``host:port``
    :ivar reply: how the reply that ends the attempt must begin, one of several
    :ivar arrives: in which folder, ``None``: nowhere
    :ivar login: name and password for AUTH
    """

    who: str
    relay: str
    source: str
    sender: str
    recipient: str
    reply: tuple[str, ...]
    arrives: Path | None = None
    tls: bool = False
    login: tuple[str, str] | None = None


def cases(proof: dict[str, Any]) -> Iterator[Case]:
    """Of every device, domain, account and address of an account; what is refused is tried with the first of each."""
    domains, theirs = proof["accepted_domains"], f"someone@{proof['external_domain']}"
    relay, devices, stranger = proof["relay"], proof["devices"], proof["stranger"]
    scanner, foreign = f"scanner@{domains[0]}", "stranger@elsewhere.test"
    outside, inside = Path(proof["next_hop"]), Path(proof["inbound_route"])
    for device in devices:
        yield Case("listed device", relay, device, scanner, theirs, ("250 ",), outside)
    yield Case("anybody, outwards", relay, stranger, foreign, theirs, ("550 5.7.54",))
    for domain in domains:
        yield Case("anybody, inwards", relay, stranger, foreign, f"user@{domain}", ("250 ",), inside)
    yield Case("device, foreign sender", relay, devices[0], foreign, theirs, ("550 5.7.60",))
    submission, ours = proof["submission"], f"user@{domains[0]}"
    logins = [((item["name"], item["password"]), item["addresses"]) for item in proof["accounts"]]
    login, [address, *_others] = logins[0]
    yield Case("device, AUTH", relay, devices[0], scanner, theirs, ("504 ",), login=login)
    for known, addresses in logins:
        for sender in addresses:
            yield Case("account", submission, stranger, sender, theirs, ("250 ",), outside, tls=True, login=known)
    yield Case("account, no TLS", submission, stranger, address, theirs, ("530 ", "538 "), login=login)
    wrong = (login[0], f"not {login[1]}")
    yield Case("account, wrong password", submission, stranger, address, theirs, ("535 ",), tls=True, login=wrong)
    yield Case("account, foreign sender", submission, stranger, ours, theirs, ("550 5.7.60",), tls=True, login=login)
    yield Case("anybody, submission", submission, stranger, foreign, theirs, ("530 ",), tls=True)


def send(case: Case, token: str) -> str:
    """The reply that ends the attempt: the first refusal, or that to the message."""
    message = f"Message-ID: <{token}@prove.test>\r\nSubject: {token}\r\nFrom: <{case.sender}>\r\n\r\n{BODY}".encode()
    host, _colon, port = case.relay.rpartition(":")
    with smtplib.SMTP(host, int(port), "prove.test", timeout=30, source_address=(case.source, 0)) as client:
        client.ehlo()
        text = ""
        for step in steps(client, case, message):
            code, said = step()
            text = f"{code} {said.decode(errors='replace')}"
            if code >= 400:
                break
        return text


def steps(client: smtplib.SMTP, case: Case, message: bytes) -> Iterator[Callable[[], tuple[int, bytes]]]:
    if case.tls:
        yield lambda: client.starttls(context=trusting())
        yield client.ehlo
    if case.login is not None:
        yield lambda: log_in(client, case)
    yield lambda: client.mail(case.sender, ["BODY=8BITMIME"])
    yield lambda: client.rcpt(case.recipient)
    yield lambda: client.data(message)


def trusting() -> ssl.SSLContext:
    """The trial's certificate is self-signed; what is proved is who may send, not who the server is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def log_in(client: smtplib.SMTP, case: Case) -> tuple[int, bytes]:
    """AUTH PLAIN whether it is offered or not; it must be offered exactly where it is accepted."""
    name, password = case.login or ("", "")
    client.user, client.password = name, password
    offered = client.has_extn("auth")
    try:
        code, said = client.auth("plain", client.auth_plain)
    except smtplib.SMTPAuthenticationError as error:
        code, said = error.smtp_code, error.smtp_error
    if offered != (code in (235, 535)):
        return 599, b"AUTH was " + (b"offered" if offered else b"not offered") + f" and answered {code}".encode()
    return code, said


def found(folder: Path, token: str) -> bytes | None:
    return next((text for path in folder.glob("*.eml") if token.encode() in (text := path.read_bytes())), None)


def prove(case: Case, folders: list[Path]) -> tuple[str, list[str]]:
    """A line of the table and what was wrong."""
    token = uuid.uuid4().hex
    try:
        reply = send(case, token)
    except (OSError, smtplib.SMTPException) as error:
        reply = f"none, {type(error).__name__}"
    arrived = {folder: text for folder in folders if (text := found(folder, token)) is not None}
    wrong = []
    if not reply.startswith(case.reply):
        wrong.append(f"{case.who}, {case.source} to {case.recipient}: {' or '.join(case.reply)} was due, got {reply}")
    if list(arrived) != ([case.arrives] if case.arrives else []):
        due, names = case.arrives.name if case.arrives else "nowhere", [folder.name for folder in arrived]
        wrong.append(f"{case.who}: the message was due at {due}, it arrived at {names or 'nowhere'}")
    changed = [folder.name for folder, text in arrived.items() if not text.endswith(BODY.encode())]
    wrong += [f"{case.who}: the body changed on its way to {name}" for name in changed]
    where = ", ".join(folder.name for folder in arrived) or "nowhere"
    port = case.relay.rpartition(":")[2]
    return ROW.format(case.who, port, case.source, case.sender, case.recipient, where, reply), wrong


def main() -> int:
    proof = json.load(sys.stdin)
    folders = [Path(proof["next_hop"]), Path(proof["inbound_route"])]
    results = [prove(case, folders) for case in cases(proof)]
    failed = [text for _row, wrong in results for text in wrong]
    print(json.dumps({"rows": [HEAD, *(row for row, _wrong in results)], "failed": failed}))
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
