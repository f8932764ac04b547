"""TOML to types: the configuration, everything that is wrong with it told at once, and its reload."""

from __future__ import annotations

from bot.settings.load import Loaded, load
from bot.settings.models import Settings
from bot.settings.problem import Finding, Problem, Weight

__all__ = ["Finding", "Loaded", "Problem", "Settings", "Weight", "load"]
