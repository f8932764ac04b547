"""What the clouds have approved, asked for before the first alarm: templates and signatures, and not one message."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.demo.simulators.acs3 import RefusedByCode
from bot.demo.simulators.tc3 import RefusedByTencent
from bot.demo.simulators.vendor import listening
from channels.greeting import Greeting, Greets, Standing
from channels.registry import open_channel, parse
from tests.channels import aliyun_account, tencent_account
from tests.channels.clouds import SIGN, Cloud, cloud, now, vendor_of

__all__ = ["cloud"]


@pytest.fixture
async def reviewed(cloud: Cloud) -> AsyncIterator[Cloud]:
    """A cloud that is only asked."""
    yield cloud
    assert cloud.vendor.received == []


async def greet(cloud: Cloud, **other: Any) -> Greeting:
    channel = cloud.opened(**other)
    assert isinstance(channel, Greets)
    return await channel.greet(now())


def rewrite(cloud: Cloud, code: str, text: str) -> None:
    """The vendor approved another text."""
    cloud.vendor.templates = {**cloud.vendor.templates, code: text}


async def test_what_is_approved_is_well(reviewed: Cloud) -> None:
    found = await greet(reviewed)
    assert (found.standing, "模板和签名已核对" in found.detail) == (Standing.WELL, True)


async def test_a_template_that_was_refused_is_named_with_the_vendors_reason_and_its_place(reviewed: Cloud) -> None:
    reviewed.vendor.reviews[reviewed.ours.SENTENCE] = (reviewed.refused, "变量过多")
    found = await greet(reviewed)
    assert (found.standing, found.where) == (Standing.REFUSED, ("templates", 1, "code"))
    assert found.detail == f"模板 {reviewed.ours.SENTENCE} 没有通过审核（变量过多）"


async def test_what_is_not_decided_yet_is_not_approved(reviewed: Cloud) -> None:
    reviewed.vendor.reviews[reviewed.ours.NOTICE] = (reviewed.pending, "")
    reviewed.vendor.reviews[SIGN] = (reviewed.pending, "")
    found = await greet(reviewed)
    assert found.where == ("templates", 0, "code")
    assert found.detail == f"模板 {reviewed.ours.NOTICE} 还在审核；签名 {SIGN} 还在审核"


async def test_a_template_nobody_registered_is_found_missing(reviewed: Cloud) -> None:
    reviewed.vendor.templates = {reviewed.ours.SENTENCE: reviewed.ours.TEMPLATES[reviewed.ours.SENTENCE]}
    found = await greet(reviewed)
    assert (found.standing, found.where) == (Standing.REFUSED, ("templates", 0, "code"))
    assert found.detail.startswith(f"模板 {reviewed.ours.NOTICE}")


async def test_a_signature_nobody_registered_is_found_missing(reviewed: Cloud) -> None:
    found = await greet(reviewed, signature="别的签名")
    assert (found.standing, found.where) == (Standing.REFUSED, ("signature",))
    assert found.detail.startswith("签名 别的签名")


async def test_a_template_that_was_approved_with_another_text_is_told(reviewed: Cloud) -> None:
    text = reviewed.ours.TEMPLATES[reviewed.ours.SENTENCE]
    rewrite(reviewed, reviewed.ours.SENTENCE, text.replace("，", ", "))
    assert (await greet(reviewed)).standing is Standing.WELL, "signs of another width are no other text"
    rewrite(reviewed, reviewed.ours.SENTENCE, text.replace("预警系统", "监测平台"))
    found = await greet(reviewed)
    assert (found.standing, found.where) == (Standing.REFUSED, ("templates", 1, "text"))
    assert "监测平台" in found.detail


async def test_an_account_that_may_not_ask_for_its_templates_can_send_all_the_same(
    reviewed: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = reviewed.vendor._act

    def refuse(action: str, *given: Any, **more: Any) -> Any:
        if action.startswith("GetSms"):
            raise RefusedByCode("isp.RAM_PERMISSION_DENY", "RAM权限DENY")
        if action.startswith("Describe"):
            raise RefusedByTencent("UnauthorizedOperation", "not authorized to DescribeSmsTemplateList")
        return act(action, *given, **more)

    monkeypatch.setattr(reviewed.vendor, "_act", refuse)
    found = await greet(reviewed)
    assert found.standing is Standing.WELL
    assert "模板和签名没有核对：" in found.detail


async def test_a_wrong_key_is_told_before_anything_is_asked_for(reviewed: Cloud) -> None:
    for name in reviewed.keys:
        found = await greet(reviewed, **{name: "canary"})
        assert (found.standing, found.where) == (Standing.WRONG_KEY, (name,))


async def test_an_answer_of_another_shape_says_nothing_of_templates(session: aiohttp.ClientSession) -> None:
    async def answer(request: web.Request) -> web.Response:
        asking = request.headers["x-acs-action"] == "QuerySendDetails"
        return web.json_response({"Code": "OK", "SmsSendDetailDTOs": {}} if asking else {"Code": "OK"})

    app = web.Application()
    app.router.add_post("/", answer)
    async with listening(app) as url:
        channel = open_channel("it", parse("it", aliyun_account.table(url)), session)
        assert isinstance(channel, Greets)
        found = await channel.greet(now())
    assert (found.standing, "没有核对" in found.detail) == (Standing.WELL, True)


async def test_the_vendors_own_libraries_ask_the_same_questions() -> None:
    vendor = vendor_of("aliyun")
    vendor.reviews[aliyun_account.NOTICE] = (2, "变量过多")
    async with listening(vendor.app()) as url:
        parts = ("tea_openapi.models", "dysmsapi20170525.client", "dysmsapi20170525.models")
        common, library, models = (importlib.import_module(f"alibabacloud_{part}") for part in parts)
        config = common.Config(
            access_key_id=aliyun_account.KEY_ID,
            access_key_secret=aliyun_account.KEY_SECRET,
            endpoint=URL(url).host_port_subcomponent,
            protocol="http",
        )
        client = library.Client(config)
        template = await client.get_sms_template_async(
            models.GetSmsTemplateRequest(template_code=aliyun_account.NOTICE)
        )
        sign = await client.get_sms_sign_async(models.GetSmsSignRequest(sign_name=SIGN))
    assert (template.body.template_status, template.body.audit_info.reject_info) == ("2", "变量过多")
    assert template.body.template_content == aliyun_account.TEMPLATES[aliyun_account.NOTICE]
    assert (sign.body.sign_status, sign.body.sign_name) == (1, SIGN)


async def test_the_other_vendors_library_asks_them_too() -> None:
    vendor, ours = vendor_of("tencent"), tencent_account
    vendor.reviews[ours.NOTICE] = (-1, "变量过多")
    async with listening(vendor.app()) as url:

        def theirs() -> tuple[Any, Any]:
            sms = "tencentcloud.sms.v20210111"
            profile = importlib.import_module("tencentcloud.common.profile.client_profile").ClientProfile()
            http = importlib.import_module("tencentcloud.common.profile.http_profile").HttpProfile
            profile.httpProfile = http(protocol="http", endpoint=URL(url).host_port_subcomponent)
            key = importlib.import_module("tencentcloud.common.credential").Credential(ours.SECRET_ID, ours.SECRET_KEY)
            client = importlib.import_module(f"{sms}.sms_client").SmsClient(key, "ap-guangzhou", profile)
            models = importlib.import_module(f"{sms}.models")
            templates, signs = models.DescribeSmsTemplateListRequest(), models.DescribeSmsSignListRequest()
            templates.International, templates.TemplateIdSet = 0, [int(ours.NOTICE)]
            signs.International, signs.SignIdSet, signs.Limit, signs.Offset = 0, [], 100, 0
            (template,) = client.DescribeSmsTemplateList(templates).DescribeTemplateStatusSet
            (sign,) = client.DescribeSmsSignList(signs).DescribeSignListStatusSet
            return template, sign

        template, sign = await asyncio.to_thread(theirs)
    assert (template.TemplateId, template.StatusCode, template.ReviewReply) == (int(ours.NOTICE), -1, "变量过多")
    assert template.TemplateContent == ours.TEMPLATES[ours.NOTICE]
    assert (sign.SignName, sign.StatusCode) == (SIGN, 0)
