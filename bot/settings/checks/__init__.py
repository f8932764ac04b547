"""What one table alone cannot know: that names lead somewhere, that somebody stands at every post that must act."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.checks import accounts, backup, groups, identity, lines, mappings, posts, references, robots, rules
from bot.settings.checks.draft import Draft
from bot.settings.problem import Finding


def findings(draft: Draft) -> Iterator[Finding]:
    """All that is wrong across tables, in no particular order."""
    for check in (
        references.references,
        references.doubles,
        references.circles,
        mappings.mappings,
        mappings.streams,
        identity.codes,
        identity.addresses,
        identity.shared_addresses,
        backup.backup,
        groups.groups,
        lines.lines,
        robots.robots,
        posts.rosters,
        posts.missing,
        rules.acting_posts,
        rules.point_limits,
        rules.clocks,
        rules.adoption,
        accounts.accounts,
    ):
        yield from check(draft)
