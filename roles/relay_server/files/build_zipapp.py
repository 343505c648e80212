# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zip the daemon and its dependencies into one file; runs on the Ansible controller, standard library only.

    python build_zipapp.py --cache DIR

prints the path of the zipapp. Its name is the digest of what it is made of; a file of that name is not made again, so
that pip, and whatever pip needs, is needed once. Equal inputs give equal bytes: entries sorted, one timestamp, one
mode, no compression (zlibs differ), nothing that depends on the interpreter.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "smtp_relayd"
REQUIREMENTS = HERE / "requirements.txt"
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
MAIN = b"import sys\n\nfrom smtp_relayd.__main__ import main\n\nsys.exit(main())\n"
# changes with this script, where it changes the zipapp
LAYOUT = b"1"
# parts of the dependencies that do not run
LEFT_OUT = {"aiosmtpd/docs", "aiosmtpd/qa", "aiosmtpd/testing", "aiosmtpd/tests"}


class BuildError(Exception):
    """The zipapp cannot be made."""


def sources() -> dict[str, bytes]:
    """The daemon: name in the zipapp -> content."""
    return {f"smtp_relayd/{file.relative_to(PACKAGE).as_posix()}": file.read_bytes() for file in PACKAGE.rglob("*.py")}


def digest() -> str:
    total = hashlib.sha256(LAYOUT)
    for name, content in sorted({**sources(), REQUIREMENTS.name: REQUIREMENTS.read_bytes()}.items()):
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def build(cache: Path) -> Path:
    """Make the zipapp, or find it."""
    target = cache / f"smtp_relayd-{digest()}.pyz"
    if target.is_file():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=cache) as scratch:
            install(Path(scratch) / "site", target)
            archive = Path(scratch) / target.name
            write(archive, {**sources(), **dict(dependencies(Path(scratch) / "site")), "__main__.py": MAIN})
            archive.chmod(0o644)
            archive.rename(target)
    except OSError as error:
        raise BuildError(f"{error.filename or cache}: {error.strerror}; name another directory with --cache") from None
    return target


def install(site: Path, target: Path) -> None:
    """Let pip put the dependencies into `site`."""
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(site)]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run(
        [sys.executable, "-m", "pip", "install", *quiet, *options, "--requirement", str(REQUIREMENTS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode:
        lines = result.stdout.decode("utf-8", "replace").strip().splitlines()
        why = next((line for line in lines if line.startswith("ERROR")), "".join(lines[-1:]))
        raise BuildError(
            f"pip of {sys.executable} cannot install {REQUIREMENTS}: {why}; install pip for this Python, give it "
            f"access to a package index (PIP_INDEX_URL, PIP_FIND_LINKS), or copy {target} from where it was made"
        )


def dependencies(site: Path) -> Iterator[tuple[str, bytes]]:
    """Packages and licences; no scripts and no records of the installation, which name this interpreter."""
    for file in site.rglob("*"):
        name = file.relative_to(site)
        if file.is_file() and (_is_licence(name) if name.parts[0].endswith(".dist-info") else _is_code(name)):
            yield name.as_posix(), file.read_bytes()


def _is_code(name: Path) -> bool:
    return name.suffix == ".py" and len(name.parts) > 1 and "/".join(name.parts[:2]) not in LEFT_OUT


def _is_licence(name: Path) -> bool:
    return name.name == "METADATA" or name.name.startswith(("LICENSE", "NOTICE")) or "licenses" in name.parts


def write(archive: Path, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as stream:
        for name, content in sorted(entries.items()):
            info = zipfile.ZipInfo(name, TIMESTAMP)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            stream.writestr(info, content)


def main() -> int:
    parser = argparse.ArgumentParser(description="Zip the relay daemon and its dependencies into one file.")
    parser.add_argument("--cache", type=Path, required=True, help="directory for the zipapp")
    try:
        print(build(parser.parse_args().cache.absolute()))
    except BuildError as error:
        print(f"build_zipapp.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
