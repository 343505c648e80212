# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that hold anything anywhere: past the argument spec, parsing refuses with an error of ours, or reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils import _argument_spec as spec
from ansible_collections.mailops.relay.plugins.module_utils._accounts.merge import merge_accounts
from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import parse_account, render_account
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import subtract
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError, RelayError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._connector.settings import (
    merge_settings,
    render_settings,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.definitions import parse_definitions
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import parse_limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.info import connector_for
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import raw
from support.memory_backend import EVERYTHING
from support.scale import examples

SCAN: dict[str, Any] = {
    "name": "Scan",
    "bindings": ["0.0.0.0:25"],
    "remote_ip_ranges": ["10.0.0.0/24", "10.1.0.1"],
    "permission_groups": ["AnonymousUsers"],
    "auth_mechanism": ["Tls", "BasicAuth"],
    "extended_rights": [{"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}],
    "allowed_senders": ["corp.test"],
    "max_message_size": "36MB",
    "connection_timeout": "00:10:00",
    "message_rate_limit": "Unlimited",
    "tls_domain_capabilities": ["a.test:AcceptOorgProtocol"],
    "size_enabled": "Enabled",
}
CORP = {"name": "corp.test", "type": "InternalRelay", "next_hop": "mail.corp.test:25"}
ALICE = {"name": "alice", "addresses": ["alice@corp.test"], "allow_nets": ["10.0.0.0/24"], "password": "long enough"}
THERE = merge(State(), Options(connectors=[SCAN], accepted_domains=[CORP]))
LIKELY = (*SCAN.values(), *CORP.values(), *ALICE["addresses"], "Unlimited", "present", "absent")


def entries(options: Mapping[str, Any], good: Mapping[str, Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of good entries in which some options are anything at all, now and then even those that Ansible looks at,
    or that are no entries."""
    unseen = sorted(key for key in options.keys() - {"name", "state"} if not is_seen(options[key]))
    likely = (*LIKELY, *(value for value in good.values() if isinstance(value, list)))
    some = st.dictionaries(st.sampled_from(unseen), raw.values(*likely), max_size=3)
    more = st.dictionaries(st.sampled_from(sorted(options)), raw.values(*likely), max_size=3)
    fine = st.lists(some, max_size=3).map(
        lambda found: [{**good, "name": f"{good.get('name')}{number or ''}", **odd} for number, odd in enumerate(found)]
    )
    return fine | fine | fine | st.lists(more.map(lambda odd: {**good, **odd}) | raw.values(), max_size=3)


def is_seen(option: Any) -> bool:
    """Ansible itself refuses what it cannot be."""
    return isinstance(option, dict) and ("choices" in option or option.get("type") not in ("str", "raw"))


def validated(argument_spec: Mapping[str, Any], **arguments: Any) -> Any:
    """The options as a module sees them; ``None`` where Ansible refuses the task, or JSON cannot carry it there."""
    try:
        carried = json.loads(json.dumps(spec.plain_arguments(arguments)))
        spec.refuse_what_ansible_fails_on(argument_spec, carried)
    except (ValueError, InputError):
        return None
    result = ArgumentSpecValidator(argument_spec).validate(carried)
    return None if result.error_messages else result.validated_parameters


CONNECTORS = spec.connectors_spec()["connectors"]
DOMAINS = spec.domains_spec()["accepted_domains"]
ACCOUNTS = spec.accounts_spec()["accounts"]


def check(state: State) -> None:
    """What was read can be compared, kept and written."""
    items: list[Connector | AcceptedDomain] = [*state.connectors, *state.accepted_domains]
    hash(tuple(items))
    json.dumps([render_item(item) for item in items], ensure_ascii=False).encode()


@examples(200)
@given(entries(CONNECTORS["options"], SCAN), st.booleans())
def test_connectors(given_entries: list[Any], purge: bool) -> None:
    params = validated({"connectors": CONNECTORS}, connectors=given_entries)
    if params is None:
        return
    for before in (State(), THERE):
        try:
            check(merge(before, Options(connectors=params["connectors"], purge=purge)))
        except RelayError as error:
            str(error).encode()


@examples(60)
@given(entries(DOMAINS["options"], CORP))
def test_domains(given_entries: list[Any]) -> None:
    params = validated({"accepted_domains": DOMAINS}, accepted_domains=given_entries)
    if params is None:
        return
    try:
        check(merge(THERE, Options(accepted_domains=params["accepted_domains"])))
    except RelayError as error:
        str(error).encode()


@examples(60)
@given(entries(ACCOUNTS["options"], ALICE))
def test_accounts(given_entries: list[Any]) -> None:
    params = validated({"accounts": ACCOUNTS}, accounts=given_entries)
    if params is None:
        return
    try:
        accounts = merge_accounts((), params["accounts"], purge=False)
    except RelayError as error:
        str(error).encode()
    else:
        stored = json.loads(json.dumps([{**render_account(account), "hash": account.hash} for account in accounts]))
        assert tuple(parse_account(fields, "stored") for fields in stored) == accounts


INHERITED = {"connector": "Scan", "principal": "S-1-5-7", "right": "ms-Exch-SMTP-Submit", "deny": False}
RIGHTS = st.dictionaries(st.sampled_from(sorted(INHERITED)), raw.values(*INHERITED.values()), max_size=1).map(
    lambda odd: {**INHERITED, **odd}
)
SERVERS = st.fixed_dictionaries(
    {
        "connectors": entries(CONNECTORS["options"], SCAN),
        "accepted_domains": entries(DOMAINS["options"], CORP),
    },
    optional={
        "inherited_rights": st.lists(RIGHTS | raw.values(), max_size=2) | raw.values(),
        "rights_known": raw.values(True, False),
        "relay_surface": raw.values(),
    },
)


@examples(200)
@given(SERVERS | SERVERS | SERVERS | raw.values())
def test_a_whole_server(value: Any) -> None:
    try:
        check(parse_definitions(value))
    except RelayError as error:
        str(error).encode()


SETTINGS = spec.settings_spec()
SERVER = merge_settings(None, {"name": "relay", "fqdn": "relay.test", "shared_sources": ["10.0.0.0/24"]})


@examples(300)
@given(
    st.dictionaries(st.sampled_from(sorted(SETTINGS)), raw.values("relay", "h.test", {"host": "h.test"}, ["10.0.0.1"]))
)
def test_settings(options: dict[str, Any]) -> None:
    params = validated(SETTINGS, **options)
    if params is None:
        return
    for before in (None, SERVER):
        try:
            wanted = merge_settings(before, params)
        except RelayError as error:
            str(error).encode()
        else:
            written = json.dumps(render_settings(wanted), ensure_ascii=False).encode()
            assert merge_settings(None, json.loads(written)) == wanted


@examples(300)
@given(raw.values(0, 256), raw.values(["10.0.0.1"], "10.0.0.0/8"))
def test_limits_of_a_task(most: Any, sources: Any) -> None:
    params = validated(spec.guard_spec(), max_relay_addresses=most, shared_sources=sources)
    if params is None:
        return
    try:
        limits = parse_limits(params["max_relay_addresses"], params["shared_sources"]).tightened(SERVER)
    except RelayError as error:
        str(error).encode()
    else:
        assert limits.max_relay_addresses is not None
        assert 0 <= limits.max_relay_addresses <= SERVER.max_relay_addresses
        assert not subtract(SERVER.shared_sources, limits.shared_sources)


@examples(300)
@given(raw.values("0.0.0.0:25"), raw.values("10.0.0.1"))
def test_a_question_who_takes_a_session(binding: Any, client: Any) -> None:
    params = validated(spec.info_spec(), connector_for={"binding": binding, "client": client})
    if params is None:
        return
    reading = Reading(THERE, ServiceFacts(False, False), EVERYTHING)
    try:
        assert connector_for(reading, params["connector_for"]) in (None, "Scan")
    except RelayError as error:
        str(error).encode()
