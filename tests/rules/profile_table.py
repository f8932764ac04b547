"""The sample profile as the tables of docs/profiles.md. ``python -m tests.rules.profile_table`` writes them anew."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from escalation.incident import StepAction
from escalation.plan import sample_profile
from escalation.profile import AudienceRule, ClockRule, DutyRule, Profile, Rule, RungRule
from escalation.vocabulary import Kind, Tier

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
UNITS = {"m": "分钟", "h": "小时", "d": "天"}
OWN = {
    StepAction.REMIND: "提醒",
    StepAction.SECOND_PERSON: "第二责任人",
    StepAction.SAFETY_HEAD: "安全负责人",
    StepAction.MAIN_PERSON: "主要负责人",
    StepAction.LEADER_ON_DUTY: "本级带班领导",
    StepAction.PHONE: "电话",
    StepAction.ANNOUNCE: "预告",
}


def tables(profile: Profile) -> str:
    """Who hears at once, then each duty's limits and ladders, as two Markdown tables."""
    heard = ["| 规则 | 适用 | 须处置 | 请关注 | 抄送知悉 |", "| --- | --- | --- | --- | --- |"]
    owed = ["| 规则 | 责任 | 时限 | 到时以前与以后 |", "| --- | --- | --- | --- |"]
    for rule in profile.rules:
        acting = _posts(rule.duties)
        heard.append(f"| {rule.name} | {_scope(rule)} | {acting} | {_posts(rule.informed)} | {_posts(rule.watchers)} |")
        for duty in rule.duties:
            owed += [
                f"| {rule.name} | {duty.tier.word} | {_limit(clock)} | {_ladder(clock, duty.tier)} |"
                for clock in duty.clocks
            ]
    return "\n".join([*heard, "", *owed]) + "\n"


def _scope(rule: Rule) -> str:
    levels = [level.word for level in rule.levels] or [severity.word for severity in rule.severities]
    industries = "、".join(industry.word for industry in rule.industries) or "各行业"
    return f"{'预警' if rule.kind is Kind.WARNING else '报警'}{'、'.join(levels)}，{industries}"


def _posts(rules: Iterable[DutyRule | AudienceRule]) -> str:
    return "；".join(f"{rule.tier.word}：{'、'.join(role.word for role in rule.roles)}" for rule in rules) or "—"


def _limit(clock: ClockRule) -> str:
    longer = f"（可延 {_duration(clock.extend)}）" if clock.extend else ""
    return f"{clock.clock.word} {_duration(clock.limit)}{'（工作时间）' if clock.working else ''}{longer}"


def _duration(text: str) -> str:
    return f"{text[:-1]} {UNITS[text[-1]]}"


def _ladder(clock: ClockRule, own: Tier) -> str:
    moments = groupby(clock.ladder, key=lambda rung: rung.after)
    return " → ".join(f"{_duration(after)} {'、'.join(_rung(rung, own) for rung in rungs)}" for after, rungs in moments)


def _rung(rung: RungRule, own: Tier) -> str:
    tier = rung.tier or own.above
    if rung.do is StepAction.PROPOSE:
        return f"建议{rung.measure.word if rung.measure else ''}（{tier.word if tier else ''}监管人员）"
    if rung.do.goes_up:
        return f"{tier.word if tier else ''}{'值班室' if rung.do is StepAction.NEXT_DUTY_ROOM else '带班领导'}"
    return OWN[rung.do]


def page_with(text: str, table: str) -> str:
    """The page with the table between its marks replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), tables(sample_profile())), encoding="utf-8")
