"""What would be right, in Chinese and English: one code of the catalogue, one pair."""

from __future__ import annotations

from collections.abc import Mapping

from bot.settings.catalogue import Pair

HINTS: Mapping[str, Pair] = {
    "nearest": ("是不是想写 {near}？", "did you mean {near}?"),
    "known": ("可以写：{known}", "one of: {known}"),
    "missing": ("写法见 config.example.toml", "see config.example.toml"),
    "bare_number": ("只写数字，不加引号和单位", "the number alone, without quotes or unit"),
    "in_units": ('写单位 m、h 或 d 并加引号，例如 "{value}m"', 'with a unit m, h or d in quotes, such as "{value}m"'),
    "meant_network": ("是不是 {meant}？", "perhaps {meant}?"),
    "data_here": ('例如 data = "var"', 'such as data = "var"'),
    "empty_secret": ("把密钥写进这个文件，一行", "write the secret into this file, as one line"),
    "not_whsec": (
        '例如 echo "whsec_$(openssl rand -base64 24)" > 密钥文件；上游用同一个',
        'such as echo "whsec_$(openssl rand -base64 24)" > FILE; upstream uses the same',
    ),
    "phone_twice": (
        "同一部手机的答复分不清是谁：各写各的号码；值班电话写在岗位的 contacts 里",
        "nobody can tell who answers: each their own number; a duty phone belongs into the post's contacts",
    ),
    "nobody_named": (
        "写 people 或 roster；值班室写 contacts；不用就删去",
        "write people, a roster or contacts, or remove it",
    ),
    "no_measure": (
        "site_check（现场检查）、site_supervision（现场督办）、circular（警示通报）、enforcement（执法处罚）",
        "site_check, site_supervision, circular or enforcement",
    ),
    "clock_twice": ("删去其中一个", "remove one"),
    "working_hours": (
        '例如 hours = [{{ start = "08:30", end = "12:00" }}, {{ start = "14:00", end = "17:30" }}]',
        'such as hours = [{{ start = "08:30", end = "12:00" }}, {{ start = "14:00", end = "17:30" }}]',
    ),
    "not_utf8": ("在编辑器里另存为 UTF-8", "save it as UTF-8"),
    "no_match": ("路径从主配置文件所在的文件夹算起", "paths start at the folder of the main file"),
    "bad_glob": ("例如 contacts/*.toml", "such as contacts/*.toml"),
    "main_only": ("移到主配置文件，放在第一个 [表] 之前或其自己的 [表] 里", "move it to the main file"),
    "literal_secret": (
        '把密钥放进一个文件（chmod 600），这里写 "file:secrets/{name}"；或写 "env:FENGHUO_{upper}"',
        'put the secret into a file (chmod 600) and write "file:secrets/{name}" here, or "env:FENGHUO_{upper}"',
    ),
    "no_env": ("启动前设置它，或改写成 file:路径", "set it before the start, or write file:PATH"),
    "no_secret_file": ("路径从主配置文件所在的文件夹算起", "paths start at the folder of the main file"),
    "not_utf8_secret": ("用文本编辑器另存为 UTF-8", "save it as UTF-8 text"),
    "open_secret": ("chmod 600 {file}", "chmod 600 {file}"),
    "top_level": (
        "{name} 是顶层设置，要写在文件最前面、第一个 [表] 之前",
        "{name} is a setting of the file itself: write it before the first [table]",
    ),
    "quote": ('加上引号："{value}"', 'put it in quotes: "{value}"'),
    "brackets": ("加上方括号：[…]", "put it in brackets: […]"),
    "not_id": (
        "小写字母、数字、- 和 _，以字母或数字开头，最多 64 位",
        "lower-case letters, digits, - and _, starting with a letter or digit, at most 64",
    ),
    "pattern": ("{what}；须符合 {pattern}", "it must match {pattern}"),
    "not_duration": ("例如 30m、4h、2d", "such as 30m, 4h, 2d"),
    "not_time": ('例如 "08:00"（24 小时制）', 'such as "08:00" (24 hours)'),
    "not_date": ('例如 "2026-10-01"', 'such as "2026-10-01"'),
    "not_network": ("例如 10.1.2.0/24 或 10.1.2.3", "such as 10.1.2.0/24 or 10.1.2.3"),
    "not_http": ("例如 https://alarm.example.cn，不带 ? 和 #", "such as https://alarm.example.cn, without ? and #"),
    "not_address": ("例如 127.0.0.1 或 0.0.0.0", "such as 127.0.0.1 or 0.0.0.0"),
    "bad_path": (
        '例如 devId、labels.point、data[0].code、labels."a.b"；$. 开头从整个请求算起',
        'such as devId, labels.point, data[0].code, labels."a.b"; from the whole request with $.',
    ),
    "id_const": ('写出能区分事件的字段，例如 id = ["devId", "alarmTime"]', "name the fields that tell events apart"),
    "pick_format": (
        "写 epoch（秒）、epoch_ms（毫秒），或如 %Y-%m-%d %H:%M:%S",
        "epoch (seconds), epoch_ms, or such as %Y-%m-%d %H:%M:%S",
    ),
    "mapping_enterprise": (
        "写 enterprise（统一社会信用代码的字段，或固定值），至少写 enterprise_name",
        "write enterprise (the field with the 统一社会信用代码, or a const), at least enterprise_name",
    ),
    "mapping_grade": ("写出它的字段，或固定值", "name its field, or a const"),
    "stream_proof": (
        "删去它们；流的连接在 stream 里写 username、password",
        "remove them; a stream has username, password",
    ),
    "unknown_zone": ("例如 Asia/Shanghai", "such as Asia/Shanghai"),
    "not_store": (
        "redis://主机:端口、rediss://…、redis+sentinel://主机:端口,主机:端口/主名称 或 redis+cluster://主机:端口,…",
        "redis://host:port, rediss://…, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,…",
    ),
    "password_in_url": ("写在 username 和 password 里", "write username and password"),
    "twice": ("删去其中一处，或改名", "remove one, or give it another name"),
    "sample_name": ("给自己的规则另起一个名称", "give your rules a name of their own"),
    "people_and_roster": (
        "固定人员只写 people，轮班只写 roster",
        "people for those who always stand there, or a roster",
    ),
    "bad_day": ('写成 "2026-10-01" 这样的日期', 'a date such as "2026-10-01"'),
    "uscc_digit": (
        "校验位应为 {right}，完整代码为 {whole}；若不是，请核对前 17 位",
        "it should be {right}: {whole}; if that is not the code, look at the other 17",
    ),
    "uscc_zero": ("是不是数字 {digit}？", "perhaps the digit {digit}?"),
    "uscc_mark": ("只用数字和除 I O S V Z 以外的大写字母", "digits, and capital letters other than I O S V Z"),
    "no_address": ('address = "{example}"', 'address = "{example}"'),
    "bad_address": ("例如 {example}", "such as {example}"),
    "meant_number": ("是不是 {example}？号码里只写数字", "perhaps {example}: a number has digits only"),
    "needless_address": ("删去 address", "remove the address"),
    "not_hash": ("运行 fenghuo passwd，把它打印的一行写在这里", "write the line here that fenghuo passwd prints"),
    "costly_hash": ("运行 fenghuo passwd 重新生成", "make it anew with fenghuo passwd"),
    "weak_hash": ("运行 fenghuo passwd 重新生成", "make it anew with fenghuo passwd"),
    "account_no_post": ("加一个这样的 [[posts]]，或改 post、unit", "add such [[posts]], or change post or unit"),
    "account_elsewhere": ("改 unit，或把此人写进该单位的岗位", "change the unit, or put the person into a post there"),
    "looser_limit": ("写 {limit} 或更小", "write {limit} or less"),
    "no_rule": ("在规则里加一条，或把这一级别加进现有的一条", "add a rule, or the level to one that is there"),
    "no_tier": ("补上这一级的 [[units]] 和下级的 parent", "add the [[units]] of that tier, and the parent below it"),
    "empty_post": (
        '加一个 [[posts]]：unit = "{unit}"，role = "{role}"，people 里写有联系方式的人',
        'add [[posts]] with unit = "{unit}", role = "{role}" and people who have contacts',
    ),
    "fallback_empty": (
        '加一个 [[posts]]：unit = "{unit}"，role = "duty_room"，写上 contacts',
        'add [[posts]] with unit = "{unit}", role = "duty_room" and contacts',
    ),
    "maintainer_empty": (
        '加一个 [[posts]]：unit = "{unit}"，role = "maintainer"',
        'add [[posts]] with unit = "{unit}", role = "maintainer"',
    ),
    "group_of_others": (
        "另建一个只有本单位及其上级人员的群，或核对渠道的 readers",
        "make a group of this unit and those above it alone, or look at the channel's readers",
    ),
    "not_adopted": (
        '换成正式规则；确要采用示例规则，在文件开头写 adopt_sample = "{profile}"',
        'use rules of your own, or adopt these at the top of the file: adopt_sample = "{profile}"',
    ),
    "roster_gap": ("补上班次，或给岗位写值班电话的 contacts", "add shifts, or contacts of the room itself"),
    "no_contacts": (
        'contacts = [{{ channel = "…", address = "…" }}]',
        'contacts = [{{ channel = "…", address = "…" }}]',
    ),
    "only_called": ("再写一个文字渠道（短信、企业微信、群等）", "add a channel that is read"),
    "no_kind": ("可以写：{known}", "one of: {known}"),
    "restart": ("重启 fenghuo serve，或改回原值", "restart fenghuo serve, or write the old value again"),
}
