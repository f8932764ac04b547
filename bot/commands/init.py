"""``fenghuo init``: a configuration to start from, with secrets of its own."""

from __future__ import annotations

import base64
import os
import secrets
import tomllib
from pathlib import Path
from typing import Any

import bot
from bot.settings import shapes
from bot.settings.positions import Loc
from bot.settings.problem import Language, written

EXAMPLE = "config.example.toml"

_TEXTS = {
    "exists": ("{path} 已存在，没有改动任何文件。", "{path} exists already; nothing was changed."),
    "cannot": ("写不了 {path}：{why}", "cannot write {path}: {why}"),
    "wrote": ("已写入 {path}。", "Wrote {path}."),
    "kept": ("保留原有的 {path}。", "Kept {path} as it was."),
    "made": ("已生成 {path}（{loc}）。", "Made {path} ({loc})."),
    "vendor": (
        "已生成 {path}（{loc}）：现在是随机内容，请换成服务商给的密钥。",
        "Made {path} ({loc}): random for now, put in what the vendor gave you.",
    ),
    "next": (
        "接着：改好其中的单位、人员、渠道，然后运行 fenghuo check。",
        "Next: put in your units, people, channels; then fenghuo check.",
    ),
}


def run_init(folder: Path, lang: Language = "zh") -> int:
    """Write ``config.toml`` and the secrets it names (0600, in ``secrets/``) into ``folder``, and say so.

    Returns 0, or 1 with nothing overwritten when ``config.toml`` exists or a file cannot be written. Secret files that
    exist are kept.
    """
    path = folder / "config.toml"
    if path.exists():
        _say("exists", lang, path=path)
        return 1
    text = example_text()
    data = tomllib.loads(text)
    at = path
    try:
        for loc in shapes.secrets(data):
            at = folder / _reference(data, loc).removeprefix("file:")
            at.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if at.exists():
                _say("kept", lang, path=at)
                continue
            _write(at, fresh_secret(loc) + "\n")
            _say("vendor" if _is_vendors(loc) else "made", lang, path=at, loc=written(loc))
        at = path
        _write(path, text)
    except OSError as error:
        _say("cannot", lang, path=at, why=error.strerror)
        return 1
    _say("wrote", lang, path=path)
    _say("next", lang)
    return 0


def example_text() -> str:
    """``config.example.toml``, as packaged beside this program or as it stands in a checkout."""
    package = Path(bot.__file__).parent
    beside = package / EXAMPLE
    return (beside if beside.exists() else package.parent / EXAMPLE).read_text(encoding="utf-8")


def fresh_secret(loc: Loc) -> str:
    """A random secret of the form that belongs at ``loc``: ``whsec_`` for a signing secret, else text for URLs."""
    if "secrets" in loc:
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    return secrets.token_urlsafe(48)


def _is_vendors(loc: Loc) -> bool:
    """A channel's password or key comes from its vendor; signing secrets, callback tokens and seals are ours."""
    return loc[0] == "channels" and "secrets" not in loc and loc[-1] not in ("callback_token", "reply_secret")


def _reference(data: Any, loc: Loc) -> str:
    for part in loc:
        data = data[part]
    return str(data)


def _write(path: Path, text: str) -> None:
    """Create the file for its owner alone; it must not exist."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _say(code: str, lang: Language, **words: object) -> None:
    zh, en = _TEXTS[code]
    print((zh if lang == "zh" else en).format_map(words))
