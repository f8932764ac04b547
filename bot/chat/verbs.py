"""The table of words: what people say for each verb, in every channel, and what beside it says that it is not meant.

A word counts in its clause (the text between two marks of punctuation). ``before`` and ``after`` are what must not
stand in the clause before the word, or directly after it. ``leads`` marks words of daily speech: they count only where
the clause begins with them, or where it says that the thing was done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from escalation.vocabulary import Verb

HARMLESS = re.compile(
    r"不好意思|没有?问题|没有?事|说明|说法|没关系|不客气|不用谢|您好|你好|非常|特别|分别|级别|识别|类别|无误|"
    r"无异常|无线|无锡|不锈钢|不断|不停|不久|"
    r"不但|不仅|未来|等级|(?<=已)按照?\w{0,6}?(?:要求|指示|规定|提醒|通知)|按照?\w{0,6}?(?:要求|指示|规定)(?=已)|"
    r"根据\w{0,6}?(?:提醒|短信|通知)(?=已)"
)
"""Words that hold a negation or a pronoun and mean none."""

NEGATION = r"[没未不无非否勿别]|拒绝|难以|拒不"
CONDITION = r"如果|假如|若|要是|等|待|一旦|万一|只有|除非"
PAST = (
    r"上次|昨天|昨日|前天|前几天|以前|之前|经常|老是|总是|每次|历史|上周|上月|去年|天天|每天|整天|成天|一直|本来|"
    r"原本|差点"
)
HEARSAY = r"说|听(?:说|他|她|老|人|别|领导|厂)|据称|据报|反映|声称|告诉|转告"
"""Somebody else's word for it."""
SOON = (
    r"快(?:要|能)?$|差不多|即将|就要|几乎|预计|预期|争取|力争|尽量|尽可能|估摸|明[天日早晚]|后天|待会|一会|"
    r"[等过]下|晚点|晚些|"
    r"(?<!早)就$|(?<![目之以此提])前$|(?:^|我们?|这边)一$|(?:已|现场|正|还)?在$"
)
"""Nearly done, or about to be."""
AFTER_THAT = r"(?:(?<![随然最])后|之后|以后|(?<![当及])时|再|(?<!刚)才|(?<!早)就)(?:申请|请求?|可以|能)?$"
"""处理完再消警, 恢复后消警: not yet."""
LATER_TODAY = re.compile(
    r"(?:上午|中午|下午|傍晚|今晚|今天|晚上|夜里|月底|周[一二三四五六日]|[点时日号天])(?:能|可以)?(?:全部|基本)?$"
)
"""下午处理完 is a plan, 下午处理完了 is not."""
HEDGE = (
    r"可能|好像|疑似|怀疑|估计|大概|也许|或许|似乎|像是|应该|应当|会不会|不像|八成|多半|貌似|感觉|觉得|怕是|恐怕|"
    r"不知|不确定|不清楚|说不定|不一定"
)
URGE = (
    r"请|麻烦|帮|需|要|应|须|让|叫|通知|安排|派|催|督促|抓紧|尽快|尽早|立即|立刻|及时|赶紧|快点|马上|去|准备|"
    r"正在|正|将|会|稍后|回头|继续|打算|计划|"
    r"开始|可以|能|必|再|代|替|提醒|建议|申请"
)
OTHERS = r"[他她谁]|你|您|对方|别人|人家|大家|有人|各位"
THINGS = r"快递|红包|包裹|货|款|钱|发票|文件|材料|东西|外卖|工资|转账|信号"
ASKING = re.compile(
    r"怎么|怎样|咋|什么|啥|为何|为什么|哪|是否|可否|能否|是不是|能不能|可不可以|要不要|有没有|多少|谁|如何|"
    r"何时|几点|几时|难道|多久|多长|还是|([^\W\d]{1,2})不\1"
)
ASKING_END = re.compile(
    r"(?:吗|嘛|呢|么|吧|没有?|否|了不|不是|不|未|木有|伐)[啊呀哦噢喔哈咯嘞哟呗呐]*$|[没未][啊呀呐]$|"
    r"([^\W\d]{1,2})不\1[啊呀]?$"
)
TAG = re.compile(r"^(?:对|是|行|可以|好|能|成|可)(?:吗|嘛|吧|么|不对|不是|不行|不)++$")
"""A clause that turns what was said before it into a question."""

DONE_BEFORE = re.compile(r"(?:已经?|完成|都|经)(?:完成|全部|由\w{1,6}|到?现场|及时|妥善|基本)?$")
DONE_AFTER = re.compile(r"(?:完毕|完成|完了?|好了?|妥|过了|掉了?|结束|了)")
ENDED = re.compile(r"(?:完毕|完成|[完好掉]?了|过)")
AFTERWARDS = re.compile(r"(?:完毕|完成|完|好)?了?(?:后|之后|以后|再|就|才|时|前|之前)")
FILLERS = re.compile(
    r"^(?:[那这两二三四五六七八九十几]+[条个]|这些|以上|上述|上面|所有|全体|喂|哎|诶|啊|好的?|嗯+|哦+|行|您好|"
    r"你好|我们?|本人|我方|我厂|我司|我处|企业|公司|现场|现|目前|刚刚?|刚才|今天|今日|已经?|均|都|全部|经|"
    r"完成|完毕|人员|值班员|报告|回复?|答复|复|均已|ok|谢谢|辛苦)*"
)


@dataclass(frozen=True, slots=True)
class Word:
    """How a verb is said. ``asked_before`` looks for questions only before the word: free text follows it."""

    verb: Verb
    said: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    leads: bool = False
    asked_before: bool = False


def _word(verb: Verb, said: str, *, before: str, after: str, leads: bool = False, asked_before: bool = False) -> Word:
    return Word(verb, re.compile(said), re.compile(before), re.compile(after), leads, asked_before)


_NEVER = f"{NEGATION}|{CONDITION}|{PAST}|{HEARSAY}"
_URGE_OTHERS = URGE.replace("通知", "通知(?!$)")  # 核查通知收到: what was received, not whom to tell
_ABUSE = r"个?(?:屁|毛|鬼|锤|球|蛋|头|啥|寂寞)|[你他她]|烦"
_NOTICE = (
    r"的?(?:通知|短信|消息|信息|提醒|要求|单|指令|工单|函|指示)|已?收到|错|反了|个?(?:屁|毛|鬼|锤子)|工作|任务|"
    r"事宜|超时|逾期|超期"
)
_HOW_FAR = r"起来|要|需|费|到哪|到什么|得怎|进度|进展|(?:情况|结果)?(?:怎|如何|咋|啥|什么|哪|几时|多久)"
_NOUN = r"情况|记录|率|单|表|人|时间|时限|状态|方式|页面|链接|按钮|流程|要求|权|提醒|编号|码"
_CAUSES = r"(?:原因|理由)(?:$|是|有|呢|不|没|未|待|统计|分析|说明$|在于?)"
"""Causes that are spoken of, not given: 误报原因是什么, but 消警 A0231 原因检修 gives one."""

_NOT_SO = (
    r"(?:没有?|未|别|勿|不(?:用|要|能|再|准|得|必|会|该|需要?)?|无法|无需|无须)(?:再|想|打算|申请|请|要)*+$"
    rf"|如果|假如|若|要是|一旦|万一|除非|{PAST}"
)
"""A negation of this word only: 我处理不完申请延期 still asks."""
_MEN = "人员?|工人|员工|职工|队伍|车辆?|救援"
# A repeated choice before something else is possessive (*+): no text may make a pattern try every way of splitting it.
TABLE: tuple[Word, ...] = (
    _word(
        Verb.UNDO,
        r"撤回|撤销|取消(?=上一?[条个]|刚才|签收|核查|处置|处理|消警|误报|转派|延期|批准|操作|申请|$)"
        r"|(?:点|按|发|回|填|报|签收?)错了?|误操作|(?:上一?条|刚才的?(?:那条)?)作废",
        before=f"{_NEVER}|{_MEN}|{OTHERS}|请勿|收到的?$",
        after=(
            rf"{_NOTICE}|报警|预警|警报|警情|{_MEN}|现场|到|至|来|群|人|地方|按钮|不了|不|没|未|失败|的(?!$)|"
            rf"了?一?条?消息"
        ),
    ),
    _word(
        Verb.REFUSE,
        r"不批准|不同意|不予批准|不予同意|不准予?(?=$|延|消|误)|不批(?=$|延|消|误)|驳回|拒绝(?=延期|消警|误报|"
        r"批准|申请)",
        before=f"{CONDITION}|{PAST}|{HEARSAY}|{OTHERS}|没有?|未|别|勿|领导|上级|被|为何|业主|企业|厂家",
        after=rf"{_NOTICE}|见|他|她|你|您|吗|的(?!$|延期|消警|误报)|率",
    ),
    _word(
        Verb.APPROVE,
        r"批准|同意|准予|准许|核准|照准|审批通过|予以通过",
        before=rf"{_NEVER}|{HEDGE}|{OTHERS}|申请|请|求|望|获|得|经|领导|上级|被|需|须|要|由|应|让|叫|催|能|可否|已报",
        after=(
            rf"{_NOTICE}|后|前|时|了?吗|不|没|未|文件|文号|书|权|手续|证|单|他|她|你|您|大家|意见|观点|说法|的(?!$|"
            rf"延期|消警|误报)"
        ),
        leads=True,
    ),
    _word(
        Verb.URGE,
        r"催办|催一下|催一催|再催|催催|催促|催(?:他们|企业|镇里?|下级|值班室)|督促(?:一下|办理|处置|企业|镇街?|下级)",
        before=f"{_NEVER}|收到|接到|被|已经?|正在",
        after=rf"{_NOTICE}|什么|单|函|次数|过|得|的(?!$)|不|没|未",
    ),
    _word(
        Verb.TRANSFER,
        r"转派|改派|转办给?|移交给?|指派给?|转交给?|转给|派给|交给(?=\w{2,4}(?:去)?(?:处理|办理|负责|处置|跟进|$))",
        before=f"{_NOT_SO}|{HEARSAY}|{OTHERS}|{THINGS}|正在|收到|接到|被",
        after=rf"{_NOTICE}|不了|不|没|未|失败|领导|上级|公安|法院|{THINGS}|按钮|流程|记录",
    ),
    _word(
        Verb.EXTEND,
        r"延期|延时(?=\d|[一二两三半到至]|办|处|申请|$)|延长|宽限|展期|推迟|延后|顺延|缓(?=\d|[一二两三半])|"
        r"(?<![拖蔓绵推])延(?=\d|[一二两三半]|[到至](?!现|今$))(?!.*延期)",
        before=f"{_NOT_SO}|{OTHERS}|{HEDGE}|批准|同意|准予|准许|核准|驳回|已经?$|收到的?$|被|会议?$|开会|工期",
        after=(
            rf"{_NOTICE}|不了|不得|不|没|未|失败|线|管|杆|付款|交货|开会|使用|寿命|报废|的(?!$)|过|了?(?:{_CAUSES}|"
            rf"情况)"
        ),
    ),
    _word(
        Verb.PHONED,
        r"已经?(?:打|用)?电话(?:通知|告知|联系)?|已经?致电|打过(?:了|一?次)?电话|电话(?:已经?)?打过|"
        r"(?:打?电话)(?:已经?(?:通知|告知|联系|打)|(?:通知|告知|联系)(?:到位|完毕|了|过了))",
        before=f"{_NEVER}|请|需|要|应|让",
        after=r"不|没|未|失败|停机|欠费|坏",
    ),
    _word(
        Verb.FED_BACK,
        r"(?:系统|平台)?(?:里|中|内|上)?已经?(?:在|于|向|通过)?(?:官方|国家|省|市|原|上级|监测预警)*+(?:系统|"
        r"平台)?(?:里|中|内|上)?(?:填报|上报)?反馈"
        r"|(?:系统|平台)(?:里|中|内|上)?反馈(?:完成|完毕|好|了|过)",
        before=f"{_NEVER}|请|需|要|应|让",
        after=r"给|领导|厂家|[他她]|表|单|不|失败|(?:至|到)(?!.{0,8}(?:系统|平台))",
    ),
    _word(
        Verb.VERIFY,
        r"核查|核实",
        before=f"{_NEVER}|{URGE}|{SOON}",
        after=rf"{_NOTICE}|{_HOW_FAR}|中|一下|下$|吧|不了|不出|不清|不到|失败|方案|流程|时限|单|率|表|人员",
        leads=True,
        asked_before=True,
    ),
    _word(
        Verb.DISPOSE,
        r"处置|处理",
        before=f"{_NEVER}|{URGE}|{HEDGE}|{SOON}",
        after=(
            rf"{_NOTICE}|{_HOW_FAR}|中|意见|方案|办法|流程|时限|单|率|一下|下$|吧|不|失败|未完|没|未果|难|人$|人员|"
            rf"费|厂|站|器|权"
        ),
        leads=True,
        asked_before=True,
    ),
    _word(
        Verb.FALSE_ALARM,
        r"误报|虚警|假警",
        before=f"{_NEVER}|{HEDGE}|做好|防止|减少|避免|降低|排除|频繁|多次|又|收到的?$",
        after=(
            rf"{_NOTICE}|率|太|多|频|不断|这么|那么|烦|[一二两三四五六七八九十几\d]*次|{_CAUSES}|统计|分析|的(?!$)|"
            rf"不|没|未"
        ),
    ),
    _word(
        Verb.CLEAR,
        r"消警|销警",
        before=f"{_NEVER}|{HEDGE}|{AFTER_THAT}|正在|在$|准备|打算|计划|将|收到的?$",
        after=f"{_NOTICE}|{_NOUN}|条件|{_CAUSES}|不|没|未|失败|前|后",
    ),
    _word(
        Verb.SIGN,
        r"签收|签[受手售首兽](?!伤)|千收|迁收|收悉|知悉|已阅",
        before=f"{_NEVER}|{URGE}|{OTHERS}|{THINGS}",
        after=f"{_NOUN}|{_ABUSE}|错|不|失败|没|未|的(?!$)|了?后|请|前|时|超时|通知|权限|{THINGS}",
        leads=True,
    ),
    _word(
        Verb.SIGN,
        r"收到",
        before=f"{_NEVER}|{_URGE_OTHERS}|{OTHERS}|{THINGS}|接$|签$",
        after=(
            f"(?:短信|消息|信息|通知)?(?:请|后|之后|以后)|会回|的(?!$)|时|前|不|没|未|回复|率|"
            f"了?(?:[你您他她]们?)?(?:公司|银行|朋友|单位|"
            f"家里?)?的?(?:一?[笔个份件])?(?:{THINGS})"
        ),
        leads=True,
    ),
)
"""Words that act. The first of a message counts, a mere signature after everything else."""

READING: tuple[tuple[Verb, re.Pattern[str]], ...] = (
    (
        Verb.TODO,
        re.compile(
            r"^(?:我的?|查一下|查询|查下|查看?|看看?|还有|请?列出?)*+(?:待办|未办)(?:的|事项|清单|列表|警情)*+$"
            r"|^(?:我的?|查一下|查询|查下|查看?|看看?|还有)++(?:没办|待处理|没处理|未处理|未完成)(?:的|事项|"
            r"清单|列表|警情)*+$"
            r"|^(?:我)?(?:还|现在|目前)*+(?:有|欠)(?:什么|哪些|啥|几条)(?:没办|未办|待办|要办|没处理|未处理|"
            r"没做|事)?(?:的|了)?$|^todo$"
        ),
    ),
    (
        Verb.WHY,
        re.compile(
            r"^(?:请问)?我?(?:为什么|为啥|为何|凭什么|why)(?:会|要|总|老是?|又|都)?(?:是|让|叫|给)?"
            r"(?:$|我|发|通知|收到|告诉|找|短信|提醒|打电话)|^(?:有)?(?:什么|啥)依据|依据(?:是什么|是啥|呢)?$|"
            r"^(?:根据|按)?哪条(?:规定|规则|依据)"
        ),
    ),
    (Verb.QUERY, re.compile(r"^(?:我要|我想|请|帮我?)?(?:查询|查一下|查下|查看|查$|查(?=待办|未|警情|报警))")),
    (Verb.HELP, re.compile(r"^(?:请|需要|我要)?(?:帮助|帮忙$|help|菜单)|(?:怎么|如何)(?:回复|答复|使用|用|签收|操作)")),
)
"""Words that only ask; a message that begins with one acts on nothing."""

GOVERNORS = (Verb.UNDO, Verb.REFUSE, Verb.APPROVE, Verb.URGE, Verb.TRANSFER, Verb.EXTEND)
"""Words whose clause speaks of another verb as their object, the stronger first."""

LATER: tuple[tuple[Verb, re.Pattern[str]], ...] = (
    (
        Verb.MAINTAIN,
        re.compile(
            r"^(?:我厂|我们?|现|要|想|申请|特此?|已|计划)*+(?:(?:设备|停产|停机|停炉|检修|维修|维护|大修|线路)*+报备"
            r"|(?:检修|维修|维护).{0,20}?[\d一二两三半]+个?(?:小时|h|分钟|天))"
        ),
    ),
    (Verb.CHECKIN, re.compile(r"^(?:值班室?|值班员|我)?(?:查岗)?(?:在岗|在位|到岗|签到|应答|查岗应答)$|^查岗")),
    (
        Verb.DUTY,
        re.compile(
            r"^(?:今天|今晚|今日|现在|明天|查|看)*+(?:谁|哪个|是谁)?(?:在)?(?:值班|带班)(?:表|人员|安排|领导|"
            r"员)?(?:是?谁|呢)?$"
        ),
    ),
    (Verb.SWAP, re.compile(r"^(?:我|今天|今晚|明天|要|想|申请|请)*+(?:换班|替班|调班|顶班|代班)")),
    (Verb.HANDOVER, re.compile(r"^(?:我|现场|现在?|准备|值班室?)*+(?:交接班|交班|接班)")),
    (
        Verb.CLEANING,
        re.compile(
            r"^(?:今日|今天|已|粉尘|积尘|车间|现场|班后)*+(?:清扫|清理|清灰|除尘)?(?:已|完成)?打卡|^(?:今日|"
            r"今天|已|粉尘|积尘)*+清扫(?:完成|完毕|了|记录)"
        ),
    ),
    (Verb.HAZARD, re.compile(r"^(?:上报|发现|报告|登记|新增|现)*+(?:一处|一个|一条|重大|事故|一般)*+隐患")),
    (
        Verb.PATROL,
        re.compile(r"^(?:今日|今天|已|线上|现场|夜间|例行)*+(?:巡查|巡检|抽查)(?:完成|完毕|正常|情况|记录|打卡|了|$)"),
    ),
    (
        Verb.FILED,
        re.compile(
            r"^(?:本周|本月|周报|月报|周调度表?|统计表|台账|报表|材料|总结|方案|表)*+(?:均|"
            r"都)?(?:已经?)?(?:报送|上报|呈报|提交)(?:完成|完毕|好了|了)?$"
        ),
    ),
)
"""What is read where nothing acts, and cannot be done by an answer yet."""

NAMED_POST = re.compile(
    r"(?:公司|厂|业|钢铁|镇|街道|园区|局|室|办|站|部|科|所|队|车间|班|班组|值班员|值班|短信|信息|消息|通知|"
    r"报警|预警|警情|报|警|"
    r"器|炉|罐|温度|流量|压力|压差|液位|水位|浓度)$"
)
"""What may stand before a signature: who gives it, by post, or what was received. Other subjects are talk."""
SIGNED_HOW = re.compile(r"(?:已经?|刚才?|均|都|全部|确认|也|现|来)++$")

ONE = re.compile(
    r"^(?:回复?|复)?1(?:签收|收到|(?:我|马上|现在|立即|立刻|这就|在路上|已经?(?:在|到|出发)).*)?$|^(?:签收|收到)1$"
)
SIGNED_BEFORE = re.compile(
    r"^(?:好的?|嗯|行|我们?|已经?|都|刚|短信|信息|通知|确认|1|ok|[，。,. ])*+(?:签收|收到|收悉|知悉|"
    r"已阅)了?(?:[，。,.!！ ]+|$)",
    re.IGNORECASE,
)
"""A signature at the head of what else was said."""
KNOWN = re.compile(
    r"^(?:好的?|嗯|哦|行|我们?|都|已经?|谢谢)*+(?:(?:知道|晓得|看到|明白|了解|清楚)(?:了|啦|咯|喽))++"
    r"(?:谢谢|哈|啊|我?(?:马上|这就|现在|立即|立刻).*)?$"
)
"""What says that somebody has read it, where nothing is asked beside it."""
OK = re.compile(r"^(?:ok|okay)(?:了|的)?(?:我?(?:马上|现在|立即|立刻|这就|已经?(?:在|到|出发)|在路上).*)?$")

CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "传感器故障",
        re.compile(
            r"(?:传感器|探头|仪表|变送器|热电偶|探测器|检测仪)\w{0,3}(?:故障|损坏|坏|失灵|异常|漂移|松动|断|"
            r"老化|脱落|短路|接触不良)|"
            r"点位错误|传输(?:不稳|故障|中断)"
        ),
    ),
    ("设备故障", re.compile(r"设备\w{0,4}(?:故障|损坏|坏)|(?:风机|电机|水泵|阀门|除尘器)\w{0,3}(?:故障|损坏|坏)")),
    ("停产检修", re.compile(r"停产|停机检修|停炉检修|检修|大修")),
    ("线路维修", re.compile(r"线路\w{0,3}(?:维修|检修|故障|改造|断)")),
    ("工艺波动", re.compile(r"工艺\w{0,2}(?:波动|调整)")),
    ("真实超限", re.compile(r"真实超限|确实超限|超限属实|真实报警|确有超限|真超限|情况属实")),
    ("误报", re.compile(r"误报|虚警|假警")),
    ("其他", re.compile(r"其[他它]")),
)
"""The causes of a verification, more exact ones first; the words are what is recorded."""

LAST_CAUSES = frozenset({"误报", "其他"})
"""Causes only where somebody verifies: elsewhere these are a request, or talk."""
