# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from smtp_relayd import accounts, files
from smtp_relayd.json_file import ConfigError
from smtp_relayd.policy import Route
from support import relay_files
from support.json_junk import changed, damaged, encoded
from support.special_files import SPECIAL_FILES

Change = Callable[[dict[str, Any]], object]
ACCOUNTS = {"version": 1, "accounts": [relay_files.account(allow_nets=["10.0.0.0/8", "::1-::2"])]}


def example() -> dict[str, Any]:
    return relay_files.policy(
        [
            relay_files.binding("0.0.0.0", 25, ("10.0.0.0", "10.0.0.255", 1), ("::", "::ffff", 0)),
            relay_files.binding("::", 25),
        ],
        [relay_files.rule(), relay_files.rule("Scanner", fqdn="scan.corp.test", banner="220 hello there")],
        [relay_files.domain("corp.test", "[::1]:2527"), relay_files.domain("*.corp.test", type="InternalRelay")],
        "postmaster@corp.test",
    )


def test_what_is_written_is_what_is_loaded(tmp_path: Path) -> None:
    relay_files.write(tmp_path, example(), smarthost="smart.test:587")
    settings, policy = files.load_settings(tmp_path), files.load_policy(tmp_path)
    assert (settings.name, settings.fqdn, settings.smarthost) == (
        "relay",
        "relay.corp.test",
        Route("smart.test", 587),
    )
    assert settings.digest == relay_files.settings_digest(tmp_path)
    assert policy.digest == json.loads((tmp_path / "store.json").read_text())["digest"]
    scanner = policy.rule_for("192.0.2.1", 25, "10.0.0.7")
    assert scanner is not None
    assert (scanner.connector, scanner.fqdn, scanner.banner) == ("Scanner", "scan.corp.test", "220 hello there")
    assert policy.domains["corp.test"].next_hop == Route("::1", 2527)
    assert policy.domains["*.corp.test"].next_hop is None
    assert policy.postmaster == "postmaster@corp.test"


def drop(*path: Any) -> Change:
    return lambda root: _at(root, path[:-1]).pop(path[-1])


def put(value: Any, *path: Any) -> Change:
    return lambda root: _at(root, path[:-1]).__setitem__(path[-1], value)


def _at(root: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        root = root[step]
    return root


INTERVALS = ("bindings", 0, "intervals")


@pytest.mark.parametrize(
    ("change", "key", "seen"),
    [
        (drop("postmaster"), "policy", 'has no key "postmaster"'),
        (put(1, "extra"), "policy", 'unknown key "extra"'),
        (put([], "rules"), "policy.bindings[0].intervals[0][2] = 1", "whole number"),
        (put("x", "rules"), 'policy.rules = "x"', "is not a list"),
        (drop("rules", 0, "banner"), "policy.rules[0]", 'has no key "banner"'),
        (put(1, "rules", 0, "other"), "policy.rules[0]", 'unknown key "other"'),
        (put("37748736", "rules", 0, "max_message_size"), "policy.rules[0].max_message_size", "whole number"),
        (put(True, "rules", 0, "max_message_size"), "policy.rules[0].max_message_size = true", "whole number"),
        (put(0, "rules", 0, "max_message_size"), "policy.rules[0].max_message_size = 0", "whole number"),
        (put(1.0, "rules", 0, "max_message_size"), "policy.rules[0].max_message_size = 1.0", "whole number"),
        (put(1, "rules", 0, "anonymous_submit"), "policy.rules[0].anonymous_submit = 1", "true or false"),
        (put(None, "rules", 0, "fqdn"), "policy.rules[0].fqdn = null", "text"),
        (put("a b", "rules", 0, "fqdn"), "policy.rules[0].fqdn", "domain name"),
        (put("250 no", "rules", 0, "banner"), "policy.rules[0].banner", "greeting line"),
        (put("220 a\r\n250 b", "rules", 0, "banner"), "policy.rules[0].banner", "greeting line"),
        (put("220 \u00e9", "rules", 0, "banner"), "policy.rules[0].banner", "greeting line"),
        (put(0, "rules", 0, "max_recipients"), "policy.rules[0].max_recipients = 0", "from 1 to"),
        (put(-2, "rules", 0, "max_connections"), "policy.rules[0].max_connections = -2", "from -1 to"),
        (put(None, "rules", 0, "max_connections_per_source"), "policy.rules[0].max_connections_per_source", "whole"),
        (put(1.5, "rules", 0, "max_protocol_errors"), "policy.rules[0].max_protocol_errors = 1.5", "whole number"),
        (put(0, "rules", 0, "connection_timeout"), "policy.rules[0].connection_timeout = 0", "from 1 to"),
        (put(0, "rules", 0, "inactivity_timeout"), "policy.rules[0].inactivity_timeout = 0", "from 1 to"),
        (put(-1, "rules", 0, "tarpit_interval"), "policy.rules[0].tarpit_interval = -1", "from 0 to"),
        (put(0, "rules", 0, "starttls"), "policy.rules[0].starttls = 0", "true or false"),
        (put(True, "rules", 0, "starttls"), 'policy.rules[0].certificate_file = ""', "is empty where TLS"),
        (put(True, "rules", 0, "implicit_tls"), 'policy.rules[0].certificate_file = ""', "is empty where TLS"),
        (put("relay.pem", "rules", 0, "certificate_file"), "policy.rules[0].certificate_file", "absolute path"),
        (put("/a\0b", "rules", 0, "key_file"), "policy.rules[0].key_file", "absolute path"),
        (put("sometimes", "rules", 0, "auth"), "policy.rules[0].auth", "never, after_tls, always"),
        (put([], "rules", 0, "auth"), "policy.rules[0].auth = []", "never, after_tls, always"),
        (put("corp.test", "rules", 0, "allowed_senders"), "policy.rules[0].allowed_senders", "is not a list"),
        (put(["*"], "rules", 0, "allowed_senders"), 'policy.rules[0].allowed_senders[0] = "*"', "user@domain"),
        (put(["Corp.test"], "rules", 0, "allowed_senders"), "policy.rules[0].allowed_senders[0]", "lower case"),
        (put(["*@corp.test."], "rules", 0, "allowed_recipients"), "policy.rules[0].allowed_recipients[0]", "user@"),
        (put(["@corp.test"], "rules", 0, "allowed_recipients"), "policy.rules[0].allowed_recipients[0]", "user@"),
        (drop("rules", 0, "account_any_recipient"), "policy.rules[0]", 'has no key "account_any_recipient"'),
        (put(7, "rules", 0, "connector"), "policy.rules[0].connector = 7", "text"),
        (put("localhost", "bindings", 0, "address"), 'policy.bindings[0].address = "localhost"', "IP address"),
        (put("fe80::1%eth0", "bindings", 0, "address"), "policy.bindings[0].address", "IP address"),
        (put(0, "bindings", 0, "port"), "policy.bindings[0].port = 0", "whole number"),
        (put(65536, "bindings", 0, "port"), "policy.bindings[0].port = 65536", "whole number"),
        (put("0.0.0.0", "bindings", 1, "address"), "policy.bindings[1]", "twice"),
        (put(["10.0.0.0", "10.0.0.1"], *INTERVALS, 0), "policy.bindings[0].intervals[0]", "[first address"),
        (put(["10.0.0.2", "10.0.0.1", 0], *INTERVALS, 0), "policy.bindings[0].intervals[0]", "higher one"),
        (put(["10.0.0.2", "::1", 0], *INTERVALS, 0), "policy.bindings[0].intervals[0]", "its family"),
        (put(["10.0.0.0/24", "10.0.0.1", 0], *INTERVALS, 0), "policy.bindings[0].intervals[0][0]", "IP address"),
        (put([1, "10.0.0.1", 0], *INTERVALS, 0), "policy.bindings[0].intervals[0][0] = 1", "text"),
        (put(["10.0.0.0", "10.0.0.1", 2], *INTERVALS, 0), "policy.bindings[0].intervals[0][2] = 2", "from 0 to 1"),
        (put(["10.0.0.0", "10.0.0.1", -1], *INTERVALS, 0), "policy.bindings[0].intervals[0][2] = -1", "from 0 to 1"),
        (put(["10.0.0.0", "10.0.0.1", False], *INTERVALS, 0), "policy.bindings[0].intervals[0][2] = false", "whole"),
        (put(["10.0.0.255", "10.0.1.0", 0], *INTERVALS, 1), "policy.bindings[0].intervals[1]", "overlaps"),
        (put(["9.0.0.0", "9.0.0.1", 0], *INTERVALS, 1), "policy.bindings[0].intervals[1]", "before it"),
        (put(["::", "::1", 0], *INTERVALS, 0), "policy.bindings[0].intervals[1]", "overlaps"),
        (put("corp..test", "accepted_domains", 0, "name"), "policy.accepted_domains[0].name", "domain name"),
        (put("*", "accepted_domains", 0, "name"), "policy.accepted_domains[0].name", "domain name"),
        (put("*.CORP.test", "accepted_domains", 0, "name"), "policy.accepted_domains[1].name", "twice"),
        (put("Mine", "accepted_domains", 0, "type"), "policy.accepted_domains[0].type", "Authoritative, InternalRelay"),
        (put("host", "accepted_domains", 0, "next_hop"), "policy.accepted_domains[0].next_hop", "host:port"),
        (put("host:0", "accepted_domains", 0, "next_hop"), "policy.accepted_domains[0].next_hop", "host:port"),
        (put("host:65536", "accepted_domains", 0, "next_hop"), "policy.accepted_domains[0].next_hop", "host:port"),
        (put("[::g]:25", "accepted_domains", 0, "next_hop"), "policy.accepted_domains[0].next_hop", "host:port"),
        (put(None, "accepted_domains", 0, "next_hop"), "policy.accepted_domains[0].next_hop = null", "text"),
        (put("postmaster", "postmaster"), "policy.postmaster", "local-part@domain"),
    ],
)
def test_policy_is_loaded_strictly(tmp_path: Path, change: Change, key: str, seen: str) -> None:
    policy = copy.deepcopy(example())
    change(policy)
    relay_files.write(tmp_path, policy)
    with pytest.raises(ConfigError) as caught:
        files.load_policy(tmp_path)
    error = str(caught.value)
    assert error.startswith(f"{tmp_path / 'store.json'}: {key}")
    assert seen in error
    assert error.endswith("let a module of mailops.relay write it again")
    assert "\n" not in error


def test_starttls_and_implicit_tls_exclude_each_other(tmp_path: Path) -> None:
    both = relay_files.rule(starttls=True, implicit_tls=True, certificate_file="/relay.pem")
    relay_files.write(tmp_path, relay_files.policy([relay_files.binding("127.0.0.1", 25)], [both]))
    with pytest.raises(ConfigError, match=r"rules\[0\]\.implicit_tls = true: excludes starttls"):
        files.load_policy(tmp_path)


def test_every_part_of_a_rule(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "max_recipients": 7,
        "max_connections": 6,
        "max_connections_per_source": 5,
        "max_protocol_errors": 0,
        "connection_timeout": 4,
        "inactivity_timeout": 3,
        "tarpit_interval": 2,
        "starttls": True,
        "require_tls": True,
        "certificate_file": "/etc/relay.pem",
        "key_file": "/etc/relay.key",
        "auth": "after_tls",
        "account_any_recipient": True,
        "allowed_senders": ["corp.test", "*.corp.test", "a.b+c@corp.test", "x" * 70 + "@corp.test"],
        "allowed_recipients": [],
    }
    bindings = [relay_files.binding("127.0.0.1", 25)]
    relay_files.write(tmp_path, relay_files.policy(bindings, [relay_files.rule(**changes)]))
    (rule,) = files.load_policy(tmp_path).rules
    expected = {key: frozenset(value) if isinstance(value, list) else value for key, value in changes.items()}
    assert expected.items() <= vars(rule).items()
    assert rule.has_tls
    assert not files.load_policy(relay_files.write(tmp_path, relay_files.policy(bindings))).rules[0].has_tls


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (drop("definitions"), 'has no key "definitions"'),
        (put([], "definitions"), "definitions = []: is not an object"),
        (put({}, "definitions"), 'has no key "accepted_domains"'),
        (put(2, "version"), "version = 2: is a version that this program does not know"),
        (put("1", "version"), 'version = "1"'),
        (put(True, "version"), "version = true"),
        (put("0" * 64, "digest"), "is not the digest of the policy"),
        (put(5, "digest"), "digest = 5: is not a text"),
        (put(9, "policy", "rules", 0, "max_message_size"), "is not the digest of the policy"),
        (put([], "policy"), "digest"),
        (put(1, "\u2028"), 'unknown key "\\u2028"'),
    ],
)
def test_store_is_loaded_strictly(tmp_path: Path, change: Change, seen: str) -> None:
    relay_files.write(tmp_path, example())
    store = json.loads((tmp_path / "store.json").read_text())
    change(store)
    (tmp_path / "store.json").write_text(json.dumps(store))
    with pytest.raises(ConfigError, match=r"store\.json") as caught:
        files.load_policy(tmp_path)
    assert seen in str(caught.value)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (drop("fqdn"), 'has no key "fqdn"'),
        (put(1, "extra"), 'unknown key "extra"'),
        (put(2, "version"), "version = 2"),
        (put("", "name"), 'name = "": is empty'),
        (put(5, "name"), "name = 5: is not a text"),
        (put("relay corp", "fqdn"), 'fqdn = "relay corp": is not a domain name'),
        (put("", "fqdn"), "is not a domain name"),
        (put("host:25", "smarthost"), 'smarthost = "host:25": is not an object'),
        (put(None, "smarthost"), "smarthost = null: is not an object"),
        (put({"host": "a@b", "port": 25}, "smarthost"), 'smarthost.host = "a@b": is not host:port'),
        (put({"host": "", "port": 25}, "smarthost"), 'smarthost.host = "": is not host:port'),
        (put({"host": "a.test", "port": 0}, "smarthost"), "smarthost.port = 0: is not a whole number"),
        (put({"host": "a.test"}, "smarthost"), 'has no key "port"'),
        (drop("shared_sources"), 'has no key "shared_sources"'),
    ],
)
def test_settings_are_loaded_strictly(tmp_path: Path, change: Change, seen: str) -> None:
    settings = relay_files.settings()
    change(settings)
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match=r"settings\.json") as caught:
        files.load_settings(tmp_path)
    assert seen in str(caught.value)
    assert str(caught.value).endswith("let the module mailops.relay.relay_settings write it again")


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", "is not JSON"),
        (b"[]", "is not an object"),
        (b"{", "is not JSON"),
        (b'{"version": 1, "version": 1}', 'the key "version" stands twice'),
        (b'{"version": NaN}', "NaN is not a JSON number"),
        (b'{"version": "\xff"}', "is not JSON"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        ('{"version": 1}'.encode("utf-16"), "is not JSON: no UTF-8 from byte 0 on"),
        (b'{"version": ' + b"9" * 5000 + b"}", "is not JSON: Exceeds the limit"),
        (b'{"version": 1e999}', "is not JSON: a number is too large"),
        (b"[" * 100_000, "is not JSON: nested too deeply"),
        (b"[" * 60 + b"]" * 60, "is not JSON: nested too deeply"),
        (b'{"server_name": "\\ud800"}', "is not JSON: half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "is not JSON: half of a surrogate pair"),
        (b'{"version": "\\ud83d\\ude00"}', "has no key"),
        (b"\0" * 100, "is not JSON"),
    ],
)
def test_files_that_are_no_such_json(tmp_path: Path, content: bytes, seen: str) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        files.load_settings(tmp_path)
    assert seen in str(caught.value)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    make, says = SPECIAL_FILES[kind]
    make(tmp_path / "store.json")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(ConfigError, match=rf"store\.json: cannot be read: {says}; let a module"):
        files.load_policy(tmp_path)
    assert os.listdir("/proc/self/fd") == before


def fails_clearly(load: Callable[[Path], object], directory: Path) -> None:
    said = ""
    try:
        load(directory)
    except ConfigError as error:
        said = str(error)
    assert said.isprintable(), "one line, as the log and --check have it"


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(damaged(encoded(relay_files.settings())) | changed(relay_files.settings()).map(encoded))
def test_damaged_settings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    fails_clearly(files.load_settings, tmp_path)


@FUZZ
@given(damaged(encoded(relay_files.store(example()))))
def test_damaged_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.json").write_bytes(content)
    fails_clearly(files.load_policy, tmp_path)


@FUZZ
@given(changed(example()))
def test_changed_policy(tmp_path: Path, policy: Any) -> None:
    """With its digest, so that every part of it is looked at."""
    relay_files.write(tmp_path, policy)
    fails_clearly(files.load_policy, tmp_path)


@FUZZ
@given(damaged(encoded(ACCOUNTS)) | changed(ACCOUNTS).map(encoded))
def test_damaged_accounts(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "accounts.json").write_bytes(content)
    fails_clearly(lambda directory: accounts.load(directory / "accounts.json"), tmp_path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings\.json: cannot be read: No such file"):
        files.load_settings(tmp_path)
