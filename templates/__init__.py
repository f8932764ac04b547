"""What people read: one folder a channel form, Jinja2. This file marks the folder as package data."""

from __future__ import annotations
