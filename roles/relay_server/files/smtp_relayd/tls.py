# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS towards clients: a context for each certificate, read again when its files change."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Iterable

from smtp_relayd import log, regular_file
from smtp_relayd.accounts import Stamp, file_stamp
from smtp_relayd.json_file import ConfigError
from smtp_relayd.policy import Rule

HANDSHAKE_SECONDS = 30.0
# asyncio reports every way to fail as one of them
HANDSHAKE_FAILURES = (OSError, asyncio.TimeoutError)
_GOOD_FILES = "in PEM and without a password"
_GOOD_KEYS = "of an RSA key of 2048 bits or more or an EC key on the curve P-256 or P-384"
_PEM = (
    (re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----"), "certificate"),
    (re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "private key"),
)


class Certificate:
    """Certificate and key in PEM; both in one file if no key file is named."""

    def __init__(self, certificate_file: str, key_file: str) -> None:
        self._files = certificate_file, key_file or certificate_file
        self._seen = self._stamps()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """The context for the next connection: new files if they can be used, else the old ones."""
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._context = self._load()
                log.emit("certificate_loaded", file=self._files[0])
            except ConfigError as error:
                log.emit("certificate_unusable", error=str(error))
        return self._context

    def _stamps(self) -> list[Stamp | None]:
        return [file_stamp(file) for file in self._files]

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        contents: list[bytes] = []
        try:
            contents = [regular_file.read_bytes(file) for file in self._files]
            # without a password function OpenSSL would ask on the terminal
            context.load_cert_chain(*self._files, password=_no_password)
        except ssl.SSLError as error:
            form = _GOOD_KEYS if error.reason == "EE_KEY_TOO_SMALL" else _GOOD_FILES
            raise self._unusable(_lacks(contents) or reason(error), form) from None
        except (OSError, ValueError) as error:
            raise self._unusable(reason(error), _GOOD_FILES) from None
        try:
            _handshake(context)
        except ssl.SSLError as error:
            why = f"TLS cannot use this sort of key ({reason(error)})"
            raise self._unusable(why, _GOOD_KEYS) from None
        return context

    def _unusable(self, why: str, form: str) -> ConfigError:
        certificate, key = self._files
        return ConfigError(
            f"{certificate}: certificate and key {key} cannot be used: {why}; put a matching pair there, {form}"
        )


class Certificates:
    """Those of all rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        names = {(rule.certificate_file, rule.key_file) for rule in rules if rule.has_tls}
        self._certificates = {pair: Certificate(*pair) for pair in sorted(names)}

    def context(self, rule: Rule) -> ssl.SSLContext:
        return self._certificates[rule.certificate_file, rule.key_file].context()


def _lacks(contents: list[bytes]) -> str:
    """OpenSSL has no words for files without PEM."""
    for content, (pattern, name) in zip(contents, _PEM):
        if not pattern.search(content):
            return f"there is no {name} in PEM"
    return ""


def _handshake(server: ssl.SSLContext) -> None:
    """In memory, with a client that trusts everybody; what fails here would fail with every client."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)
    for _round in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def reason(error: BaseException) -> str:
    """What went wrong, in few words."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "reason", "") or type(error).__name__
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__


def description(transport: asyncio.BaseTransport) -> str:
    """Version and cipher of an encrypted connection, for the log."""
    with contextlib.suppress(AttributeError):  # what asyncio raises when the connection is closing already
        secured = transport.get_extra_info("ssl_object")
        return f"{secured.version()} {secured.cipher()[0]}"
    return "TLS"
