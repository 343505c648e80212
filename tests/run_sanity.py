# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `ansible-test sanity --venv` on a copy of this checkout: run_sanity.py [option of ansible-test ...].

ansible-test wants to lie in a folder .../ansible_collections/mailops/relay, to write below HOME, and to fetch a script
that installs pip. So it gets a copy of the files that git tracks or would track, a HOME of its own, and a script of
ours where it looks for the fetched one. All of it stays in .venv/sanity: the second run reuses the environments of the
first and takes a fraction of the time.
"""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

from support.checkout import ROOT, copy_checkout
from support.interpreters import folders

WORK = ROOT / ".venv" / "sanity"
COPY = WORK / "ansible_collections" / "mailops" / "relay"
HOME = WORK / "home"

# Stands for get-pip: the pip that is bundled with Python fetches the release that ansible-test asks for, by arguments
# of which two are for get-pip only.
GET_PIP = """\
import subprocess
import sys

words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", *words])
"""


def main(options: list[str]) -> int:
    make_copy()
    prepare_home()
    ansible_test = Path(sys.executable).with_name("ansible-test")
    command = [str(ansible_test), "sanity", "--venv", *options]
    return subprocess.run(command, cwd=COPY, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode


def make_copy() -> None:
    """Make COPY hold what the checkout holds and git does not ignore, and what ansible-test left there before."""
    results, kept = COPY / "tests" / "output", WORK / "output"
    if results.is_dir() and not kept.exists():
        results.rename(kept)
    copy_checkout(COPY)
    # without a repository of its own the copy would count as an ignored part of this one
    subprocess.run(["git", "init", "--quiet", COPY], check=True)
    if kept.is_dir():
        results.parent.mkdir(exist_ok=True)
        kept.rename(results)


def prepare_home() -> None:
    """Lay the script for pip and the settings of pip, which ansible-test looks for below HOME and nowhere else."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{pip_release().replace('.', '_')}.py").write_text(GET_PIP)
    settings = HOME / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)  # the address of an index may hold a password
    with settings.open("w") as file:
        pip_settings().write(file)


def pip_release() -> str:
    """The release of pip that this ansible-test wants."""
    release: str = get_venv_packages(SimpleNamespace(version="3.11"))["pip"]
    return release


def pip_settings() -> configparser.RawConfigParser:
    """What files and PIP_* variables tell pip here; ansible-test keeps the variables from the programs that it runs."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    settings = configparser.RawConfigParser()
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):  # variables beat files: they come last
        name, value = line.split("=", maxsplit=1)
        section, option = name.replace(":env:", "global").split(".", maxsplit=1)
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, ast.literal_eval(value))
    settings.read_dict({"global": {"quiet": "2"}})  # errors only: a dozen environments are made
    return settings


def environment() -> dict[str, str]:
    """Let ansible-test find real interpreters.

    It imports the target code in each Python that it finds. The wrappers that pyenv puts on PATH would not do: they
    need the HOME that we replace.
    """
    return {**os.environ, "HOME": str(HOME), "PATH": os.pathsep.join(folders())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
