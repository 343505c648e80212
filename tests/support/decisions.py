# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table "Decisions of a session" of docs/relay-files.md in examples without AUTH. The daemon is asked them over
sockets and without, and `decide`, too."""

from __future__ import annotations

from typing import Any

# connectors that differ in one right from the first, and one without two
RULES: dict[str, dict[str, Any]] = {
    "inbound": {},
    "scanner": {"anonymous_any_recipient": True},
    "accounts": {"anonymous_submit": False},
    "no sender": {"anonymous_any_sender": False},
    "not as us": {"anonymous_authoritative_domain_sender": False},
    "nothing": {"anonymous_submit": False, "anonymous_any_sender": False},
    "device": {
        "anonymous_any_recipient": True,
        "allowed_senders": ["corp.test"],
        "allowed_recipients": ["external.test"],
    },
}
DOMAINS = (
    ("corp.test", "Authoritative"),
    ("*.sub.corp.test", "Authoritative"),
    ("internal.test", "InternalRelay"),
    ("partner.test", "ExternalRelay"),
)
POSTMASTER = "pm@corp.test"

SENDER_OK = "250 2.1.0 Sender OK"
BAD_SENDER = "550 5.1.7 Invalid address"
NOT_AUTHENTICATED = "530 5.7.1 Client was not authenticated"
CANNOT_SEND_AS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
# connector, sender, reply to MAIL
SENDERS = [
    ("inbound", "<>", SENDER_OK),
    ("inbound", "<a@external.test>", SENDER_OK),
    ("inbound", "<a@corp.test>", SENDER_OK),
    ("scanner", "<a@corp.test>", SENDER_OK),
    ("accounts", "<a@external.test>", NOT_AUTHENTICATED),
    ("accounts", "<a@corp.test>", NOT_AUTHENTICATED),
    ("accounts", "<>", NOT_AUTHENTICATED),
    ("accounts", "<a@[127.0.0.1]>", BAD_SENDER),
    ("nothing", "<a@external.test>", NOT_AUTHENTICATED),
    ("no sender", "<a@external.test>", CANNOT_SEND_AS),
    ("no sender", "<a@corp.test>", CANNOT_SEND_AS),
    ("no sender", "<>", SENDER_OK),
    ("not as us", "<a@corp.test>", CANNOT_SEND_AS),
    ("not as us", "<a@CORP.Test>", CANNOT_SEND_AS),
    ("not as us", "<a@x.sub.corp.test>", CANNOT_SEND_AS),
    ("not as us", "<a@sub.corp.test>", SENDER_OK),
    ("not as us", "<a@internal.test>", SENDER_OK),
    ("not as us", "<a@partner.test>", SENDER_OK),
    ("not as us", "<a@external.test>", SENDER_OK),
    ("not as us", "<>", SENDER_OK),
    # no addresses
    ("scanner", "<s@[127.0.0.1]>", BAD_SENDER),
    ("scanner", "<@relay.corp.test:s@external.test>", BAD_SENDER),
    ("scanner", "<s>", BAD_SENDER),
    ("scanner", "<postmaster>", BAD_SENDER),
    ("scanner", "s@external.test", BAD_SENDER),
    ("scanner", "", BAD_SENDER),
    ("scanner", "<", BAD_SENDER),
    ("scanner", ">", BAD_SENDER),
    ("scanner", "<s@external.test>>", BAD_SENDER),
]

RECIPIENT_OK = "250 2.1.5 Recipient OK"
BAD_RECIPIENT = "501 5.1.3 Invalid address"
CANNOT_RELAY = "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"
# connector, recipient, reply to RCPT after MAIL FROM:<>
RECIPIENTS = [
    ("inbound", "<b@corp.test>", RECIPIENT_OK),
    ("inbound", "<b@CORP.TEST>", RECIPIENT_OK),
    ("inbound", "<b@x.sub.corp.test>", RECIPIENT_OK),
    ("inbound", "<b@partner.test>", RECIPIENT_OK),
    ("inbound", "<b@sub.corp.test>", CANNOT_RELAY),
    ("inbound", "<b@x.corp.test>", CANNOT_RELAY),
    ("inbound", "<b@external.test>", CANNOT_RELAY),
    ("inbound", "<b@localhost>", CANNOT_RELAY),
    ("inbound", "<postmaster>", RECIPIENT_OK),
    ("inbound", "<PostMaster>", RECIPIENT_OK),
    ("scanner", "<b@external.test>", RECIPIENT_OK),
    ("scanner", "<b@corp.test>", RECIPIENT_OK),
    ("scanner", "<b>", BAD_RECIPIENT),
    ("scanner", "<>", BAD_RECIPIENT),
    ("scanner", "<b@[127.0.0.1]>", BAD_RECIPIENT),
    ("scanner", "b@corp.test", BAD_RECIPIENT),
    ("scanner", "postmaster", BAD_RECIPIENT),
]
# sender, recipient, reply to RCPT on the connector "device", whose senders count beyond the accepted domains only
DEVICE = [
    ("<a@corp.test>", "<b@external.test>", RECIPIENT_OK),
    ("<>", "<b@external.test>", RECIPIENT_OK),
    ("<a@foreign.test>", "<b@external.test>", CANNOT_SEND_AS),
    ("<a@x.corp.test>", "<b@external.test>", CANNOT_SEND_AS),
    ("<a@foreign.test>", "<b@other.test>", CANNOT_RELAY),
    ("<a@foreign.test>", "<b@corp.test>", RECIPIENT_OK),
    ("<a@foreign.test>", "<b@partner.test>", RECIPIENT_OK),
    ("<a@foreign.test>", "<postmaster>", RECIPIENT_OK),
    ("<a@foreign.test>", "<b>", BAD_RECIPIENT),
]
