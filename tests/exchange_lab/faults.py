# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between Ansible and a Windows server, one entry of a queue each.

The next request of the entry's action gets it. Numbers as Windows sends them; test_ansible.py shows what Ansible and
pywinrm make of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """Instead of the answer to the next request of an action; the request is not carried out.

    `code` is the number in the SOAP fault, as a WMI error where `wmi` is set. `instead` is what happens in place of a
    SOAP fault: the connection is cut, or the account is refused from now on, as after a change of its password.
    """

    action: str
    code: int = 0
    reason: str = ""
    subcode: str = "w:InternalError"
    wmi: bool = False
    instead: Literal["", "cut", "revoke"] = ""


class Refused(Exception):
    """Raised where a request cannot be carried out; becomes a SOAP fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def quota() -> Fault:
    """Too many operations in one shell: ERROR_WSMAN_QUOTA_MAX_OPERATIONS."""
    return Fault(
        "Command", 0x803381A6, "The maximum number of concurrent operations is exceeded.", "w:QuotaLimit", True
    )


def busy() -> Fault:
    """An earlier Send is still being processed: ERROR_BUSY."""
    return Fault("Send", 170, "The requested resource is in use.")


def slow(action: str = "Receive") -> Fault:
    """No output within OperationTimeout: the client is expected to ask again."""
    return Fault(action, 2150858793, "The operation did not complete within OperationTimeout.", "w:TimedOut")


def cut(action: str) -> Fault:
    """The connection ends without an answer."""
    return Fault(action, instead="cut")


def wrong_password(action: str) -> Fault:
    """The account is refused from this request on."""
    return Fault(action, instead="revoke")


def no_such(shell_or_command: str) -> Refused:
    """The shell, or the command in it, was never made or is gone."""
    return Refused(Fault("", 2150858843, f"{shell_or_command} was not found on the server.", "w:InvalidSelectors"))


def unsupported(action: str) -> Refused:
    """ERROR_NOT_SUPPORTED."""
    return Refused(Fault(action, 50, f"The action {action} is not supported.", "a:ActionNotSupported"))
