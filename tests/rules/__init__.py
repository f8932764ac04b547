"""The planning rules: working time, who stands where, what a profile makes of an incident."""

from __future__ import annotations
