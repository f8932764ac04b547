"""How messages are read: what people type, line by line."""

from __future__ import annotations

import pytest

from bot.chat.grammar import understand
from escalation.vocabulary import Verb

ACTING = {
    Verb.SIGN: """
        签收 | 收到 | 已收到 | 1 | １ | ① | OK | ok | Okay | 好的收到 | 好的，收到！ | 收到。 | 收到了 | 已签收
        签收了 | 确认收到 | 收悉 | 知悉 | 已阅 | 回1 | 回复1 | 1签收 | 1，马上去看 | 收到，马上去处理
        已收到马上去看 | 收到，没问题 | 不好意思刚收到 | 刚收到 | 石桥镇值班室收到 | 示例木业收到 | 短信收到
        您好，已收到 | 我收到了 | 收到谢谢 | 簽收 | 【示例应急】签收 | 【签收】 | “签收” | 签 收 | @烽火 签收
        收到👌 | OK，马上到 | 收到，10分钟后到 | 嗯嗯收到 | 消警收到
        收到消警 | 误报收到 | 核查通知收到 | 收到误报信息 | 现场已收到
    """,
    Verb.VERIFY: """
        核查 | 核实 | 已核查 | 已核实 | 核查完毕 | 核查 设备故障 | 已核实为传感器故障 | 经现场核查，是误报
        经核实，工艺波动 | 核查无误 | 已核查未发现异常 | 核查：线路维修 | 核查 停产检修 | 核实 真实超限
        传感器故障 核查 | 核查，其他 | 已核实，不是误报，真实超限 | 核查結果：设备故障
    """,
    Verb.DISPOSE: """
        处置 | 已处置 | 处理 | 已处理 | 处理完毕 | 处置完毕 | 处理好了 | 已处理完 | 處置完畢
        处置：已停机，清理积灰 | 处理结果：更换探头 | 1号除尘器已处理完毕 | 已由电工处理 | 现场处理完毕
        已派人去现场处理完毕 | 温度降了，已处置 | 处置 PT100已更换 | 处理完毕，申请消警
    """,
    Verb.CLEAR: "消警 | 申请消警 | 请消警 | 请求消警 | 已恢复正常，消警 | 消警，数值正常 | 可以消警了 | 销警",
    Verb.FALSE_ALARM: """
        误报 | 是误报 | 误报，探头进水 | 1号除尘器误报 | 没有着火，误报 | 誤報 | 确认误报 | 属于误报
        未发现异常，误报 | 误报了 | 请按误报处理
    """,
    Verb.PHONED: "电话已通知 | 电话已通知张三 | 已电话通知 | 已电话告知李四 | 电话通知到位 | 已打电话",
    Verb.FED_BACK: "已反馈 | 系统已反馈 | 已系统反馈 | 已在系统反馈 | 平台已反馈 | 已反馈到系统 | 系统反馈完成",
    Verb.QUERY: "查询 | 查一下 | 查询警情 | 查询签收情况 | 请查询",
    Verb.HELP: "帮助 | help | HELP | ? | ？ | 怎么签收 | 如何回复 | 需要帮助",
}

NOT_ACTING = """
    未收到 | 没收到 | 没有收到短信 | 还没收到 | 收不到 | 没处置 | 还没处置 | 未处理 | 未核实 | 不是误报
    并非误报 | 非误报 | 不消警 | 不能消警 | 无法签收 | 拒绝签收 | 签收不了 | 处理不了 | 签收失败 | 还没处理好
    没核查 | 不签收 | 别签收 | 不要处置 | 尚未消警 | 无需签收 | 签收了吗？ | 签收了没 | 签收？ | 收到了吗
    收到没有 | 收到没 | 1? | 误报吗 | 误报吧 | 误报？ | 是不是误报 | 是否误报 | 误报，对吗？ | 谁签收的
    处置了吗 | 处理了没有 | 能不能消警 | 什么时候消警 | 为什么误报 | 怎么处理 | 核查了吗 | 核查完了没
    消警按钮在哪 | OK吗 | 已反馈了吗 | 电话已通知了吗 | 请签收 | 请尽快处置 | 收到请回复 | 收到后请回复 | 请核查
    请立即处理 | 马上处理 | 正在处理 | 处理中 | 准备去核查 | 稍后处置 | 待处理 | 去处理一下 | 如果误报请回复
    等处理完再说 | 处理完后再报 | 可能是误报 | 好像误报 | 疑似误报 | 昨天误报 | 上次签收 | 经常误报 | 误报率太高
    防止误报 | 排除误报 | 他收到了 | 你收到 | 快递收到了 | 签收快递 | 红包收到 | 让他签收 | 小王已签收
    领导已签收 | 司机签收 | 核查人员已到 | 处置人员已到位 | 签收率 | 签收情况
    处理意见 | 处理方案 | 核查方案 | 处理一下 | 2 | 11 | 0 | 12345 | 1号除尘器 | 1.5 | 1:30 | 一会儿 | 0231
    2026 | 1、已停机 2、已通知 | 13800130001 | 101 | 好 | 你好 | 谢谢 | 天气不错 | 吃饭了 | 设备ok | 在吗 | 哈哈
    。。。 | 👍 | 明天开会 | 已反馈给厂家 | 已反馈给领导 | 垃圾处理 | 信号接收到
    自动回复：您好，收到后尽快回复 | 【自动回复】我正在开会，已收到 | 收到信号不好 | 处理不当 | 误报的原因
    温度未超限误报 | 应该处理 | 需要核实
"""

CODES = {
    "签收 A0231": "A0231",
    "a0231签收": "A0231",
    "A231收到": "A0231",
    "收到a 0231": "A0231",
    "Ａ０２３１　签收": "A0231",
    "1A0231": "A0231",
    "A0231 1": "A0231",
    "1 A0231": "A0231",
    "A-0231 ok": "A0231",
    "a0231ok": "A0231",
    "1号除尘器签收 A0231": "A0231",
    "收到A0231和w45": "A0231 W0045",
    "签收A0231、A0232，W0045": "A0231 A0232 W0045",
    "签收 A0231 A0231": "A0231",
    "签收 A000231": "A0231",
    "签收编号A0231。": "A0231",
    "消警(A0231)": "A0231",
    "误报【A0231】": "A0231",
    "【示例应急】A0231签收【示例木业】": "A0231",
    "签收 A12345678": "A12345678",
    "签收 0231": "0231",
    "签收 B0231": "B0231",
    "签收 AO231": "AO231",
    "签收 A0231 0232": "A0231 0232",
    "消警 231": "231",
    "收到，30分钟到": "",
    "处置 换了PT100探头": "",
    "处置 AO231 已停机": "AO231",
    "核查 温度120降到80": "",
    "电话已通知 13800130001": "",
    "签收": "",
}

CAUSES = {
    "核查 设备故障": "设备故障",
    "核查 传感器故障": "传感器故障",
    "核查，探头坏了": "传感器故障",
    "核查 停产检修": "停产检修",
    "核查 线路维修": "线路维修",
    "核查 工艺波动": "工艺波动",
    "核查 真实超限": "真实超限",
    "核查 误报": "误报",
    "核查 其他": "其他",
    "核查 其它原因": "其他",
    "传感器故障核查": "传感器故障",
    "核查 传感器故障，误报": "传感器故障",
    "核查 不是传感器故障": "",
    "核查 非误报": "",
    "核查 温度偏高": "",
    "误报": "",
    "误报 传感器故障": "传感器故障",
}

RESTS = {
    "A0231 处置：已停机，清理积灰": "已停机，清理积灰",
    "处理完了 数值正常": "数值正常",
    "收到A0231，误报，探头进水": "探头进水",
    "处理完毕 已更换 PT100 探头": "已更换PT100探头",
    "签收": "",
    "1": "",
    "1，马上去看": "马上去看",
    "OK, on my way": "on my way",
    "申请消警 A0231": "",
    "消警 数值恢复": "数值恢复",
    "电话已通知 张三 13800130001": "张三13800130001",
    "【示例应急】核查 设备故障": "设备故障",
}


def sayings(text: str) -> list[str]:
    """The sayings of a table: parted by bars and lines."""
    return [each.strip() for line in text.strip().splitlines() for each in line.split("|") if each.strip()]


@pytest.mark.parametrize("verb", ACTING, ids=str)
def test_what_people_say_for_it(verb: Verb) -> None:
    assert {said: understand(said).verb for said in sayings(ACTING[verb])} == dict.fromkeys(sayings(ACTING[verb]), verb)


def test_what_acts_on_nothing() -> None:
    read = {said: understand(said).verb for said in sayings(NOT_ACTING)}
    assert {said: verb for said, verb in read.items() if verb not in (None, Verb.HELP, Verb.QUERY)} == {}


def test_codes() -> None:
    assert {said: " ".join(understand(said).codes) for said in CODES} == CODES


def test_causes() -> None:
    assert {said: understand(said).cause for said in CAUSES} == CAUSES


def test_the_rest_is_kept_as_it_was_typed() -> None:
    assert {said: understand(said).rest for said in RESTS} == RESTS


def test_further_verbs_are_named_and_not_taken() -> None:
    read = understand("处理完毕，申请消警 A0231")
    assert (read.verb, read.more, read.codes) == (Verb.DISPOSE, (Verb.CLEAR,), ("A0231",))
    assert understand("收到，已核实为误报").more == ()
    assert understand("已核查，已处置").more == ()


def test_what_was_quoted_is_not_said() -> None:
    quoted = "「烽火：A0231 示例木业 高高报，请签收，误报请回误报」\n- - - - - - - - -\n不清楚"
    assert understand(quoted).verb is None
    assert understand(quoted.replace("不清楚", "收到")).verb is Verb.SIGN
    assert understand("收到\n\n-----原始邮件-----\n发件人: 烽火\n误报请回复误报 A0999").codes == ()
    assert understand("> A0231 请回1签收\n误报").verb is Verb.FALSE_ALARM


def test_an_automatic_message_is_known_as_such() -> None:
    assert understand("自动回复：收到").automatic
    assert understand("Auto-Reply: OK").automatic
    assert not understand("收到").automatic
