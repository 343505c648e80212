# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in an argument of a filter: an answer, or an error of the filter that says where."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.filter.access_matrix import access_matrix
from ansible_collections.mailops.relay.plugins.filter.relay_decision import relay_decision
from ansible_collections.mailops.relay.plugins.filter.relay_surface import relay_surface
from ansible_collections.mailops.relay.plugins.plugin_utils._filter import asking, read
from support.scale import examples

SCAN = {
    "name": "Scan",
    "state": "present",
    "bindings": ["0.0.0.0:25", "[::]:25"],
    "remote_ip_ranges": {"set": ["10.0.0.0/29", "fd00::1"]},
    "permission_groups": ["AnonymousUsers"],
    "extended_rights": [
        {"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient", "deny": False},
    ],
    "auth_mechanism": "Tls, BasicAuth",
    "enabled": True,
    "max_message_size": "36MB",
    "max_protocol_errors": "Unlimited",
    "connection_timeout": "00:10:00",
    "connection_inactivity_timeout": 300,
    "allowed_senders": ["example.com", "*.example.com", "a@example.net"],
    "tls_domain_capabilities": ["example.com:AcceptOorgProtocol"],
    "tls_certificate_name": "<I>CN=R3<S>CN=example.com",
    "comment": "two\nlines",
}
SERVER = {
    "connectors": [SCAN],
    "accepted_domains": [{"name": "example.com", "type": "InternalRelay", "next_hop": "[::1]:25"}],
    "inherited_rights": [{"connector": "Scan", "principal": "x", "right": "ms-Exch-SMTP-Submit"}],
    "rights_known": True,
}
SESSION = {
    "binding": "192.0.2.1:25",
    "client": "10.0.0.1",
    "sender": "a@example.com",
    "recipient": "<b@example.org>",
    "tls": False,
    "account": ["a@example.com"],
}
SURFACE = [{"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.0/29"], "addresses": 8}]


def nested(depth: int) -> Any:
    value: Any = []
    for _level in range(depth):
        value = [value]
    return value


DIGITS = "9" * 5000
UNPRINTABLE = {
    "<huge>": 10**5000,
    "<less than nothing>": -(10**5000),
    "<nested>": nested(60),
    "<nested too deep>": nested(3000),
    "<long>": "x" * 9999,
    "<digits>": DIGITS,
    "<days>": f"{DIGITS}.00:00:00",
    "<prefix>": f"10.0.0.0/{DIGITS}",
    "<port>": f"0.0.0.0:{DIGITS}",
}
"""Values by what stands for them in a failing example, which prints them."""
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, math.inf, math.nan, 0.5])
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        ["\ud800", "fe80::1%\udcff", "*", "*.test", "@", "None", "Custom", "absent", "SET", "10.0.0.²", "٣"]
    )
)
KEYS = st.text(max_size=3) | st.sampled_from(["add", "remove", "set", "name", "deny"]) | st.integers() | st.none()
VALUES = st.sampled_from(sorted(UNPRINTABLE)) | st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
PLACES = st.integers(0, 1 << 32)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Of everything that stands in ``value``, and of keys that are not there."""
    yield ()
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from ((key, *rest) for rest in places(value[key]))


def put(root: Any, value: Any, place: int) -> Any:
    """``value`` at one of the places of ``root``, or under a key that is ``value`` itself."""
    value = UNPRINTABLE.get(value, value) if isinstance(value, str) else value
    found = list(places(root))
    path = found[place % len(found)]
    if not path:
        return value
    root = node = copy.deepcopy(root)
    for key in path[:-1]:
        node = node[key]
    if isinstance(node, dict) and place % 7 == 0 and isinstance(value, (str, int)):
        node[value] = 1
    else:
        node[path[-1]] = value
    return root


def is_answered(question: Any, *arguments: Any) -> bool:
    """Otherwise it fails as a filter must; every other exception is the test's."""
    try:
        question(*arguments)
    except AnsibleFilterError as error:
        message = str(error)
        message.encode("utf-8", "surrogateescape")
        return not message
    return True


@examples(400)
@given(VALUES, PLACES)
def test_an_odd_server(value: Any, place: int) -> None:
    server = put(SERVER, value, place)
    answers = [
        is_answered(access_matrix, server),
        is_answered(relay_decision, server, SESSION),
        is_answered(relay_surface, server),
        is_answered(relay_surface, SERVER, server) or isinstance(server, list) or server is None,
    ]
    assert len({*answers[:3]}) == 1, "all of them read it alike"


@examples(200)
@given(VALUES, PLACES)
def test_an_odd_session(value: Any, place: int) -> None:
    session = put(SESSION, value, place)
    alone, listed = is_answered(relay_decision, SERVER, session), is_answered(relay_decision, SERVER, [session])
    assert alone is listed or isinstance(session, list)


@examples(200)
@given(VALUES, PLACES)
def test_an_odd_surface(value: Any, place: int) -> None:
    is_answered(relay_surface, SERVER, put(SURFACE, value, place))


def test_the_argument_is_named_whatever_happens() -> None:
    @asking
    def odd(value: Any) -> Any:
        return read("minus", lambda value: {}[value], value)

    with pytest.raises(
        AnsibleFilterError, match=r"minus: cannot be read \(KeyError: 1\)\. Give what the documentation"
    ):
        odd(1)
    assert asking(lambda value: read("minus", str, value))(1) == "1"


def test_the_plain_ones_are_answered() -> None:
    assert is_answered(access_matrix, SERVER)
    assert is_answered(relay_decision, SERVER, SESSION)
    assert is_answered(relay_surface, SERVER, SURFACE)
