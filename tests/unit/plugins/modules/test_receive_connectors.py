# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd import documents
from ansible_collections.mailops.relay.plugins.module_utils._host.files import read_bytes
from support.modules import ModuleFailed, Runner, write_settings

RELAY = {"principal": "NT AUTHORITY\\ANONYMOUS LOGON", "right": "ms-Exch-SMTP-Accept-Any-Recipient", "deny": False}
DENY = {"principal": "NT AUTHORITY\\ANONYMOUS LOGON", "right": "ms-Exch-SMTP-Accept-Any-Sender", "deny": True}


def scan(**options: Any) -> dict[str, Any]:
    return {
        "name": "Scan",
        "bindings": ["127.0.0.1:2525"],
        "remote_ip_ranges": ["127.0.0.11"],
        "permission_groups": ["AnonymousUsers"],
        "extended_rights": [RELAY],
        **options,
    }


def apply(run: Runner, *connectors: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run("receive_connectors", connectors=list(connectors), **options)


def triplet(run: Runner, connectors: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """Check mode moves nothing and predicts; then it is done; then there is nothing left to do."""
    untouched = run.snapshot()
    predicted = apply(run, *connectors, check=True, **options)
    assert run.snapshot() == untouched
    done = apply(run, *connectors, **options)
    assert predicted == done
    assert done["changed"] is True
    assert done["diff"]["before"] != done["diff"]["after"]
    settled = run.snapshot()
    again = apply(run, *connectors, **options)
    assert run.snapshot() == settled
    assert (again["changed"], again["commands"], again["before"]) == (False, [], again["after"])
    assert again["diff"]["before"] == again["diff"]["after"]
    return done


def test_a_connector_is_created(run: Runner) -> None:
    result = triplet(run, [scan()])
    assert result["before"] == [{"name": "Scan", "state": "absent"}]
    assert result["after"][0] == {**result["after"][0], **scan(), "state": "present", "enabled": True}
    assert result["backend"] == "aiosmtpd"
    assert result["relay_surface"] == [
        {"binding": "127.0.0.1:2525", "reach": "any", "ranges": ["127.0.0.11"], "addresses": 1}
    ]
    assert result["listeners"] == [{"address": "127.0.0.1", "port": 2525}]
    assert result["restart_required"] is False, "nothing runs yet"


def test_what_opens_and_closes_is_in_the_result_and_in_words_in_the_diff(run: Runner) -> None:
    apply(run, scan())
    result = triplet(run, [scan(remote_ip_ranges=["10.0.0.0/30", "10.0.0.9"])])
    entry = {"binding": "127.0.0.1:2525", "reach": "any"}
    assert result["surface_change"] == {
        "opens": [{**entry, "ranges": ["10.0.0.0/30", "10.0.0.9"], "addresses": 5}],
        "closes": [{**entry, "ranges": ["127.0.0.11"], "addresses": 1}],
    }
    assert result["diff"]["prepared"] == (
        "relay surface: opens 10.0.0.0/30, 10.0.0.9 (5 addresses) to any domain on 127.0.0.1:2525\n"
        "relay surface: closes 127.0.0.11 (1 address) to any domain on 127.0.0.1:2525\n"
    )
    quiet = triplet(run, [{"name": "Scan", "comment": "x"}])
    assert quiet["surface_change"] == {"opens": [], "closes": []}
    assert "prepared" not in quiet["diff"]


def test_only_bindings_where_something_changes_are_in_the_difference(run: Runner) -> None:
    """On the exact address nobody relays, neither before nor after."""
    exact = scan(name="Exact", extended_rights=[], remote_ip_ranges=["127.0.0.0/8"])
    result = apply(run, exact, scan(bindings=["0.0.0.0:2525"]))
    assert [(item["binding"], item["addresses"]) for item in result["relay_surface"]] == [
        ("0.0.0.0:2525", 1),
        ("127.0.0.1:2525", 0),
    ]
    assert [item["binding"] for item in result["surface_change"]["opens"]] == ["0.0.0.0:2525"]


def test_a_shared_source_is_refused(run: Runner) -> None:
    apply(run, scan(enabled=False))
    untouched = run.snapshot()
    for sources, says in ((["127.0.0.0/28"], "many clients arrive from"), (["x"], r"shared_sources\[0\]: not an IP")):
        with pytest.raises(ModuleFailed, match=says):
            apply(run, scan(enabled=True), shared_sources=sources)
    assert run.snapshot() == untouched


@pytest.mark.parametrize(
    ("options", "after"),
    [
        ({"enabled": False}, {"enabled": False}),
        ({"bindings": ["127.0.0.2:2525", "[::1]:2525"]}, {"bindings": ["127.0.0.2:2525", "[::1]:2525"]}),
        ({"bindings": {"add": ["127.0.0.2:2525"]}}, {"bindings": ["127.0.0.1:2525", "127.0.0.2:2525"]}),
        ({"remote_ip_ranges": ["10.0.0.5/30"]}, {"remote_ip_ranges": ["10.0.0.4/30"]}),
        ({"remote_ip_ranges": []}, {"remote_ip_ranges": []}),
        (
            {"remote_ip_ranges": {"add": ["10.0.0.1-10.0.0.2"]}},
            {"remote_ip_ranges": ["10.0.0.1-10.0.0.2", "127.0.0.11"]},
        ),
        ({"remote_ip_ranges": {"remove": ["127.0.0.11"]}}, {"remote_ip_ranges": []}),
        ({"remote_ip_ranges": {"set": ["10.0.0.1"]}}, {"remote_ip_ranges": ["10.0.0.1"]}),
        ({"permission_groups": []}, {"permission_groups": []}),
        ({"permission_groups": "None"}, {"permission_groups": []}),
        ({"extended_rights": []}, {"extended_rights": []}),
        ({"extended_rights": {"add": [DENY]}}, {"extended_rights": [RELAY, DENY]}),
        ({"fqdn": "Scan.Corp.Test"}, {"fqdn": "scan.corp.test"}),
        ({"banner": "220 scan only"}, {"banner": "220 scan only"}),
        ({"max_message_size": "50 MB (52,428,800 bytes)"}, {"max_message_size": "50MB"}),
        ({"comment": "first line\nsecond 'line' $(x)"}, {"comment": "first line\nsecond 'line' $(x)"}),
        ({"auth_mechanism": "BasicAuth"}, {"auth_mechanism": ["BasicAuth"]}),
        ({"require_tls": True, "auth_mechanism": {"add": ["tls"]}}, {"require_tls": True, "auth_mechanism": ["Tls"]}),
        ({"implicit_tls": True, "auth_mechanism": ["Tls"]}, {"implicit_tls": True, "auth_mechanism": ["Tls"]}),
        ({"max_recipients_per_message": 10}, {"max_recipients_per_message": "10"}),
        ({"max_inbound_connection": "unlimited"}, {"max_inbound_connection": "Unlimited"}),
        ({"max_inbound_connection_per_source": 3}, {"max_inbound_connection_per_source": "3"}),
        ({"max_protocol_errors": 0}, {"max_protocol_errors": "0"}),
        ({"connection_timeout": "01:00:00"}, {"connection_timeout": "01:00:00"}),
        ({"connection_timeout": "1.00:00:00"}, {"connection_timeout": "1.00:00:00"}),
        ({"connection_inactivity_timeout": 90}, {"connection_inactivity_timeout": "00:01:30"}),
        ({"tarpit_interval": "00:00:05"}, {"tarpit_interval": "00:00:05"}),
        (
            {"allowed_senders": ["Scan@Corp.Test", "*.corp.test"]},
            {"allowed_senders": ["*.corp.test", "scan@corp.test"]},
        ),
        ({"allowed_recipients": {"add": ["partner.test"]}}, {"allowed_recipients": ["partner.test"]}),
        ({"permission_groups": {"add": ["ExchangeUsers"]}}, {"permission_groups": ["AnonymousUsers", "ExchangeUsers"]}),
    ],
)
def test_every_option(run: Runner, certificate: dict[str, str], options: dict[str, Any], after: dict[str, Any]) -> None:
    created = apply(run, scan(**certificate))
    result = triplet(run, [{"name": "scan", **options}])
    assert result["before"] == created["after"]
    assert result["after"] == [{**created["after"][0], **after}]
    undone = apply(run, *result["before"])
    assert undone["after"] == created["after"]


def test_removed_rights(run: Runner) -> None:
    sender = {**DENY, "right": "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender", "deny": False}
    apply(run, scan())
    result = triplet(run, [scan(removed_rights=[sender])])
    assert result["after"][0]["removed_rights"] == [sender]
    assert [line.partition(" connector")[0] for line in result["commands"]] == ["revoke"]
    store = json.loads((run.directory / "store.json").read_text())
    assert store["policy"]["rules"][0]["anonymous_authoritative_domain_sender"] is False
    submit = {**sender, "right": "ms-Exch-SMTP-Submit"}
    closed = triplet(run, [{"name": "Scan", "removed_rights": {"add": [submit]}}], allow_inbound_loss=True)
    assert closed["relay_surface"] == []
    triplet(run, result["before"])
    with pytest.raises(ModuleFailed, match="removed_rights: backend aiosmtpd cannot express this"):
        apply(run, scan(removed_rights=[{**sender, "right": "ms-Exch-Accept-Headers-Routing"}]))


def test_certificate_and_key(run: Runner, certificate: dict[str, str]) -> None:
    apply(run, scan())
    result = triplet(run, [{"name": "Scan", "auth_mechanism": ["Tls"], **certificate}])
    assert {key: result["after"][0][key] for key in certificate} == certificate
    empty = dict.fromkeys(certificate, "")
    cleared = triplet(run, [{"name": "Scan", "auth_mechanism": "None", **empty}])
    assert {key: cleared["after"][0][key] for key in certificate} == empty


def test_before_fed_back_undoes_a_whole_task(run: Runner) -> None:
    start = apply(run, scan(), scan(name="Old", remote_ip_ranges=["10.0.0.1"]))
    result = triplet(
        run,
        [
            scan(remote_ip_ranges=["10.0.0.9"]),
            {"name": "Old", "state": "absent"},
            scan(name="New", remote_ip_ranges=["10.0.0.2"]),
        ],
    )
    assert [item["state"] for item in result["before"]] == ["absent", "present", "present"]
    apply(run, *result["before"])
    again = apply(run, *start["after"])
    assert not again["changed"]
    assert apply(run, {"name": "New", "state": "absent"})["changed"] is False


def test_purge_takes_what_is_not_listed_and_keeps_the_built_in(run: Runner) -> None:
    built_in = scan(name="Default relay", remote_ip_ranges=["0.0.0.0/0"], extended_rights=[])
    apply(run, scan(), built_in, scan(name="Other", remote_ip_ranges=["10.0.0.1"]))
    result = triplet(run, [scan()], purge=True)
    assert [(item["name"], item["state"]) for item in result["after"]] == [("Other", "absent"), ("Scan", "present")]
    assert result["commands"] == ['delete connector "Other"']


def test_auth_in_the_clear_is_a_warning(run: Runner) -> None:
    assert "in the clear" in str(apply(run, scan(auth_mechanism=["BasicAuth"]))["warnings"])


BAD = [
    (
        scan(permission_groups=["AnonymusUsers"]),
        "connector 'Scan', permission_groups[0]: no such value, got 'AnonymusUsers'. Did",
    ),
    (scan(remote_ip_ranges=["printer"]), "connector 'Scan', remote_ip_ranges[0]: not an IP address, got 'printer'"),
    (scan(remote_ip_ranges=["10.0.0.9-10.0.0.1"]), "ends before it starts, got '10.0.0.9-10.0.0.1'. Turn it round"),
    (scan(remote_ip_ranges=[""]), "an address range is needed, got ''"),
    (scan(remote_ip_ranges=["::ffff:10.0.0.1"]), "Write the IPv4 form: 10.0.0.1."),
    (scan(bindings=["127.0.0.1:0"]), "the port must be 1 to 65535, got '127.0.0.1:0'"),
    (scan(bindings=["127.0.0.1:70000"]), "the port must be 1 to 65535, got '127.0.0.1:70000'"),
    (scan(max_message_size="63KB"), "connector 'Scan', max_message_size: the size is out of range, got '63KB'"),
    (scan(banner="hello"), "connector 'Scan', banner: not a greeting, got 'hello'"),
    (scan(name="Sc\0an"), "a NUL character"),
    (scan(comment="a\0b"), "connector 'Scan', comment: a NUL character"),
    (scan(name="Sc\nan"), "a line break"),
    (scan(banner="220 a\r\nb"), "connector 'Scan', banner: a line break"),
    (scan(fqdn="a\nb"), "connector 'Scan', fqdn: a line break"),
    (
        scan(bindings=["203.0.113.9:2525"]),
        "binding 203.0.113.9:2525: this host does not have that address. Bindings are",
    ),
    (scan(extended_rights=[{**RELAY, "principal": "CORP\\app"}]), "cannot express this, got 'CORP\\\\app'"),
    (scan(extended_rights=[{**RELAY, "right": "ms-Exch-Bypass-Anti-Spam"}]), "cannot express this"),
    (scan(auth_mechanism=["Basic"]), "auth_mechanism[0]: no such value, got 'Basic'. Did you mean BasicAuth?"),
    (scan(auth_mechanism=["Integrated"]), "auth_mechanism: backend aiosmtpd cannot express this, got 'Integrated'"),
    (scan(auth_mechanism=["BasicAuthRequireTLS", "Tls"]), "BasicAuthRequireTLS needs BasicAuth and Tls. Give"),
    (scan(auth_mechanism=["ExternalAuthoritative", "BasicAuth"]), "ExternalAuthoritative may be joined by Tls only"),
    (scan(auth_mechanism=["ExternalAuthoritative"]), "permission_groups: ExternalAuthoritative needs ExchangeServers"),
    (scan(require_tls=True), "connector 'Scan', require_tls: it needs Tls in auth_mechanism. Add Tls"),
    (scan(implicit_tls=True), "connector 'Scan', implicit_tls: it needs Tls in auth_mechanism"),
    (scan(auth_mechanism=["Tls"]), "tls_certificate_file: backend aiosmtpd needs a certificate for TLS. Give"),
    (scan(tls_certificate_file="/x.pem"), "tls_key_file: a certificate and its key go together. Give both"),
    (scan(tls_key_file="relay.key"), "connector 'Scan', tls_key_file: not an absolute path, got 'relay.key'"),
    (scan(tls_certificate_file="/x.pem", tls_key_file="/x.key"), "tls_certificate_file: cannot be read: No such file"),
    (
        scan(max_recipients_per_message=0),
        "max_recipients_per_message: not a number in range, got '0'. Give 1 to 512000.",
    ),
    (scan(max_recipients_per_message="Unlimited"), "not a number in range, got 'Unlimited'"),
    (scan(max_inbound_connection_per_source=10001), "Give 1 to 10000 or Unlimited."),
    (scan(max_protocol_errors="many"), "max_protocol_errors: not a number in range, got 'many'"),
    (
        scan(connection_timeout="00:05:00"),
        "connection_timeout: 300 s must exceed connection_inactivity_timeout, which is 300 s. Give both",
    ),
    (scan(connection_timeout="2.00:00:00"), "connection_timeout: the time span is over a day, got '2.00:00:00'"),
    (scan(connection_inactivity_timeout=0), "connection_inactivity_timeout: a timeout of nothing, got '0'"),
    (scan(tarpit_interval="5s"), "tarpit_interval: not a time span, got '5s'. Write hh:mm:ss, quoted, or seconds"),
    (scan(allowed_senders=["a b@corp.test"]), "allowed_senders[0]: not a mail address or domain, got 'a b@corp.test'"),
    (scan(allowed_senders=["a@*.corp.test"]), "allowed_senders[0]: not a mail address"),
    (scan(allowed_recipients=["corp..test"]), "allowed_recipients[0]: not a domain, got 'corp..test'"),
    (scan(auth_mechanism=["None", "Tls"]), "connector 'Scan', auth_mechanism: None stands alone, got ['None', 'Tls']."),
    (scan(usage="Client"), "connector 'Scan', auth_mechanism: backend aiosmtpd cannot express this, got 'Integrated'"),
    (
        scan(max_hop_count=30),
        "connector 'Scan', max_hop_count: backend aiosmtpd cannot express this, got '30'. Leave it out. On",
    ),
    (scan(remote_ip_ranges=["10.0.0.0/8"]), "16777216 addresses could relay anywhere without AUTH, 256 are allowed"),
    (scan(remote_ip_ranges=["8.8.8.0/30"]), "globally routable addresses could relay"),
    (scan(name="Default relay"), "anonymous senders could relay anywhere through a built-in connector"),
]


@pytest.mark.parametrize(("connector", "says"), BAD, ids=[says for _connector, says in BAD])
def test_bad_input_is_one_clear_error_and_touches_nothing(run: Runner, connector: dict[str, Any], says: str) -> None:
    apply(run, scan(name="Other", remote_ip_ranges=["10.1.0.1"]))
    untouched = run.snapshot()
    for check in (True, False):
        with pytest.raises(ModuleFailed) as caught:
            apply(run, scan(name="Fine", remote_ip_ranges=["10.2.0.1"]), connector, check=check)
        assert says in caught.value.result["msg"]
        assert caught.value.result["error"] in ("input", "conflict", "capability", "guard", "store", "service")
    assert run.snapshot() == untouched


@pytest.mark.parametrize(("option", "value"), [("usage", "Relay"), ("usage", "internet"), ("size_enabled", "On")])
def test_a_word_that_is_no_choice_is_refused_by_ansible(run: Runner, option: str, value: str) -> None:
    untouched = run.snapshot()
    with pytest.raises(ModuleFailed, match=f"value of {option} must be one of: .*, got: {value} found in connectors"):
        apply(run, scan(**{option: value}))
    assert run.snapshot() == untouched


def test_two_entries_for_one_name(run: Runner) -> None:
    with pytest.raises(ModuleFailed, match="two entries for one connector, got 'SCAN'"):
        apply(run, scan(), scan(name="SCAN"))


@pytest.mark.parametrize(("ranges", "how"), [("10.0.0.0/24", "equals"), ("10.0.0.5-10.0.1.5", "partly overlaps")])
def test_ranges_that_cannot_stand_beside_those_of_another_connector(run: Runner, ranges: str, how: str) -> None:
    apply(run, scan(remote_ip_ranges=["10.0.0.0/24"]))
    with pytest.raises(ModuleFailed, match=f"{how} 10.0.0.0/24"):
        apply(run, scan(name="Other", remote_ip_ranges=[ranges]))


def test_a_busy_port(run: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        untouched = run.snapshot()
        with pytest.raises(ModuleFailed, match=f"binding 127.0.0.1:{port}: the port is in use by another program"):
            apply(run, scan(bindings=[f"127.0.0.1:{port}"]))
        after = run.snapshot()
    after.pop(str(run.directory / "store.lock"))
    untouched.pop(str(run.directory))
    after.pop(str(run.directory))
    assert after == untouched


def test_allow_open_relay_warns(run: Runner) -> None:
    result = apply(run, scan(remote_ip_ranges=["10.0.0.0/8"]), allow_open_relay=True)
    assert result["changed"]
    assert "OPEN RELAY RISK" in str(result["warnings"])


def test_a_built_in_connector_stays(run: Runner) -> None:
    apply(run, scan(name="Default relay", extended_rights=[]))
    with pytest.raises(ModuleFailed, match="a built-in connector cannot be deleted"):
        apply(run, {"name": "default RELAY", "state": "absent"})


def test_drift_is_seen_and_repaired(run: Runner) -> None:
    apply(run, scan())
    path = run.directory / "store.json"
    good = path.read_bytes()
    document = json.loads(good)
    document["policy"]["rules"][0]["max_message_size"] = 1 << 30
    path.write_text(json.dumps(document))
    predicted = apply(run, scan(), check=True)
    assert (predicted["changed"], predicted["commands"]) == (True, ["recompile policy"])
    assert "to do: recompile policy" in predicted["diff"]["before"]
    assert "is not the digest of the policy beside it" in predicted["warnings"][0]
    assert apply(run, scan())["changed"]
    assert path.read_bytes() == good
    assert not apply(run, scan())["changed"]


def test_a_directory_without_a_relay(run: Runner, tmp_path: Path) -> None:
    run.directory = tmp_path / "other"
    with pytest.raises(ModuleFailed, match="Run the role relay_server first"):
        apply(run, scan())
    run.directory.mkdir()
    with pytest.raises(ModuleFailed, match=r"there is no relay here\. Run the role relay_server first"):
        apply(run, scan())
    assert apply(run, scan(), check=True)["changed"], "check mode predicts what comes after the role"


def test_a_newer_store(run: Runner) -> None:
    apply(run, scan())
    path = run.directory / "store.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    with pytest.raises(ModuleFailed, match="written by a newer release, got 2"):
        apply(run, scan())


def test_a_directory_that_is_not_writable(run: Runner) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as name:
        run.directory = Path(name)
        write_settings(run.directory)
        os.chmod(name, 0o500)
        user = os.geteuid()
        if user == 0:
            os.chown(name, nobody, nobody)
            os.seteuid(nobody)
        try:
            with pytest.raises(ModuleFailed, match=r"store\.lock: cannot be opened: Permission denied\. Run the role"):
                apply(run, scan())
            assert apply(run, scan(), check=True)["changed"]
        finally:
            os.seteuid(user)
            os.chmod(name, 0o700)


def test_no_diff_unless_asked(run: Runner) -> None:
    assert "diff" not in apply(run, scan(), diff=False)


@pytest.mark.parametrize("directory", ["relay", "/relay\0"])
def test_a_directory_that_is_no_path(run: Runner, directory: str) -> None:
    for module, options in (("receive_connectors", {"connectors": []}), ("transport_service", {"state": "stopped"})):
        with pytest.raises(ModuleFailed, match="directory: not an absolute path, got"):
            run(module, directory=directory, **options)


def test_a_directory_of_something_else_stays_as_it_is(run: Runner) -> None:
    (run.directory / "settings.json").unlink()
    untouched = run.snapshot()
    with pytest.raises(ModuleFailed, match="there is no relay here"):
        apply(run, scan())
    assert run.snapshot() == untouched


@pytest.mark.parametrize("size", ["9" * 5000, "36 MB (,,, bytes)", f"36 MB ({'9' * 5000} bytes)", "36MB\n"])
def test_a_size_that_is_none_is_no_traceback(run: Runner, size: str) -> None:
    with pytest.raises(ModuleFailed, match="max_message_size: "):
        apply(run, scan(max_message_size=size))


@pytest.mark.parametrize("option", ["bindings", "remote_ip_ranges"])
def test_a_line_break_in_an_address_is_refused(run: Runner, option: str) -> None:
    with pytest.raises(ModuleFailed, match=f"{option}"):
        apply(run, scan(**{option: [scan()[option][0] + "\n"]}))


def test_a_number_in_place_of_a_boolean_is_drift(run: Runner) -> None:
    apply(run, scan(extended_rights=[]))
    path = run.directory / "store.json"
    path.write_text(path.read_text().replace('"anonymous_any_recipient": false', '"anonymous_any_recipient": 0'))
    assert apply(run, scan(extended_rights=[]))["changed"]


@pytest.mark.parametrize("change", [{"extra": 1}, {"state": "absent"}])
def test_definitions_say_nothing_that_is_not_understood(run: Runner, change: dict[str, Any]) -> None:
    apply(run, scan())
    path = run.directory / "store.json"
    document = json.loads(path.read_text())
    document["definitions"]["connectors"][0].update(change)
    path.write_text(json.dumps(document))
    with pytest.raises(ModuleFailed, match="a key or state that means nothing here"):
        apply(run, scan())


DOMAIN = {"name": "corp.test", "next_hop": "192.0.2.1:25"}


def edit(run: Runner, change: Callable[[dict[str, Any]], object]) -> None:
    path = run.directory / "store.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_definition_opened_by_hand_is_not_what_was_there_before(run: Runner) -> None:
    """It was never run: a task about something else must not open it."""
    apply(run, scan())
    edit(run, lambda document: document["definitions"]["connectors"][0].update(remote_ip_ranges=["0.0.0.0/0"]))
    info = run("receive_connectors_info")
    assert [entry["ranges"] for entry in info["relay_surface"]] == [["127.0.0.11"]], "what it runs"
    assert "does not follow from the definitions" in info["warnings"][0]
    for check in (True, False):
        with pytest.raises(ModuleFailed, match="max_relay_addresses: 4294967296 addresses could relay"):
            run("accepted_domains", accepted_domains=[DOMAIN], check=check)
    assert apply(run, scan())["changed"]
    assert not run("receive_connectors_info")["warnings"]


def test_a_policy_opened_by_hand_is_what_was_there_before(run: Runner) -> None:
    """The relay runs it: it shows, it warns, and the next task of whatever kind closes it."""
    apply(run, scan())

    def opened(document: dict[str, Any]) -> None:
        document["policy"]["bindings"][0]["intervals"] = [["0.0.0.0", "255.255.255.255", 0]]
        document["digest"] = documents.sha256(documents.canonical(document["policy"]))

    edit(run, opened)
    info = run("receive_connectors_info", connector_for={"binding": "127.0.0.1:2525", "client": "8.8.8.8"})
    assert [entry["ranges"] for entry in info["relay_surface"]] == [["0.0.0.0/0"]]
    assert info["selected"] == "Scan"
    closed = run("accepted_domains", accepted_domains=[DOMAIN])
    assert [entry["addresses"] for entry in closed["surface_change"]["closes"]] == [(1 << 32) - 1]
    assert [entry["ranges"] for entry in run("receive_connectors_info")["relay_surface"]] == [["127.0.0.11"]]


def test_the_store_is_read_once_before_and_once_after(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def read(path: str) -> bytes | None:
        opened.append(Path(path).name)
        return read_bytes(path)

    monkeypatch.setattr(documents, "read_bytes", read)
    for entry, check, reads in ((scan(), True, 1), (scan(), False, 2), (scan(), False, 1)):
        opened.clear()
        apply(run, entry, check=check)
        assert opened.count("store.json") == reads
        assert opened.count("settings.json") == reads + (not check), "the lock is asked for where there is a relay"


def test_the_store_is_replaced_and_never_written_in_place(run: Runner) -> None:
    apply(run, scan())
    path = run.directory / "store.json"
    with path.open() as reader:
        before = path.read_text()
        apply(run, scan(comment="new"))
        assert reader.read() == before
    assert path.read_text() != before


def test_a_refusal_says_that_somebody_edited_the_file(run: Runner) -> None:
    """Else nobody understands why a task is refused that has nothing to do with it."""
    apply(run, scan())
    path = run.directory / "store.json"
    document = json.loads(path.read_bytes())
    document["definitions"]["connectors"][0]["remote_ip_ranges"] = ["10.0.0.0/8"]
    path.write_text(json.dumps(document))
    with pytest.raises(ModuleFailed, match="could relay anywhere without AUTH") as caught:
        run("accepted_domains", accepted_domains=[{"name": "new.test", "next_hop": "192.0.2.1:25"}])
    assert "edited by hand" in caught.value.result["warnings"][0]
