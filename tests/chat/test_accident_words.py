"""Accident words: what rings, and what does not."""

from __future__ import annotations

from bot.chat.grammar import understand
from escalation.vocabulary import Verb
from tests.chat.test_grammar import sayings

RINGS = """
    着火了 | 车间起火，快来人 | 爆炸了，无人员伤亡 | 发生爆炸 | 铝液泄漏 | 有人中毒 | 2人被困 | 厂房坍塌
    没有着火，但有人受伤 | 没着火，爆炸了 | 签收 着火了 | A0231 已着火 | 现场没人 着火了 | 没人管着火了
    煤气泄露，无人中毒 | 不断泄漏 | 没有消防车，着火了 | 灭火器没有用，火灾扩大 | 起火点在二楼，火很大
    粉尘爆燃 | 除尘器闪爆，一人烧伤 | 防爆墙倒塌了 | 防爆片没用，爆炸了 | 泄漏探头故障，另外真的泄漏了
    现场浓烟 有人晕倒 | 除尘管道炸了 | 快爆炸了 | 着火了没有水 | 无人员伤亡，但已起火 | 有人触电 | 現場著火
    着 火 了 | 【着火了】 | 着火！！！ | 死亡1人 | 没有死亡，3人重伤 | 消防演练变成真的着火了 | 有工人被埋
    高处坠落一人 | 出事了 | 电没了 着火了 | 止不了泄漏 | 处理不了泄漏 | 水没有 着火了 | 看不见 有人被困
    门打不开着火了 | 联系不上，有人被困 | 没人 中毒了三个 | 误报，不过泄漏了一点 | 收到，现场明火 | 氨气泄漏
    钢包漏钢爆炸 | 有员工窒息 | 救命，被困在除尘间 | 无伤亡，火灾已控制 | 塌方 | 死人了 | 着火了，不是演练
    不是演练，真的爆炸 | 没有泄漏，有爆炸 | 未造成伤亡，厂房倒塌
"""

DOES_NOT_RING = """
    没有着火 | 无人员伤亡 | 未发生爆炸 | 没有人员伤亡 | 无人受伤 | 未造成人员伤亡 | 没有着火、爆炸、泄漏
    没有着火和爆炸现象 | 无火灾爆炸 | 防爆墙已检查 | 泄爆片更换 | 泄漏探头故障 | 泄漏检测仪离线 | 防爆电机跳闸
    有没有着火 | 是否有人员伤亡 | 有无人员伤亡 | 着火了吗？ | 可燃气体泄漏报警器故障 | 粉尘爆炸危险场所
    爆炸下限 | 动火作业 | 防止爆炸 | 预防中毒培训 | 火灾自动报警系统检修 | 信息泄露 | 泄漏电流超标
    消防火灾演练 | 签收 | 误报，没有泄漏 | 现场无明火 | 不存在泄漏 | 排除泄漏 | 未见泄漏 | 不会爆炸 | 无一人伤亡
    零伤亡 | 处置完毕，无人员受伤 | 泄爆口堵塞 | 触电保护器跳闸 | 防爆 | 泄爆片 | 防爆墙 | 抑爆装置检修
    隔爆阀动作 | 没有 着 火 | 防爆膜老化 | 无泄漏 | 未泄漏 | 阀门不泄漏 | 泄漏检测仪 | 没爆炸 | 不是着火
    并未起火 | 火灾应急预案 | 爆炸极限 | 处理完毕 | 温度高高报 | 无人被困 | 没有人员被困或受伤 | 除尘器故障
"""


def test_the_tables_are_long_enough_to_mean_something() -> None:
    assert len(sayings(RINGS)) >= 60
    assert len(sayings(DOES_NOT_RING)) >= 60


def test_what_rings() -> None:
    assert [said for said in sayings(RINGS) if not understand(said).emergency] == []


def test_what_does_not_ring() -> None:
    read = {said: understand(said).emergency for said in sayings(DOES_NOT_RING)}
    assert {said: words for said, words in read.items() if words} == {}


def test_the_words_themselves_are_told_in_order() -> None:
    assert understand("着火了，随后爆炸，又着火，无人死亡").emergency == ("着火", "爆炸")


def test_a_verb_beside_accident_words_is_still_read() -> None:
    read = understand("签收 A0231，着火了")
    assert (read.verb, read.codes, read.emergency) == (Verb.SIGN, ("A0231",), ("着火",))


def test_a_machine_that_speaks_of_fire_is_heard() -> None:
    assert understand("自动回复坏了，车间着火").emergency == ("着火",)
