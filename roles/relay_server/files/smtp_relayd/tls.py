# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS towards clients: a context for each certificate, read again when its files change."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable

from smtp_relayd import log
from smtp_relayd.accounts import Stamp, file_stamp
from smtp_relayd.json_file import ConfigError
from smtp_relayd.policy import Rule

HANDSHAKE_SECONDS = 30.0
# asyncio reports every way to fail as one of them
HANDSHAKE_FAILURES = (OSError, asyncio.TimeoutError)


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
        try:
            # without a password function OpenSSL would ask on the terminal
            context.load_cert_chain(*self._files, password=_no_password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self._files[0]}: certificate and key {self._files[1]} cannot be used: {reason(error)}; "
                "put a matching pair there, in PEM and without a password"
            ) from None
        return context


class Certificates:
    """Those of all rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        names = {(rule.certificate_file, rule.key_file) for rule in rules if rule.has_tls}
        self._certificates = {pair: Certificate(*pair) for pair in sorted(names)}

    def context(self, rule: Rule) -> ssl.SSLContext:
        return self._certificates[rule.certificate_file, rule.key_file].context()


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
