"""Words in, answers out: what people write by any channel becomes inputs of incidents, and one plain sentence back."""

from __future__ import annotations
