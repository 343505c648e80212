#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: relay_accounts
version_added: 0.1.0
short_description: Manage the accounts that may send through a bundled relay
description:
  - Says who may log in to the relay with SMTP AUTH, with which password, from where, and as which sender addresses.
  - An account sends as its own addresses only. Where it may send to, and on which connectors it may log in, is up to
    the connectors, see M(mailops.relay.receive_connectors).
  - Changes bite at once, without a restart. Exchange has no such accounts; there they are users of the directory.
  - Passwords are stored as SCRAM-SHA-256 hashes, in a file of mode 0600; another mode is repaired. Neither a password
    nor a hash is in any result, so RV(before) does not undo a change of accounts.
  - What the task wants present is judged as it will be. Accounts that the task does not name stay as they are and
    never fail it.
author:
  - mailops.relay contributors (@mailops)
extends_documentation_fragment:
  - mailops.relay.backend
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: A changed password shows in RV(commands) only.
  idempotent:
    support: full
    details: A password is compared with the stored hash.
options:
  accounts:
    description:
      - The accounts. An option that is omitted or null is left alone.
      - A list option takes a list (exactly this) or a dictionary of C(add), C(remove) or C(set). What an empty list
        means, and which removals are refused, is in C(docs/lists.md).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Login name, visible ASCII without C(:) and C(,). Upper and lower case are the same.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      password:
        description:
          - Password, 8 characters or more, and not the name. A new account needs it, or O(accounts[].password_hash).
          - It must be text. Quote it in YAML, where an unquoted C(yes) is a truth value and C(0123) a number.
        type: raw
      password_hash:
        description: Hash as C(doveadm pw -s SCRAM-SHA-256) prints it, C({SCRAM-SHA-256}) and 4096 iterations or more.
        type: raw
      addresses:
        description:
          - Sender addresses it may use, C(user@example.com), or C(*@example.com) for all of that domain, but none below
            it. An account has at least one; omitted, an existing account keeps its own.
          - No two accounts may send as the same address. That includes an address of one account in a domain that
            another has whole.
        type: raw
      allow_nets:
        description: Client addresses it may log in from, each as one address, C(first-last) or CIDR. Empty is anywhere.
        type: raw
  purge:
    description: Delete the accounts that are not listed.
    type: bool
    default: false
seealso:
  - module: mailops.relay.receive_connectors
"""

EXAMPLES = r"""
- name: Let one person send from the road
  mailops.relay.relay_accounts:
    backend: aiosmtpd
    accounts:
      - name: alice
        password: "{{ vault_alice_password }}"
        addresses: [alice@example.com, sales@example.com]

- name: Let an application send from its own network only
  mailops.relay.relay_accounts:
    backend: aiosmtpd
    accounts:
      - name: shop
        password_hash: "{{ vault_shop_hash }}"
        addresses: [shop@example.com]
        allow_nets: [10.0.5.0/24]
"""

RETURN = r"""
before:
  description: The accounts of the task as they were, without passwords.
  returned: success
  type: list
  elements: dict
after:
  description: The same accounts after the change. In check mode as they would be.
  returned: success
  type: list
  elements: dict
commands:
  description: What was done, or in check mode would be, one account a line.
  returned: success
  type: list
  elements: str
  sample: ["set account alice: addresses, password"]
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
error:
  description: The sort of error, V(input), V(conflict), V(capability) or V(store).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("accounts")


if __name__ == "__main__":
    main()
