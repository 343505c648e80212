# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all sessions of one relay share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from smtp_relayd import address, files
from smtp_relayd.accounts import AccountsFile
from smtp_relayd.files import Settings
from smtp_relayd.hop import HopTimeouts
from smtp_relayd.login import Logins
from smtp_relayd.policy import Policy, Route
from smtp_relayd.tls import HANDSHAKE_SECONDS, Certificates


@dataclass
class Memory:
    """What all sessions together may hold of messages, in octets."""

    limit: int = 512 * 1024 * 1024
    used: int = 0

    @property
    def exhausted(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True)
class Limits:
    """Seconds and octets that tests make smaller. Of those that rules have too the smaller one holds."""

    hop: HopTimeouts = field(default_factory=HopTimeouts)
    idle: float = math.inf
    connection: float = math.inf
    handshake: float = HANDSHAKE_SECONDS
    # how often progress of a client that sends content re-arms the idle timer
    progress: float = 5
    # how often the next hop hears of us meanwhile
    keep_alive: float = 60
    # how long messages in hand may take when the service stops
    stop: float = 60
    # what is read and thrown away after the size limit
    drain: int = 16 * 1024 * 1024
    sessions: int = 500


@dataclass(frozen=True)
class Shared:
    """What every session of this relay knows."""

    settings: Settings
    policy: Policy
    certificates: Certificates
    logins: Logins
    limits: Limits = Limits()
    memory: Memory = field(default_factory=Memory)

    def route(self, mailbox: str) -> Route | None:
        accepted = self.policy.accepted_domain(address.domain_of(mailbox))
        return (accepted.next_hop if accepted else None) or self.settings.smarthost


def load_shared(directory: Path, limits: Limits | None = None, memory: Memory | None = None) -> Shared:
    """Everything that must be right before the relay starts; ConfigError tells what is not."""
    settings, policy = files.load_settings(directory), files.load_policy(directory)
    certificates = Certificates(policy.rules)
    return Shared(
        settings, policy, certificates, Logins(AccountsFile(directory)), limits or Limits(), memory or Memory()
    )
