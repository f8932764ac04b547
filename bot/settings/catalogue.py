"""Every sentence that a problem of the configuration is told in, in Chinese and English: one code, one pair."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

SENTENCES: Mapping[str, Pair] = {
    # files
    "no_file": ("找不到或读不了文件 {file}：{zh}", "cannot read {file}: {en}"),
    "not_utf8": ("文件不是 UTF-8 编码", "the file is not UTF-8"),
    "syntax": ("TOML 语法错误：{zh}", "TOML syntax: {en}"),
    "no_match": ("include 的 {pattern} 没有匹配到任何文件", "include {pattern} matches no file"),
    "bad_glob": (
        "include 的 {pattern} 必须是本文件夹以内的相对路径",
        "include {pattern} must be a relative path inside this folder",
    ),
    "main_only": ("{name} 只能写在主配置文件里", "{name} may stand in the main file only"),
    # secrets
    "literal_secret": ("密钥直接写在了配置里", "a secret stands in the configuration itself"),
    "no_env": ("环境变量 {name} 没有设置或为空", "the environment variable {name} is not set or empty"),
    "no_secret_file": ("读不了密钥文件 {file}：{zh}", "cannot read the secret file {file}: {en}"),
    "empty_secret": ("密钥文件 {file} 是空的", "the secret file {file} is empty"),
    "open_secret": ("密钥文件 {file} 其他用户也能读（{mode}）", "others can read the secret file {file} ({mode})"),
    "not_whsec": (
        "不是签名密钥（whsec_ 加 base64，至少 16 字节）",
        "not a signing secret (whsec_ and base64, 16 bytes or more)",
    ),
    # shapes
    "missing": ("缺少 {name}", "{name} is missing"),
    "unknown_key": ("没有 {name} 这个设置", "there is no setting {name}"),
    "wrong_type": ("应为{type_zh}，现在是{given_zh}", "must be {type_en}, is {given_en}"),
    "not_one_of": ("{value} 不在可选值之内", "{value} is not one of the choices"),
    "too_long": ("太长：最多 {limit} 字（项）", "too long: at most {limit}"),
    "too_short": ("太短：至少 {limit} 字（项）", "too short: at least {limit}"),
    "not_ge": ("必须不小于 {limit}", "must be at least {limit}"),
    "not_gt": ("必须大于 {limit}", "must be greater than {limit}"),
    "not_le": ("必须不大于 {limit}", "must be at most {limit}"),
    "not_lt": ("必须小于 {limit}", "must be less than {limit}"),
    "not_id": ("不是合法的标识：{value}", "not a valid id: {value}"),
    "not_duration": ("不是时长：{value}", "not a duration: {value}"),
    "not_time": ("不是时刻：{value}", "not a time of day: {value}"),
    "not_date": ("不是日期：{value}", "not a date: {value}"),
    "not_network": ("不是网段：{value}", "not a network: {value}"),
    "not_whole": ("应为整数", "must be a whole number"),
    "pattern": ("写法不对：{value}", "not in the right form: {value}"),
    "said": ("{zh}", "{en}"),
    "control_sign": ("不能含换行等控制字符", "must not contain line breaks or other control characters"),
    "data_here": ("数据文件夹不能是配置所在的文件夹本身", "the data folder must not be the configuration's own folder"),
    "not_folder": ("{value} 不是文件夹", "{value} is no folder"),
    "invalid": ("这个值不能用", "this value cannot be used"),
    "no_kind": ("渠道没有写 kind", "the channel has no kind"),
    "unknown_kind": ("没有 {value} 这种渠道", "there is no kind of channel {value}"),
    "not_http": ("不是 http(s) 地址", "not an http(s) address"),
    "not_address": ("不是 IP 地址", "not an IP address"),
    "unknown_zone": ("没有这个时区", "there is no such time zone"),
    "not_store": ("{zh}", "{en}"),
    "password_in_url": ("存储地址里不能带用户名和密码", "a store's address must not hold user name or password"),
    "own_source": (
        "来源名 {value} 由本系统自用，请换一个名称",
        "the source name {value} is the hub's own, take another",
    ),
    "source_proof": (
        "来源必须写 secrets 或 token，且只写一种",
        "a source has either secrets or a token, exactly one of them",
    ),
    "source_allow": (
        "用 token 的来源必须写 allow（允许的网段）",
        "a source with a token needs allow (networks it may come from)",
    ),
    "stream_proof": (
        '流来源（kind = "stream"）不写 secrets、token、allow：没有人向它提交',
        "a stream source takes no secrets, token or allow: nobody posts as it",
    ),
    "stream_missing": (
        '流来源（kind = "stream"）缺少 [sources.名称.stream]',
        "a stream source needs a table [sources.NAME.stream]",
    ),
    "stream_kind": (
        '写了 stream，却没有写 kind = "stream"',
        'there is a stream table, but kind is not "stream"',
    ),
    "bad_path": ("不是字段路径：{value}", "not a field path: {value}"),
    # mappings
    "pick_source": (
        "{target} 要么写 path，要么写 const，且只写一种",
        "{target} has either a path or a const, exactly one of them",
    ),
    "pick_word": (
        "{target} 不认识“{value}”",
        "{value} is no word for {target}",
    ),
    "pick_code": (
        "代码“{value}”应有 {count} 段，用 / 分开，一段对应一个字段",
        "the code {value} must have {count} parts with / between them, one for each field",
    ),
    "pick_format": ("不是时间格式：{value}", "not a format of times: {value}"),
    "pick_needless": (
        "{name} 对 {target} 不起作用",
        "{name} means nothing for {target}",
    ),
    "id_const": (
        "编号是固定值，所有事件会被当成同一个",
        "with a constant id all events would be taken for one",
    ),
    "mapping_enterprise": (
        "映射没有说企业从哪里来",
        "the mapping does not say where the enterprise comes from",
    ),
    "mapping_grade": (
        "映射没有写 {target}，这些事件的级别都会被当作不明：{types}",
        "the mapping has no {target}: the level of all these is taken for unknown: {types}",
    ),
    "work_and_holiday": ("{days} 同时写成了上班和放假", "{days} stands among workdays and holidays"),
    "working_hours": (
        "办公时间必须按先后写，不能重叠或为空",
        "working hours must be in order, not empty, and must not overlap",
    ),
    # references and doubles
    "twice": ("{what} {value} 写了两次", "{what} {value} is written twice"),
    "no_unit": ("没有单位 {value}", "there is no unit {value}"),
    "no_place": ("没有单位或企业 {value}", "there is no unit or enterprise {value}"),
    "no_enterprise": ("没有企业 {value}", "there is no enterprise {value}"),
    "no_person": ("没有人员 {value}", "there is no person {value}"),
    "no_post": ("没有岗位 {value}，应写 单位/岗位", "there is no post {value}: write UNIT/ROLE"),
    "no_channel": ("没有渠道 {value}", "there is no channel {value}"),
    "no_profile": ("没有规则 {value}", "there is no profile {value}"),
    "no_point": ("企业 {enterprise} 没有点位 {value}", "enterprise {enterprise} has no point {value}"),
    "sample_name": (
        "{value} 是随程序附带的示例规则的名称",
        "{value} is the name of the sample rules that ship with the hub",
    ),
    "same_line": (
        "与渠道 {channel} 用同一个账号建立长连接，消息只会到其中一个：只留一个渠道接收",
        "opens a long connection of the same account as the channel {channel}; only one of them would hear anything",
    ),
    "backup_itself": (
        "{value} 不能作自己的备用渠道，也不能写两次",
        "{value} cannot stand in for itself, nor be written twice",
    ),
    "backup_address": (
        "渠道 {value} 不能用渠道 {channel} 的地址，不能作它的备用渠道",
        "channel {value} cannot use the addresses of {channel}, so it cannot stand in for it",
    ),
    "feedback_kind": (
        "渠道 {value} 不是 webhook 或 redis_stream，不能用于回传上游",
        "channel {value} is neither a webhook nor a redis_stream and cannot tell upstream",
    ),
    "not_a_bot": (
        "渠道 {value} 不是 wecom_aibot，没有长连接可用",
        "channel {value} is no wecom_aibot and has no long connection",
    ),
    "not_its_app": (
        "渠道 {value} 不是同一应用（client_id 相同）的 dingtalk_app，或没有写 inbound，群里 @机器人 的话收不到",
        "channel {value} is no dingtalk_app of the same client_id with inbound: nobody hears what is said in the group",
    ),
    "unit_tier": ("单位的层级不能是 enterprise", "a unit cannot be of tier enterprise"),
    "parent_tier": (
        "上级 {parent} 的层级（{parent_tier}）必须高于本单位（{tier}）",
        "the parent {parent} ({parent_tier}) must be of a higher tier than the unit ({tier})",
    ),
    "unit_circle": ("上级关系绕成了圈：{circle}", "the parents go round in a circle: {circle}"),
    "point_in_two": ("点位 {value} 属于两个重大危险源", "point {value} belongs to two major hazards"),
    "people_and_roster": (
        "岗位同时写了 people 和 roster，值班表不会生效",
        "a post with people and a roster: the roster would never be used",
    ),
    "empty_shift": ("这个班次没有写人", "this shift has nobody"),
    "bad_day": ("没有 {value} 这一天", "there is no day {value}"),
    "nobody_named": ("这个岗位没有写人、班次或值班电话，通知不到任何人", "this post has no people, roster or contacts"),
    # accounts
    "not_hash": (
        "不是 argon2id 密码哈希；密码本身不能写在配置里",
        "not an argon2id password hash; a password itself must not stand in the configuration",
    ),
    "costly_hash": ("这个密码哈希的参数过大，会拖住登录", "the parameters of this password hash are too costly"),
    "weak_hash": ("这个密码哈希的参数太弱", "the parameters of this password hash are too weak"),
    "account_who": ("账号写 person 或 post，只写一种", "an account has either a person or a post, exactly one of them"),
    "account_no_post": ("{unit} 没有 {post} 岗位", "{unit} has no post {post}"),
    "account_elsewhere": (
        "{person} 在 {unit} 没有岗位，不能替它签收",
        "{person} holds no post at {unit} and could not act for it",
    ),
    # uscc
    "uscc_length": (
        "统一社会信用代码应为 18 位，现在是 {length} 位",
        "a 统一社会信用代码 has 18 characters, this one has {length}",
    ),
    "uscc_mark": ("统一社会信用代码第 {at} 位不能是 {mark}", "character {at} of a 统一社会信用代码 cannot be {mark}"),
    "uscc_digit": ("统一社会信用代码校验位不对", "the check digit of the 统一社会信用代码 is wrong"),
    # addresses
    "no_address": ("渠道 {channel} 需要{need_zh}", "channel {channel} needs {need_en}"),
    "bad_address": ("{value} 不是{need_zh}", "{value} is not {need_en}"),
    "needless_address": (
        "渠道 {channel} 是群机器人，不写 address",
        "channel {channel} is a group robot and takes no address",
    ),
    # rules
    "looser_limit": (
        "点位的{clock_zh}时限 {minutes} 分钟比规则宽：规则“{rule}”为 {limit} 分钟",
        "the point's limit for {clock_en}, {minutes} minutes, is looser than rule {rule}: {limit} minutes",
    ),
    "idle_limit": (
        "点位的{clock_zh}时限 {minutes} 分钟对规则“{rule}”不起作用：那里本来就是 {limit} 分钟",
        "the point's limit for {clock_en}, {minutes} minutes, changes nothing in rule {rule}: {limit} minutes already",
    ),
    "no_rule": (
        "规则“{profile}”没有说{subject_zh}（{industry}）该谁处置",
        "profile {profile} has no rule for {subject_en} ({industry})",
    ),
    "no_tier": (
        "{name} 没有{tier_zh}一级的单位，规则“{rule}”要它做的由{bearer_zh}承担",
        "{name} has no unit of tier {tier_en}: what rule {rule} wants of it falls to the {bearer_en}",
    ),
    "empty_post": (
        "{name} 没有能通知到的处置岗位（{roles}），而规则“{rule}”要求它处置",
        "{name} has nobody who can be reached at an acting post ({roles}), but rule {rule} wants it to act",
    ),
    "fallback_empty": (
        "兜底单位 {name} 没有能通知到的值班室、带班领导或监管人员",
        "the fallback unit {name} has no duty room, leader or officer who can be reached",
    ),
    "maintainer_empty": (
        "{name} 没有能通知到的 maintainer 岗位，渠道坏了无人知道",
        "{name} has no maintainer who can be reached: nobody would hear of a broken channel",
    ),
    "group_of_others": (
        "群 {channel} 里有 {others} 的人，{name} 的岗位不能用它：别的企业的信息不能发进去",
        "{others} read the group {channel}: the posts of {name} must not use it, it would show other enterprises' data",
    ),
    "clock_twice": ("同一责任写了两个{clock_zh}时限", "two limits for {clock_en} in one duty"),
    "no_measure": ('do = "propose" 要写 measure', 'do = "propose" needs a measure'),
    "needless_measure": ('measure 只用于 do = "propose"', 'measure means something with do = "propose" only'),
    "not_yet": (
        "规则“{profile}”{date} 起生效，现在就会用它",
        "profile {profile} is effective from {date}, but used already",
    ),
    "not_adopted": (
        "在用的“{profile}”是示例规则，非官方时限，serve 不会启动",
        "{profile} is a sample without official limits: serve will not start",
    ),
    # warnings
    "phone_twice": ("号码 {value} 同时属于 {first} 和 {second}", "{value} belongs to {first} and to {second}"),
    "no_duty_room": ("{name} 没有值班室（duty_room）岗位", "{name} has no duty_room post"),
    "no_night_post": ("{name} 没有 24 小时有人的岗位（around_the_clock）", "{name} has no post around the clock"),
    "no_contacts": ("{name} 没有联系方式", "{name} has no contacts"),
    "only_called": (
        "{name} 只写了语音电话：电话只在无人签收时才打，平时的消息收不到",
        "{name} has nothing but telephone calls, which are made only when nobody signs",
    ),
    "roster_gap": ("值班表有空档：{gaps}", "the roster has gaps: {gaps}"),
    "rendering": ("{zh}", "{en}"),
    "restart": (
        "{names} 改了要重启才生效，这次的改动都没有采用",
        "{names} changes only at a restart: nothing of this change was taken",
    ),
}

TYPES: Mapping[str, Pair] = {
    "str": ("带引号的文字", "text in quotes"),
    "int": ("整数", "a whole number"),
    "float": ("数字", "a number"),
    "bool": ("true 或 false", "true or false"),
    "list": ("列表 […]", "a list […]"),
    "dict": ("表 {…}", "a table {…}"),
    "date": ("日期", "a date"),
    "time": ("时刻", "a time of day"),
    "datetime": ("日期时间", "a date with time"),
}
