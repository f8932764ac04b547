"""``fenghuo demo``: the demonstration on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from bot.demo.demo import CannotStart, Demo, running


def run_demo(folder: Path = Path("var/demo"), port: int = 8080, *, keep: bool = False) -> int:
    """Run the demo on 127.0.0.1:``port`` with its data in ``folder``, wiped first unless ``keep``.

    Returns 0 after Ctrl-C or SIGTERM, 1 where it could not start or ended by itself.
    """
    try:
        return asyncio.run(_demo(folder, port, keep=keep))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1


async def _demo(folder: Path, port: int, *, keep: bool) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running(folder, port, keep=keep) as demo:
        print(welcome(demo), flush=True)
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({waiting, demo.work}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if demo.work.done() and not stopped.is_set():
            print(f"演示意外停止 / the demo ended by itself: {demo.work.exception()!r}", file=sys.stderr)
            return 1
        print("正在停止 / stopping …", flush=True)
    return 0


def welcome(demo: Demo) -> str:
    """What to open and what to try, in a few lines."""
    body = (
        '{"specversion":"1.0","id":"try-\'$(date +%s)\'","source":"/try","type":"alarm.raised",'
        '"time":"\'$(date -Iseconds)\'","data":{"enterprise":{"uscc":"91000000DEM0000019"},'
        '"point":{"code":"DC01-T01"},"alarm":{"severity":"high_high","value":97.2,"limit":95}}}'
    )
    return f"""
烽火演示已启动（模拟的区县、模拟的短信和群机器人，不会发出任何真实消息）
The Fenghuo demo is running (an invented county, simulated vendors; nothing leaves this machine)

  打开 open    {demo.url}/demo
  值班页 duty {demo.url}/duty
               账号 account qinghe-duty（区县）、hedong-officer（镇）、mingmu（企业），密码 password {demo.password}
  试试 try     点“报警”，看哪些手机响；在白木匠的手机上点“签收”；或点“+5 分钟”，看没人签收会怎样
               “出状况”里有报警风暴、夜里无人值班、短信网关停机、群机器人限流；最下面是陌生人的手机
               Press 报警 and see which phones ring; answer 签收 on one, or let time pass and see who is told next

  报一条警 / post an alarm yourself:

curl {demo.url}/events/demo -H "Authorization: Bearer $(cat {demo.folder}/secrets/source-demo)" \\
  -H 'Content-Type: application/json' -d '{body}'

  Ctrl-C 停止 to stop
"""
