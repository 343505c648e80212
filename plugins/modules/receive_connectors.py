#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: receive_connectors
version_added: 0.1.0
short_description: Manage the receive connectors of a mail server
description:
  - Creates, changes and deletes receive connectors, several in one task and one round trip.
  - A connector is one set of rules for the sessions that arrive on its bindings from its remote IP ranges. Among
    the connectors that could take a session, one bound to the exact local address wins over one bound to every
    address, then the one with the smallest range wins. No session falls back to another connector.
  - Option names and values are those of Exchange's C(Set-ReceiveConnector), on every backend.
  - Settings bite when the service is restarted, see RV(restart_required) and M(mailops.relay.transport_service).
author:
  - mailops.relay contributors (@mailops)
extends_documentation_fragment:
  - mailops.relay.backend
  - mailops.relay.guard
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  connectors:
    description:
      - The connectors. An option that is omitted or null is left alone, V('') clears a text.
      - A list option takes a list (exactly this) or a dictionary of C(add), C(remove) or C(set), so that one task
        adds one device without owning the list. Lists are sets; the order does not matter. What an empty list means,
        and which removals are refused, is in C(docs/lists.md).
      - Which backend has which option is a table in C(docs/capabilities.md). Where a backend always does the same, it
        accepts the value that says so, and refuses every other. An option without an Exchange version is as old as
        Exchange 2007.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name, 1 to 64 characters. Upper and lower case are the same.
        type: str
        required: true
      state:
        description: Whether it exists. Built-in connectors cannot be deleted.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description: Whether it takes sessions. A new connector is enabled.
        type: bool
      bindings:
        description:
          - Local addresses and ports, as V(192.0.2.1:25), V(0.0.0.0:25) (every IPv4 address) or V([::]:25) (every
            IPv6 address).
          - Needed for a new connector.
        type: raw
      remote_ip_ranges:
        description:
          - Client addresses, each as one address, V(10.0.0.1-10.0.0.9), CIDR or V(10.0.0.0(255.255.255.0\)); IPv4 and
            IPv6. An empty list is nobody.
          - Of two connectors on one binding, one range must lie wholly inside the other or apart from it.
          - Needed for a new connector.
        type: raw
      permission_groups:
        description:
          - Who may submit mail at all, out of V(AnonymousUsers), V(ExchangeUsers), V(ExchangeServers),
            V(ExchangeLegacyServers), V(Partners).
          - On a bundled relay V(ExchangeUsers) are the accounts of M(mailops.relay.relay_accounts).
        type: raw
      extended_rights:
        description:
          - Rights beyond what the groups grant, each a dictionary of C(principal), C(right) and C(deny) (default
            V(false)). A denied right is denied whatever grants it.
          - A principal is C(DOMAIN\name), a SID such as V(S-1-5-7), or the name of a well-known principal in English or
            in the language of the server. What a group grants anyway is not listed, and can only be denied.
          - C(ms-Exch-SMTP-Accept-Any-Recipient) for C(NT AUTHORITY\ANONYMOUS LOGON) makes the ranges of the
            connector relay to any domain.
        type: raw
      removed_rights:
        description:
          - Entries that the O(connectors[].permission_groups) grant and that are not to be there, each a dictionary of
            C(principal), C(right) and C(deny), as in O(connectors[].extended_rights). What no group of the connector
            grants is left out. An entry cannot be in both lists.
          - Without C(ms-Exch-SMTP-Accept-Authoritative-Domain-Sender) for C(NT AUTHORITY\ANONYMOUS LOGON) nobody may
            send as an accepted domain without AUTH. Exchange since 2013 does not enforce that on a connector with
            O(connectors[].transport_role=FrontendTransport).
          - Another list of O(connectors[].permission_groups) brings back all entries of the groups, and those of this
            list are taken away again right after it, so the list can stay as it is.
        type: raw
      fqdn:
        description: Name in the greeting, the EHLO reply and the Received header. Empty means the name of the server.
        type: str
      banner:
        description: The whole greeting line, beginning with V(220). Empty means a generated one.
        type: str
      max_message_size:
        description: Largest message, in bytes or with a unit such as V(36MB); V(64KB) to 2 GB. A new connector has
          V(36MB).
        type: str
      comment:
        description: Free text, several lines if you like.
        type: str
      auth_mechanism:
        description:
          - How clients may authenticate and encrypt, out of V(Tls), V(BasicAuth), V(BasicAuthRequireTLS),
            V(Integrated), V(ExchangeServer), V(ExternalAuthoritative).
          - V(Tls) offers STARTTLS. V(BasicAuth) offers AUTH PLAIN and LOGIN to whom
            O(connectors[].permission_groups) lets in, with V(BasicAuthRequireTLS) only after TLS.
        type: raw
      require_tls:
        description: Refuse mail before TLS. Needs V(Tls) in O(connectors[].auth_mechanism).
        type: bool
      implicit_tls:
        description:
          - Begin TLS before the greeting, as is usual on port 465 (RFC 8314), instead of offering STARTTLS.
        type: bool
      tls_certificate_file:
        description:
          - Certificate chain on the target, in PEM form, server certificate first. Read again when it changes.
          - Bundled relays need it for V(Tls).
        type: str
      tls_key_file:
        description: Private key of O(connectors[].tls_certificate_file), in PEM form, without passphrase.
        type: str
      max_recipients_per_message:
        description: Recipients of one message, V(1) to V(512000). More are deferred with 452. A new connector has
          V(200).
        type: str
      max_inbound_connection:
        description: Sessions at a time, a number or V(Unlimited). A new connector has V(5000).
        type: str
      max_inbound_connection_per_source:
        description: Sessions at a time of one client address, V(1) to V(10000) or V(Unlimited). A new connector has
          V(20).
        type: str
      max_protocol_errors:
        description: Protocol errors after which a session is closed, a number or V(Unlimited). A new connector has
          V(5).
        type: str
      connection_timeout:
        description:
          - Longest session, as V(00:10:00) or in seconds, up to a day. It must exceed
            O(connectors[].connection_inactivity_timeout).
        type: str
      connection_inactivity_timeout:
        description: Longest silence of a client, as V(00:05:00) or in seconds.
        type: str
      tarpit_interval:
        description: Delay of refusals to sessions without AUTH, as V(00:00:05) or in seconds. V(00:00:00), which a
          new connector has, is none.
        type: str
      allowed_senders:
        description:
          - Who devices may send as to domains that are no accepted domains, each as V(user@example.com),
            V(example.com), V(*.example.com) or V(*) (anybody). Empty means the accepted domains.
          - To accepted domains a device may send as anybody, as every session without AUTH may. It counts where such
            sessions may send to any domain, and for the envelope only. The null sender is always allowed.
        type: raw
      allowed_recipients:
        description:
          - External domains and addresses that devices may send to, in the form of O(connectors[].allowed_senders).
            Empty means any. Accepted domains always may be sent to.
        type: raw
      transport_role:
        description: V(FrontendTransport) or V(HubTransport). Exchange 2013 and newer.
        type: str
        choices: [FrontendTransport, HubTransport]
      domain_secure_enabled:
        description: Mutual TLS. Needs V(Tls) in O(connectors[].auth_mechanism).
        type: bool
      enable_auth_gssapi:
        description: Offer GSSAPI for V(Integrated). Exchange 2007 SP1 and newer.
        type: bool
      extended_protection_policy:
        description: >-
          Channel binding of V(Integrated) authentication, V(None), V(Allow) or V(Require). Exchange 2010 SP2 and newer.
        type: str
        choices: ["None", Allow, Require]
      suppress_x_anonymous_tls:
        description: Do not offer X-ANONYMOUSTLS. Exchange 2010 and newer.
        type: bool
      tls_certificate_name:
        description: >-
          Certificate by thumbprint (40 hex digits) or C(<I>issuer<S>subject). Exchange 2013 and newer.
        type: str
      tls_domain_capabilities:
        description: >-
          What hosts may do that prove their domain by TLS, each as C(domain:capability[,capability]), for hybrid
          mail. The domain may be C(NO-TLS). Exchange 2010 and newer.
        type: raw
      service_discovery_fqdn:
        description: Name for service discovery. Exchange 2013 and newer.
        type: str
      default_domain:
        description: Accepted domain (name, DN or GUID) for senders without one.
        type: str
      advertise_client_settings:
        description: Show users the settings of clients. Exchange 2010 and newer.
        type: bool
      protocol_logging_level:
        description: Log the conversation, V(None) or V(Verbose).
        type: str
        choices: ["None", Verbose]
      max_header_size:
        description: Largest header of a message, in bytes or with a unit; V(1B) to 2 GB.
        type: str
      max_hop_count:
        description: Received headers a message may have, V(1) to V(500).
        type: str
      max_local_hop_count:
        description: Received headers of this server, V(1) to V(50), V(0) for no limit.
        type: str
      max_inbound_connection_percentage_per_source:
        description: Free connections that one address may take, V(1) to V(100) percent.
        type: str
      message_rate_limit:
        description: Messages a minute of one source, a number or V(Unlimited).
        type: str
      message_rate_source:
        description: >-
          What a source is for O(connectors[].message_rate_limit), V(None), V(IPAddress), V(User) or both, which is
          V(All). Exchange 2010 and newer.
        type: raw
      max_logon_failures:
        description: Failed logins that end a session, V(1) to V(10), V(0) for no limit.
        type: str
      auth_tarpit_interval:
        description: Delay after a failed login, as V(00:00:05). Exchange 2016 and newer.
        type: str
      max_acknowledgement_delay:
        description: >-
          Longest wait for delivery before a message is acknowledged. No effect on Exchange 2016.
          Exchange 2010 and newer.
        type: str
      chunking_enabled:
        description: Offer CHUNKING.
        type: bool
      binary_mime_enabled:
        description: Offer BINARYMIME. Needs O(connectors[].chunking_enabled).
        type: bool
      eight_bit_mime_enabled:
        description: Offer 8BITMIME.
        type: bool
      pipelining_enabled:
        description: Offer PIPELINING.
        type: bool
      delivery_status_notification_enabled:
        description: Offer DSN.
        type: bool
      enhanced_status_codes_enabled:
        description: Offer ENHANCEDSTATUSCODES.
        type: bool
      size_enabled:
        description: Offer SIZE, V(Enabled), V(Disabled) or V(EnabledwithoutValue).
        type: str
        choices: [Enabled, Disabled, EnabledwithoutValue]
      long_addresses_enabled:
        description: Offer XLONGADDR (long X.400 addresses). Exchange 2007 SP1 and newer.
        type: bool
      orar_enabled:
        description: Offer XORAR. Exchange 2007 SP1 and newer.
        type: bool
      require_ehlo_domain:
        description: Refuse clients that give no name with EHLO.
        type: bool
      bare_linefeed_rejection_enabled:
        description: Refuse messages with bare line feeds. Exchange 2010 SP2 and newer.
        type: bool
      reject_reserved_top_level_recipient_domains:
        description: Refuse recipients in C(.test) etc. Exchange 2016 and newer.
        type: bool
      reject_reserved_second_level_recipient_domains:
        description: Refuse recipients in C(example.com) etc. Exchange 2016 and newer.
        type: bool
      reject_single_label_recipient_domains:
        description: Refuse recipients in domains without a dot. Exchange 2016 and newer.
        type: bool
      smtp_utf8_enabled:
        description: >-
          Offer SMTPUTF8. V(false) is Microsoft's cure for clients that take the offer and cannot keep it, such as old
          .NET programs. Exchange 2013 and newer.
        type: bool
      usage:
        description: >-
          What a new connector is for, V(Client), V(Custom), V(Internal), V(Internet) or V(Partner). It gives
          O(connectors[].permission_groups), O(connectors[].auth_mechanism) and, where Exchange has a default,
          O(connectors[].bindings) and O(connectors[].remote_ip_ranges) if the task omits them. Ignored where the
          connector exists; never in results.
        type: str
        choices: [Client, Custom, Internal, Internet, Partner]
      unvalidated:
        description:
          - Names of options whose value in this entry is taken as it stands where it cannot be read. Results have it
            where a server holds such a value, so that feeding RV(before) back restores it; see C(docs/exchange.md).
          - An option that decides who may relay cannot be among them. Bundled relays take none.
        type: list
        elements: str
  allow_expired_certificate:
    description: Let a certificate pass that has expired or is not valid yet, with a warning.
    type: bool
    default: false
  purge:
    description: Delete the connectors that are not listed. Built-in connectors stay.
    type: bool
    default: false
seealso:
  - module: mailops.relay.accepted_domains
  - module: mailops.relay.transport_service
"""

EXAMPLES = r"""
- name: Let two copiers send to any domain
  mailops.relay.receive_connectors:
    backend: aiosmtpd
    connectors:
      - name: Scanner relay
        bindings: ["0.0.0.0:25"]
        remote_ip_ranges: [10.0.0.11, 10.0.0.12]
        permission_groups: [AnonymousUsers]
        extended_rights:
          - principal: NT AUTHORITY\ANONYMOUS LOGON
            right: ms-Exch-SMTP-Accept-Any-Recipient
  register: relay

- name: Add one more, whoever owns the list
  mailops.relay.receive_connectors:
    backend: aiosmtpd
    connectors:
      - name: Scanner relay
        remote_ip_ranges:
          add: [10.0.0.13]

- name: Nobody sends as one of our domains without AUTH
  mailops.relay.receive_connectors:
    backend: aiosmtpd
    connectors:
      - name: Default relay
        removed_rights:
          add:
            - principal: NT AUTHORITY\ANONYMOUS LOGON
              right: ms-Exch-SMTP-Accept-Authoritative-Domain-Sender

- name: Undo the first task
  mailops.relay.receive_connectors:
    backend: aiosmtpd
    connectors: "{{ relay.before }}"
"""

RETURN = r"""
before:
  description:
    - The connectors of the task as they were, in the shape of O(connectors). One that did not exist is C({name,
      state}) with C(state=absent), so
      that feeding RV(before) back undoes the change.
  returned: success
  type: list
  elements: dict
after:
  description: The same connectors after the change. In check mode as they would be.
  returned: success
  type: list
  elements: dict
commands:
  description: What was done, or in check mode would be, one operation a line.
  returned: success
  type: list
  elements: str
  sample: ["grant connector \"Scanner relay\" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient"]
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
relay_surface:
  description:
    - Exactly the addresses that may send beyond our own mailboxes without AUTH, per binding and reach, of the whole
      server, with C(ranges) as CIDR blocks and C(addresses) as their number.
    - C(reach) is V(any) (any domain), or a domain, V(*.domain) or address that may be sent to, because
      C(allowed_recipients) says so or because it is an accepted domain of type C(InternalRelay) or C(ExternalRelay).
      It is V(unknown), any domain or none, where on Exchange a group such as Everyone holds the right, because it is
      not documented whether anonymous sessions carry that.
    - A session that arrives at a binding that is not listed is judged by the wildcard of its port. An entry without
      C(ranges) says that nobody relays on a binding although somebody does on its wildcard.
  returned: success
  type: list
  elements: dict
  sample: [{"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.11"], "addresses": 1}]
surface_change:
  description:
    - What the change opens and closes, as C(opens) and C(closes), in the shape of RV(relay_surface). In check mode what
      it would. With C(--diff) also in words.
  returned: success
  type: dict
  sample:
    opens: [{"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.12"], "addresses": 1}]
    closes: []
listeners:
  description: Addresses and ports that the server listens on, for your firewall.
  returned: success
  type: list
  elements: dict
  sample: [{"address": "0.0.0.0", "port": 25}]
restart_required:
  description: The running service has loaded something else. It stays so until the service is restarted, whichever
    play does it.
  returned: success
  type: bool
error:
  description: >-
    The sort of error, V(input), V(conflict), V(capability), V(guard), V(rights), V(store), V(service), V(apply) or
    V(exchange).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("connectors")


if __name__ == "__main__":
    main()
