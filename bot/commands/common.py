"""What several commands need: the configuration or the end, times from the command line, results printed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from bot.clock import WallClock
from bot.commands.samples import sample_findings
from bot.control import runs
from bot.rendering.limits import warnings_for
from bot.settings.load import Loaded, load
from bot.settings.models import Hub, Settings
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Language, Weight
from channels.mail.settings import Settings as MailSettings
from channels.mail.trust import trouble
from channels.registry import abilities_of
from channels.sms import spool_check, spool_settings
from channels.sms.account import Account, preview
from channels.sms.text import segments
from channels.voice.account import Account as CallAccount
from channels.voice.account import lengths


def further_findings(settings: Settings) -> Iterable[Finding]:
    """What ``check`` and every reload look at besides the settings themselves."""
    yield from rendering_warnings(settings)
    yield from sample_findings(settings)


_UNUSABLE: dict[Language, str] = {
    "zh": "配置不可用，没有执行。先运行 fenghuo check。",
    "en": "The configuration is not usable; nothing was done. Run `fenghuo check --lang en` first.",
}


_OLD: dict[Language, str] = {
    "zh": "配置文件有错误（见 fenghuo check）；运行中的烽火仍按原配置工作，以下由它答复。",
    "en": "The configuration has errors (see `fenghuo check`); the running hub answers, with the one it has.",
}


def rendering_warnings(settings: Settings) -> Iterable[Finding]:
    """Templates that do not fit a configured channel, for ``check``."""
    for name, table in settings.channels.items():
        zh, en = (warnings_for([abilities_of(name, table)], language) for language in ("zh", "en"))
        for each_zh, each_en in zip(zh, en, strict=True):
            yield Finding("rendering", ("channels", name), {"zh": each_zh, "en": each_en})
        if isinstance(table, Account):
            yield from _long_templates(name, table)
        if isinstance(table, CallAccount):
            yield from _long_calls(name, table)
        if isinstance(table, MailSettings):
            yield from _wrong_trust(name, table)
        if isinstance(table, spool_settings.Settings):
            for setting, in_chinese, in_english in spool_check.troubles(table):
                args = {"zh": in_chinese, "en": in_english}
                yield Finding("rendering", ("channels", name, setting), args, Weight.WARNING)


def _wrong_trust(name: str, table: MailSettings) -> Iterable[Finding]:
    """Files of an own authority that no connection could use."""
    loc: Loc = ("channels", name, "ca_file")
    own = [(loc, table.ca_file), ((*loc[:2], "imap", "ca_file"), table.imap.ca_file if table.imap else "")]
    for place, file in own:
        wrong = trouble(file, WallClock().now()) if file else None
        if wrong is not None:
            yield Finding("rendering", place, {"zh": wrong[0], "en": wrong[1]}, Weight.WARNING)


def _long_calls(name: str, table: CallAccount[Any]) -> Iterable[Finding]:
    """Approved templates that take longer to say than the settings allow: who listens at night hears the key last."""
    for number, (code, length, seconds) in enumerate(lengths(table)):
        if seconds > table.max_seconds:
            zh = f"模板 {code} 填满时 {length} 字，念一遍约 {seconds} 秒，超过 max_seconds = {table.max_seconds}"
            en = f"template {code} filled has {length} characters: about {seconds} s, above {table.max_seconds}"
            yield Finding("rendering", ("channels", name, "templates", number), {"zh": zh, "en": en}, Weight.WARNING)


def _long_templates(name: str, table: Account[Any]) -> Iterable[Finding]:
    """Approved templates that a full message makes dearer than the settings allow, with the message counted."""
    for number, (code, text, length) in enumerate(preview(table)):
        parts = segments(text)
        if parts > table.max_parts:
            zh = f"模板 {code} 填满时 {length} 字，按 {parts} 条计费，超过 max_parts = {table.max_parts}"
            en = f"template {code} filled has {length} characters: {parts} parts, above max_parts = {table.max_parts}"
            yield Finding("rendering", ("channels", name, "templates", number), {"zh": zh, "en": en}, Weight.WARNING)


def loaded_or_exit(path: Path, *, servable: bool = False) -> tuple[Loaded, Settings]:
    """The configuration, or the end of the command with everything that is wrong with it."""
    loaded = load(path, further=[further_findings])
    blocked = loaded.settings is None or (servable and not loaded.servable)
    if blocked or loaded.settings is None:
        for problem in loaded.problems:
            print(problem.text(loaded.language), file=sys.stderr)
        print(_UNUSABLE[loaded.language], file=sys.stderr)
        raise SystemExit(2)
    return loaded, loaded.settings


def settings_or_running(path: Path) -> Settings:
    """The configuration; where it is wrong and a hub runs on its data folder, what suffices to ask that hub, which goes
    on with the configuration it has. Else the end of the command with everything that is wrong."""
    loaded = load(path, further=[further_findings])
    if loaded.settings is None and asyncio.run(runs(loaded.data)):
        print(_OLD[loaded.language], file=sys.stderr)
        where: dict[str, Any] = {"data": loaded.data}
        known: dict[str, Any] = {"hub": Hub.model_construct(**where)}
        return Settings.model_construct(**known)
    return loaded.settings or loaded_or_exit(path)[1]


def print_result(result: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print as JSON of the schema, or for people."""
    print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() if as_json else text())
