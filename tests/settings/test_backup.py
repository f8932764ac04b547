"""``[backup]``: written once, it gives every contact on a channel a second way to the same address."""

from __future__ import annotations

import pytest

from escalation.notice import Contact
from escalation.telling import ways
from tests.settings.conftest import Folder

SECOND = """
[channels.second]
kind = "sms_kannel"
url = "http://127.0.0.1:13014/cgi-bin/sendsms"
username = "fenghuo"
password = "file:secrets/sms-password"
"""


def entries(folder: Folder) -> dict[str, list[tuple[str, str]]]:
    settings = folder.load().settings
    assert settings is not None
    return {
        person.id: [(each.channel, each.address) for each in person.contacts]
        for person in settings.directory().people.values()
    }


def test_every_contact_is_followed_by_the_same_address_on_the_others(folder: Folder) -> None:
    before = entries(folder)
    folder.append(f'{SECOND}\n[backup]\nsms = ["second"]\n')
    after = entries(folder)
    assert before != after
    for person, contacts in before.items():
        expected = []
        for channel, address in contacts:
            expected += [(channel, address)] + ([("second", address)] if channel == "sms" else [])
        assert after[person] == expected


def test_what_a_person_has_anyhow_stays_where_it_is(folder: Folder) -> None:
    first = next(iter(entries(folder).values()))
    number = first[0][1]
    folder.append(f'{SECOND}\n[backup]\nsms = ["second"]\n')
    folder.edit(
        f'contacts = [{{ channel = "sms", address = "{number}" }}',
        f'contacts = [{{ channel = "second", address = "{number}" }}, {{ channel = "sms", address = "{number}" }}',
    )
    found = next(each for each in entries(folder).values() if each[0] == ("second", number))
    assert found[:2] == [("second", number), ("sms", number)]
    assert found.count(("second", number)) == 1


@pytest.mark.parametrize(
    ("row", "words", "path"),
    [
        ('sms = ["secnd"]', "没有渠道 secnd", "backup.sms[0]"),
        ('smss = ["second"]', "没有渠道 smss", "backup.smss"),
        ('sms = ["sms"]', "不能作自己的备用渠道", "backup.sms[0]"),
        ('sms = ["second", "second"]', "写两次", "backup.sms[1]"),
        ('sms = ["mail"]', "不能用渠道 sms 的地址", "backup.sms[0]"),
        ('county-group = ["sms"]', "不能用渠道 county-group 的地址", "backup.county-group[0]"),
    ],
)
def test_a_row_that_would_help_nobody_is_an_error_at_its_place(folder: Folder, row: str, words: str, path: str) -> None:
    folder.append(f"{SECOND}\n[backup]\n{row}\n")
    (error,) = folder.load().errors
    assert words in error.text("zh")
    assert (error.path, error.line) == (path, folder.line_of(row))


def test_critical_takes_every_way_and_of_several_providers_for_one_phone_the_first() -> None:
    contacts = tuple(
        Contact(channel, address)
        for channel, address in (("sms", "1"), ("second", "1"), ("mail", "a@b"), ("g1", ""), ("g2", ""), ("sms", "2"))
    )
    assert [each.channel for each in ways(contacts)] == ["sms", "mail", "g1", "g2", "sms"]
