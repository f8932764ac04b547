"""Every channel has its page, and the table of abilities says what the code says."""

from __future__ import annotations

import re

import pytest

from channels.registry import kinds
from tests.settings.write_channel_table import PAGE, channels, table, written


def test_the_table_of_abilities_is_that_of_the_code() -> None:
    # To write it anew: python -m tests.settings.write_channel_table
    page = PAGE.read_text(encoding="utf-8")
    found = channels()
    assert {each.kind for each in found.channels} == set(kinds()), "the example shows every kind of channel"
    assert page == written(page, table(found))


@pytest.mark.parametrize("kind", kinds())
def test_every_channel_has_a_page_that_says_what_people_ask(kind: str) -> None:
    page = (PAGE.parent / f"{kind}.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    assert f'kind = "{kind}"' in page, "its table"
    assert re.search(r"\n## 怎样(?:取得密钥|取得账号|开通|安装)\n", page), "how to get the keys"
    for section in ("发得到谁，问清什么", "限制", "结果"):
        assert f"\n## {section}\n" in page, section
    assert f"({kind}.md)" in PAGE.read_text(encoding="utf-8"), "the index leads there"


def test_the_index_leads_to_pages_that_exist() -> None:
    for name in re.findall(r"\]\(([a-z_]+\.md)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / name).is_file(), name
