# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy is made of: flat rules, and intervals of peers that are judged by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .._connector.addresses import AddressRange


@dataclass(frozen=True)
class Rule:
    """What sessions that a connector takes may do. Sizes in bytes, times in seconds, counts ``-1`` for unlimited.

    :ivar fqdn: with ``banner``, empty: the server's own
    :ivar auth: ``never``, ``after_tls`` or ``always`` offered
    :ivar allowed_senders: patterns that the sender of an anonymous session must match where the recipient is external,
        ``None``: any sender (the null sender always)
    :ivar allowed_recipients: patterns that external recipients of anonymous sessions must match, ``None``: any
    """

    connector: str
    fqdn: str
    banner: str
    max_message_size: int
    max_recipients: int
    max_connections: int
    max_connections_per_source: int
    max_protocol_errors: int
    connection_timeout: int
    inactivity_timeout: int
    tarpit_interval: int
    starttls: bool
    implicit_tls: bool
    require_tls: bool
    certificate_file: str
    key_file: str
    auth: str
    anonymous_submit: bool
    anonymous_any_recipient: bool
    anonymous_any_sender: bool
    anonymous_authoritative_domain_sender: bool
    allowed_senders: tuple[str, ...] | None
    allowed_recipients: tuple[str, ...] | None
    account_any_recipient: bool

    @property
    def anonymous_relay(self) -> bool:
        """A session without AUTH may send to external domains. The null sender needs no right to send as anyone."""
        return self.anonymous_submit and self.anonymous_any_recipient

    @property
    def inbound(self) -> bool:
        """A stranger may send to our accepted domains."""
        return self.anonymous_submit and self.anonymous_any_sender


class Interval(NamedTuple):
    """Peers ``low`` to ``high`` of IP ``version``, judged by ``rules[rule]``."""

    version: int
    low: int
    high: int
    rule: int


def as_range(interval: Interval) -> AddressRange:
    return AddressRange(interval.version, interval.low, interval.high)
