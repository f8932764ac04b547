"""Whoever gives one more code a meaning in the TOML takes no meaning from any other."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pytest

from channels.exchange import Answer
from channels.outcome import Outcome, OutcomeKind
from channels.registry import kinds, open_channel, parse
from channels.wecom.aibot_line import Ack
from tests.channels import tencent_account, test_mas, voice_accounts
from tests.channels.aliyun_account import table as aliyun_table
from tests.channels.conftest import NIGHT

NOWHERE = "https://example.invalid"
GROUP = {"readers": ["town"]}
APP = {"client_id": "dingdemo", "client_secret": "fake"}
TABLES: dict[str, dict[str, Any]] = {
    "wecom_robot": {"key": "fake", **GROUP},
    "wecom_app": {"corpid": "wwdemo0000000001", "agentid": 1, "secret": "fake"},
    "wecom_aibot": {"bot_id": "demo-bot-0001", "secret": "fake"},
    "dingtalk_robot": {"token": "fake", "secret": "SECfake", **GROUP},
    "dingtalk_app": APP,
    "dingtalk_app_group": {**APP, "conversation": "cidDEMO==", **GROUP},
    "feishu_robot": {"hook": "fake", **GROUP},
    "sms_aliyun": aliyun_table(),
    "sms_mas": test_mas.table(NOWHERE),
    "sms_tencent": tencent_account.table(),
    "voice_aliyun": voice_accounts.aliyun_table(),
    "voice_tencent": voice_accounts.tencent_table(),
}
KNOWN: dict[str, tuple[int | str, OutcomeKind]] = {
    "wecom_robot": (93000, OutcomeKind.MISCONFIGURED),
    "wecom_app": (60020, OutcomeKind.MISCONFIGURED),
    "wecom_aibot": (93006, OutcomeKind.REFUSED_RECIPIENT),
    "dingtalk_robot": (300001, OutcomeKind.MISCONFIGURED),
    "dingtalk_app": ("staffId.notExisted", OutcomeKind.REFUSED_RECIPIENT),
    "dingtalk_app_group": ("robot.notExist", OutcomeKind.MISCONFIGURED),
    "feishu_robot": (19001, OutcomeKind.MISCONFIGURED),
    "sms_aliyun": ("Throttling.User", OutcomeKind.TRANSIENT),
    "sms_mas": ("InvalidMessage", OutcomeKind.REFUSED_CONTENT),
    "sms_tencent": ("FailedOperation.PhoneNumberInBlacklist", OutcomeKind.REFUSED_RECIPIENT),
    "voice_aliyun": ("Throttling.User", OutcomeKind.TRANSIENT),
    "voice_tencent": ("FailedOperation.PhonenumberUnappliedOrExpired", OutcomeKind.MISCONFIGURED),
}


def read(driver: Any, kind: str, code: int | str) -> Outcome | None:
    """What a driver makes of an answer with this code."""
    said: dict[str, Any]
    match kind:
        case "wecom_aibot":
            found: Outcome = driver._read(Ack(int(code), "x"))
            return found
        case "dingtalk_app" | "dingtalk_app_group":
            return Outcome(driver._api.read(Answer(400, orjson.dumps({"code": code})), NIGHT).kind)
        case "feishu_robot":
            said = {"code": code}
        case "sms_mas":
            said = {"rspcod": code}
        case "sms_tencent" | "voice_tencent":
            said = {"Response": {"Error": {"Code": code}}}
        case "sms_aliyun" | "voice_aliyun":
            said = {"Code": code}
        case _:
            said = {"errcode": code}
    member = ("zhangsan",) if kind == "wecom_app" else ()
    outcome: Outcome | None = driver.read(Answer(200, orjson.dumps(said)), NIGHT, *member)
    return outcome


def test_every_kind_with_codes_is_looked_at() -> None:
    assert {kind for kind, module in kinds().items() if "codes" in module.Settings.model_fields} == set(TABLES)


@pytest.mark.parametrize("kind", TABLES)
async def test_one_code_more_takes_no_meaning_from_the_others(session: aiohttp.ClientSession, kind: str) -> None:
    code, meaning = KNOWN[kind]
    new: int | str = 99_777 if isinstance(code, int) else "New.Code"
    table = {**TABLES[kind], "kind": kind, "codes": {str(new): "refused_content"}}
    driver = open_channel("it", parse("it", table), session)
    outcomes = [read(driver, kind, each) for each in (new, code)]
    assert [each and each.kind for each in outcomes] == [OutcomeKind.REFUSED_CONTENT, meaning]
