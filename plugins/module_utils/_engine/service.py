# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the transport service to the wanted state."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .backend import Service, ServiceFacts


@dataclass(frozen=True)
class ServiceOutcome:
    """``commands``: what was done to the service (in check mode: would be)."""

    before: ServiceFacts
    after: ServiceFacts
    commands: tuple[str, ...]


def converge_service(service: Service, state: str, *, only_if_required: bool, check: bool) -> ServiceOutcome:
    """:param state: ``started``, ``stopped`` or ``restarted``

    A service that would not start again is not stopped: what it would load is checked first.

    :raises ServiceError: it did not do as it was told
    """
    with service.transaction(read_only=check):
        return _converge(service, state, only_if_required, check)


def _converge(service: Service, state: str, only_if_required: bool, check: bool) -> ServiceOutcome:
    before = service.facts()
    commands = _commands(before, state, only_if_required)
    if check or not commands:
        running = state != "stopped"
        planned = replace(
            before, running=running, restart_required=before.restart_required and not commands and running
        )
        return ServiceOutcome(before, planned if commands else before, commands)
    if "start" in commands:
        service.check()
    for command in commands:
        service.stop() if command == "stop" else service.start()
    return ServiceOutcome(before, service.facts(), commands)


def _commands(facts: ServiceFacts, state: str, only_if_required: bool) -> tuple[str, ...]:
    if state == "stopped":
        return ("stop",) if facts.running else ()
    if not facts.running:
        return ("start",)
    if state == "restarted" and (facts.restart_required or not only_if_required):
        return ("stop", "start")
    return ()
