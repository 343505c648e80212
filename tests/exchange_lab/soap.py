# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Management messages: SOAP 1.2 in, SOAP 1.2 out."""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from exchange_lab.faults import Fault

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "m": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError",
    "id": "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
}
DECLARATIONS = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in NAMESPACES.items())
CONTENT_TYPE = "application/soap+xml;charset=UTF-8"


@dataclass(frozen=True)
class Message:
    """A request. `action` is the last part of its a:Action (Create, Command, ...), or Identify."""

    root: ET.Element
    action: str

    def text(self, path: str) -> str:
        """Of the first element at a path below the envelope; '' if there is none."""
        return self.root.findtext(path, "", NAMESPACES) or ""

    def attribute(self, path: str, name: str) -> str:
        element = self.root.find(path, NAMESPACES)
        return "" if element is None else element.get(name, "")

    @property
    def shell(self) -> str:
        return self.text("s:Header/w:SelectorSet/w:Selector[@Name='ShellId']")

    @property
    def timeout(self) -> float:
        """OperationTimeout in seconds; 60 if the client did not say."""
        seconds = re.fullmatch(r"PT([\d.]+)S", self.text("s:Header/w:OperationTimeout"))
        return float(seconds.group(1)) if seconds else 60.0


def parse(body: bytes) -> Message:
    root = ET.fromstring(body)  # noqa: S314  what talks to the lab are our own tests
    if root.find("s:Body/id:Identify", NAMESPACES) is not None:
        return Message(root, "Identify")
    return Message(root, root.findtext("s:Header/a:Action", "", NAMESPACES).rpartition("/")[2])


def envelope(request: Message, body: str) -> bytes:
    """The answer to a request."""
    header = f"<a:Action>{escape(request.action)}Response</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
    header += f"<a:RelatesTo>{escape(request.text('s:Header/a:MessageID'))}</a:RelatesTo>"
    return f"<s:Envelope {DECLARATIONS}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def fault_body(fault: Fault) -> str:
    if fault.wmi:
        detail = f"<m:MSFT_WmiError><m:error_Code>{fault.code}</m:error_Code></m:MSFT_WmiError>"
    else:
        detail = f'<f:WSManFault Code="{fault.code}"><f:Message>{escape(fault.reason)}</f:Message></f:WSManFault>'
    code = f"<s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode>"
    reason = f'<s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text>'
    return f"<s:Fault><s:Code>{code}</s:Code><s:Reason>{reason}</s:Reason><s:Detail>{detail}</s:Detail></s:Fault>"


def created_body(shell: str) -> str:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
    return (
        f"<x:ResourceCreated><a:ReferenceParameters>{selector}</a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>"
    )


def receive_body(command: str, pieces: list[tuple[str, bytes]], status: int | None) -> str:
    """Pieces of output as (stream, bytes), and the exit code if nothing comes after them."""
    streams = "".join(
        f'<rsp:Stream Name="{name}" CommandId="{command}">{base64.b64encode(piece).decode()}</rsp:Stream>'
        for name, piece in pieces
    )
    state = f"{NAMESPACES['rsp']}/CommandState/{'Running' if status is None else 'Done'}"
    code = "" if status is None else f"<rsp:ExitCode>{status}</rsp:ExitCode>"
    state_element = f'<rsp:CommandState CommandId="{command}" State="{state}">{code}</rsp:CommandState>'
    return f"<rsp:ReceiveResponse>{streams}{state_element}</rsp:ReceiveResponse>"


IDENTIFY_BODY = (
    "<id:IdentifyResponse><id:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</id:ProtocolVersion>"
    "<id:ProductVendor>mailops.relay</id:ProductVendor><id:ProductVersion>lab</id:ProductVersion></id:IdentifyResponse>"
)
