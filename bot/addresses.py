"""Addresses as they may be shown: enough to know whose it is, and neither a whole number nor a secret in a URL."""

from __future__ import annotations

from yarl import URL

from channels.masking import mask_phones


def shown_address(address: str) -> str:
    """A phone number with its middle hidden, a mailbox with all but its first letter, a URL without path and query;
    anything else (a member's userid) as it is."""
    if "://" in address:
        try:
            url = URL(address)
        except ValueError:
            return "…"
        return f"{url.scheme}://{url.host}/…"
    name, at, domain = address.rpartition("@")
    if at and name:
        return f"{name[:1]}***@{domain}"
    return mask_phones(address)
