# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of certificate and key that TLS cannot use, or that are none, made by the program openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from support.certificates import issue_pair

EC = ["-algorithm", "EC", "-pkeyopt"]
RSA = ["-algorithm", "RSA", "-pkeyopt"]
# options of `openssl genpkey`
NO_USE_FOR_TLS = {
    "brainpoolP256r1": [*EC, "ec_paramgen_curve:brainpoolP256r1"],
    "brainpoolP384r1": [*EC, "ec_paramgen_curve:brainpoolP384r1"],
    "secp256k1": [*EC, "ec_paramgen_curve:secp256k1"],
    "secp224r1": [*EC, "ec_paramgen_curve:secp224r1"],
    "DSA": [],
}
TOO_SHORT = {name: [*RSA, f"rsa_keygen_bits:{name}"] for name in ("512", "1024")}
OF_USE_FOR_TLS = {
    "P-256": [*EC, "ec_paramgen_curve:P-256"],
    "P-384": [*EC, "ec_paramgen_curve:P-384"],
    "RSA": [*RSA, "rsa_keygen_bits:2048"],
    "RSA-PSS": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "Ed25519": ["-algorithm", "ed25519"],
    "Ed448": ["-algorithm", "ed448"],
}


def self_signed(certificate: Path, key: Path, how: list[str]) -> None:
    """:param how: options of `openssl genpkey`, none: DSA, whose parameters come first"""
    if not how:
        parameters = key.with_suffix(".dsa")
        bits = ["-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048"]
        openssl("genpkey", "-genparam", *bits, "-out", str(parameters))
        how = ["-paramfile", str(parameters)]
    openssl("genpkey", *how, "-out", str(key))
    openssl("req", "-x509", "-new", "-key", str(key), "-subj", "/CN=x", "-days", "1", "-out", str(certificate))


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def _other_key(certificate: Path, key: Path) -> None:
    issue_pair(certificate.with_suffix(".other"), key)


def _other_sort_of_key(_certificate: Path, key: Path) -> None:
    openssl("genpkey", *OF_USE_FOR_TLS["RSA"], "-out", str(key))


def _encrypted(_certificate: Path, key: Path) -> None:
    content = key.with_suffix(".plain")
    key.rename(content)
    openssl("pkey", "-aes256", "-passout", "pass:s3cret", "-in", str(content), "-out", str(key))


def _der(certificate: Path, _key: Path) -> None:
    openssl("x509", "-in", str(certificate), "-outform", "DER", "-out", str(certificate))


def _swapped(certificate: Path, key: Path) -> None:
    first, second = certificate.read_bytes(), key.read_bytes()
    certificate.write_bytes(second)
    key.write_bytes(first)


Spoil = Callable[[Path, Path], object]
# what is done to a good pair, which of the two is to blame, and what is to be said in module and daemon
SPOILT: dict[str, tuple[Spoil, str, str, str]] = {
    "empty certificate": (
        lambda certificate, _key: certificate.write_bytes(b""),
        "tls_certificate_file",
        "the file is empty",
        "there is no certificate in PEM",
    ),
    "empty key": (
        lambda _certificate, key: key.write_bytes(b""),
        "tls_key_file",
        "the file is empty",
        "there is no private key in PEM",
    ),
    "zeros": (
        lambda certificate, _key: certificate.write_bytes(b"\0" * 4096),
        "tls_certificate_file",
        "there is no certificate in PEM in this file",
        "there is no certificate in PEM",
    ),
    "DER": (
        _der,
        "tls_certificate_file",
        "there is no certificate in PEM in this file",
        "there is no certificate in PEM",
    ),
    "swapped": (
        _swapped,
        "tls_certificate_file",
        "there is no certificate in PEM in this file",
        "there is no certificate in PEM",
    ),
    "no key": (
        lambda certificate, key: key.write_bytes(certificate.read_bytes()),
        "tls_key_file",
        "there is no private key in PEM in this file",
        "there is no private key in PEM",
    ),
    "broken": (
        lambda certificate, _key: certificate.write_text(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        ),
        "tls_certificate_file",
        "cannot be used: ",
        "",
    ),
    "other key": (
        _other_key,
        "tls_certificate_file",
        "the key does not belong to the certificate",
        "KEY_VALUES_MISMATCH",
    ),
    "other sort of key": (
        _other_sort_of_key,
        "tls_certificate_file",
        "the key does not belong to the certificate",
        "NO_CERTIFICATE_ASSIGNED",
    ),
    "encrypted": (_encrypted, "tls_key_file", "the key has a passphrase", "the key is encrypted"),
}
