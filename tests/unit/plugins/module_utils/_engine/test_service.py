# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ServiceError
from ansible_collections.mailops.relay.plugins.module_utils._engine.result import render_service
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import (
    Service,
    ServiceFacts,
    ServiceOutcome,
    SingleService,
    Wish,
    converge_service,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State

DEAF = (("127.0.0.1", 25), ("::", 587))


class Deaf(SingleService):
    """:ivar silent: what does not answer when it is asked; :ivar healed: what does not after a start"""

    def __init__(self, *, running: bool, healed: tuple[tuple[str, int], ...] = ()) -> None:
        self.log: list[str] = []
        self.running, self.silent, self.healed = running, DEAF, healed

    def facts(self, state: State | None = None) -> ServiceFacts:
        return ServiceFacts(self.running, False, DEAF)

    def ask(self) -> ServiceFacts:
        self.log.append("ask")
        return replace(self.facts(), silent=self.silent if self.running else ())

    def check(self) -> None:
        self.log.append("check")

    def start(self) -> None:
        self.log.append("start")
        self.running, self.silent = True, self.healed

    def stop(self) -> None:
        self.log.append("stop")
        self.running = False


def converge(service: Service, state: str, *, check: bool = False) -> ServiceOutcome:
    return converge_service(service, Wish(state, only_if_required=True), check=check)


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_a_service_that_runs_and_does_not_answer_is_restarted(state: str) -> None:
    service = Deaf(running=True)
    predicted = converge(service, state, check=True)
    assert service.log == ["ask"]
    done = converge(service, state)
    assert service.log == ["ask", "ask", "check", "stop", "start", "ask"]
    assert predicted == done
    assert done.commands == ("stop", "start")
    result, diff = render_service("memory", done)
    assert result["before"]["silent"] == [{"address": "127.0.0.1", "port": 25}, {"address": "::", "port": 587}]
    assert (result["after"]["silent"], result["changed"]) == ([], True)
    assert '"silent": [\n' in diff["before"]
    assert '"silent": []' in diff["after"]
    assert converge(service, state).commands == ()


@pytest.mark.parametrize("running", [True, False])
def test_a_service_that_does_not_answer_after_the_start_is_a_failure(running: bool) -> None:
    with pytest.raises(ServiceError, match="does not answer there") as caught:
        converge(Deaf(running=running, healed=DEAF), "started")
    assert caught.value.where == "bindings 127.0.0.1:25, [::]:587"
    with pytest.raises(ServiceError) as caught:
        converge(Deaf(running=running, healed=DEAF[:1]), "started")
    assert caught.value.where == "binding 127.0.0.1:25"


def test_a_service_that_is_to_stop_is_not_asked() -> None:
    service = Deaf(running=True)
    assert converge(service, "stopped").commands == ("stop",)
    assert service.log == ["stop"]
