"""The table of abilities in ``docs/channels/README.md``, made from the channels of the example with all switched on.

``python -m tests.settings.write_channel_table`` writes it anew.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bot.channel_states import ChannelList, ChannelShown, abilities_alone
from bot.commands.channels import RECEIPTS, span
from bot.commands.init import example_text
from bot.settings import load
from tests.settings.conftest import WHSEC, uncommented

PAGE = Path(__file__).parents[2] / "docs" / "channels" / "README.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- /table -->"
_HEAD = ("渠道", "长度", "谁看得到", "个人链接", "点名", "按钮", "收答复", "回执", "限额")
_READERS = {"markdown": "群里的人", "json": "对方系统"}


def channels() -> ChannelList:
    """What the example's channels can do, all switched on."""
    text = uncommented(example_text())
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "secrets").mkdir()
        for name in set(re.findall(r'"file:secrets/([^"]+)"', text)):
            path = folder / "secrets" / name
            path.write_text(f"SEC{WHSEC}" if name == "town-group-secret" else WHSEC)
            path.chmod(0o600)
        (folder / "secrets" / "app-callback-key").write_text("A" * 43)
        (folder / "secrets" / "app-callback-token").write_text("faketoken")
        (folder / "config.toml").write_text(text, encoding="utf-8")
        loaded = load(folder / "config.toml")
    assert loaded.settings is not None, [problem.text() for problem in loaded.problems]
    return abilities_alone(loaded.settings)


def table(found: ChannelList) -> str:
    """The table in markdown: a row for each kind of channel, with its page."""
    rows = {each.kind: _row(each) for each in sorted(found.channels, key=lambda each: each.kind)}
    lines = [_HEAD, tuple("---" for _ in _HEAD), *rows.values()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(channel: ChannelShown) -> tuple[str, ...]:
    sizes = [f"{channel.max_bytes} 字节"] if channel.max_bytes else []
    sizes += [f"{channel.max_chars} 字"] if channel.max_chars else []
    unit = "次" if channel.voice else "条"
    windows = "，".join(f"每{span(each.seconds)} {each.count} {unit}" for each in channel.windows)
    kept = f"，留 {channel.reserve}" if channel.reserve and channel.windows else ""
    flags = (channel.links, channel.mentions)
    return (
        f"[{channel.word}]({channel.kind}.md)（`{channel.kind}`）",
        "、".join(sizes) or "不限",
        "本人" if channel.personal else _READERS[channel.form],
        *("有" if each else "—" for each in flags),
        f"按键 {channel.key}" if channel.key else "有" if channel.buttons else "—",
        "有" if channel.replies else "@机器人" if channel.hears else "—",
        "、".join(RECEIPTS[each] for each in channel.receipts) or "—",
        windows + kept or "—",
    )


def written(page: str, made: str) -> str:
    """The page with this table."""
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}{made}{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table(channels())), encoding="utf-8")
