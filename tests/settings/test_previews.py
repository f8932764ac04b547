"""``fenghuo channels`` shows what a vendor approved, with the longest message counted as it will be billed or said."""

from __future__ import annotations

from bot.channel_states import ChannelShown, abilities_alone
from bot.commands.channels import listed
from channels.sms.text import PART_UNITS
from tests.channels.aliyun_account import NOTICE, SENTENCE, TEMPLATES
from tests.channels.voice_accounts import ALIYUN_TEMPLATES, INCIDENT
from tests.settings.conftest import Folder
from tests.settings.test_online import with_cloud

CALLS = f"""
[channels.calls]
kind = "voice_aliyun"
access_key_id = "FAKEKEYID0002"
access_key_secret = "file:secrets/cloud"
show_number = "057100000000"
signed_code = "TTS_100000003"

[[channels.calls.templates]]
code = "{INCIDENT}"
text = "{ALIYUN_TEMPLATES[INCIDENT]}"
variables = [
    {{ name = "level", cap = 12 }},
    {{ name = "news", cap = 10 }},
    {{ name = "place", cap = 40 }},
    {{ name = "code", cap = 18 }},
]
"""


def shown(folder: Folder, name: str) -> tuple[ChannelShown, str]:
    loaded = folder.load()
    assert loaded.settings is not None, [problem.text() for problem in loaded.problems]
    found = abilities_alone(loaded.settings)
    (one,) = [each for each in found.channels if each.name == name]
    return one, listed(found)


def test_a_text_message_is_counted_with_its_signature_and_every_variable_full(folder: Folder) -> None:
    with_cloud(folder, "https://example.invalid")
    channel, said = shown(folder, "cloud")
    notice, sentence = channel.templates
    bare = "【青河应急】（）： ，。，编号。"
    assert (notice.code, notice.chars) == (NOTICE, len(bare) + 7 * 35)
    assert notice.parts == -(-notice.chars // PART_UNITS) == 4
    assert (sentence.code, sentence.text) == (SENTENCE, f"【青河应急】{TEMPLATES[SENTENCE]}")
    assert f"模板 {NOTICE}：填满 {notice.chars} 字，按 4 条计费：【青河应急】${{level}}（${{news}}）" in said


def test_a_call_is_counted_by_how_long_it_takes_to_say(folder: Folder) -> None:
    folder.put("secrets/cloud", "fake")
    folder.append(CALLS)
    channel, said = shown(folder, "calls")
    (template,) = channel.templates
    assert (template.parts, template.seconds) == (0, -(-template.chars // 4))
    assert f"模板 {INCIDENT}：填满 {template.chars} 字，念一遍约 {template.seconds} 秒：值班电话" in said


def test_who_sends_free_text_has_none(folder: Folder) -> None:
    channel, said = shown(folder, "sms")
    assert channel.templates == []
    assert "模板" not in said
