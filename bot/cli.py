"""``fenghuo``: the commands. Exit codes: 0 done, 1 what was asked does not hold, 2 the question itself was wrong."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import uvloop
from redis.exceptions import RedisError

from bot import control
from bot.commands import rehearsals
from bot.commands.backups import backup_arguments, restore_arguments, run_backup, run_restore
from bot.commands.channels import run_channels, run_trial, trial_arguments
from bot.commands.check import run_check
from bot.commands.common import further_findings, loaded_or_exit, print_result, settings_or_running
from bot.commands.dead import dead_arguments, run_dead
from bot.commands.init import run_init
from bot.commands.passwd import run_passwd
from bot.commands.quarantine import quarantine_arguments, run_quarantine
from bot.commands.understand import run_understand, understand_arguments
from bot.hub import Hub
from bot.logs import configure
from bot.relay.first import Forked
from bot.rendering.engine import compiled
from bot.serving import CannotListen, serve
from bot.store.errors import StoreError
from bot.story import text_of
from bot.system_words import why

Run = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run its command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    run: Run = options.run
    try:
        return run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read this (`| head`) has seen enough; what is left unwritten must not fail at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (StoreError, control.NoAnswer, CannotListen, ValueError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f"{error.filename}：" if error.filename else ""
        print(f"{where}{' / '.join(dict.fromkeys(why(error)))}", file=sys.stderr)
    except RedisError as error:
        print(f"存储拒绝了命令：{error} / the store refused a command: {error}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Says of a mistyped command in Chinese, too, where to look."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"命令写法不对，用 {self.prog} -h 查看。\n{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fenghuo", description="烽火：安全生产报警通知中枢 / work-safety alarm hub")
    parser.add_argument("--version", action="version", version=f"fenghuo {version('fenghuo')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, help_text: str, run: Run, *, config: bool = True, as_json: bool = True
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text)
        made.set_defaults(run=run)
        if config:
            made.add_argument("--config", type=Path, default=Path("config.toml"), help="配置文件（默认 config.toml）")
        if as_json:
            made.add_argument("--json", action="store_true", help="以 JSON 输出（docs/schema/）")
        return made

    made = command(
        "init", "写出 config.toml 和新密钥 / write config.toml with fresh secrets", _init, config=False, as_json=False
    )
    made.add_argument("folder", type=Path, nargs="?", default=Path(), help="写到哪个文件夹（默认当前文件夹）")
    made.add_argument("--lang", choices=("zh", "en"), default="zh")
    made = command("check", "检查配置，一次列出所有问题 / check the configuration", _check)
    made.add_argument("--lang", choices=("zh", "en"), default="zh")
    made.add_argument(
        "--online", action="store_true", help="另外登录每个渠道的平台，不发送 / log in to every vendor, send nothing"
    )
    command("serve", "启动 / run the hub", _serve, as_json=False)
    made = command("demo", "演示：一面电话墙 / demonstration: a wall of phones", _demo, config=False, as_json=False)
    made.add_argument("--port", type=int, default=8080)
    made.add_argument("--folder", type=Path, default=Path("var/demo"))
    made.add_argument("--keep", action="store_true", help="保留上次演示的数据 / keep the last demonstration's data")
    command("passwd", "生成值班页账号的密码哈希 / hash a password for an account", _passwd, config=False, as_json=False)
    made = command("show", "一条警情的全过程，逐分钟 / the whole story of one incident", _show)
    made.add_argument("code", help="编号，如 A0231")
    made = command(
        "quarantine",
        "读不懂的事件：list、show、retry、drop / what could not be read",
        run_quarantine,
        config=False,
        as_json=False,
    )
    quarantine_arguments(made)
    command("verify", "核对台账哈希链 / check the journal's chain", _verify)
    made = command("backup", "备份存储、台账、锚点和配置 / save everything", run_backup)
    backup_arguments(made)
    made = command("restore", "从备份恢复并核对 / restore a backup and verify it", run_restore)
    restore_arguments(made)
    command("channels", "渠道的能力和状态 / what the channels can do, and how they fare", run_channels)
    made = command("send-test", "发一条测试消息并等结果 / send a test message and wait for its end", run_trial)
    trial_arguments(made)
    made = command("dead", "死信：查看、重发、了结 / dead letters", run_dead, config=False, as_json=False)
    dead_arguments(made)
    made = command("explain", "如果发生，谁在何时被通知 / who would be told, when, and why", rehearsals.run_explain)
    rehearsals.explain_arguments(made)
    made = command(
        "replay", "用一份事件文件完整演练 / run a file of events through the whole hub", rehearsals.run_replay
    )
    made.add_argument("file", type=Path, help="每行一个 CloudEvent 或答复")
    made.add_argument("--until", help="演练到什么时刻，如 2026-11-21T08:00")
    made = command("understand", "一条答复会被怎样理解 / how an answer would be read", run_understand, config=False)
    understand_arguments(made)
    command(
        "open-anyway",
        "确认当前存储就是正确的，恢复受理 / accept this store although the anchor disagrees",
        _open,
        as_json=False,
    )
    return parser


def _init(options: argparse.Namespace) -> int:
    return run_init(options.folder, options.lang)


def _check(options: argparse.Namespace) -> int:
    return run_check(options.config, options.lang, options.json, [further_findings], online=options.online)


def _serve(options: argparse.Namespace) -> int:
    loaded, settings = loaded_or_exit(options.config, servable=True)
    configure(settings.log)
    for problem in loaded.problems:
        logging.getLogger("fenghuo").warning("%s", problem.text(loaded.language))
    # Forked now, while there are neither threads nor a loop.
    first = _first_courier() if settings.hub.courier_process else None
    # The loop in C: the hub's work is many small round trips.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(serve(options.config, loaded, [further_findings], first))
    except (StoreError, CannotListen) as error:
        print(error.zh if loaded.language == "zh" else error.en, file=sys.stderr)
        return 2
    finally:
        if first is not None:
            first.close()


def _first_courier() -> Forked | None:
    """A process forked to send; None where there can be no other now: then one is started later, and the hub sends."""
    try:
        return Forked.begin(Hub.courier_module, compiled)
    except OSError as error:
        logging.getLogger("fenghuo").warning("no courier process could be forked: %s", error)
        return None


def _demo(options: argparse.Namespace) -> int:
    # The demonstration is imported here only: nothing of it is in reach of the other commands.
    from bot.commands.demo import run_demo

    return run_demo(options.folder, options.port, keep=options.keep)


def _passwd(_: argparse.Namespace) -> int:
    return run_passwd()


def _show(options: argparse.Namespace) -> int:
    settings = settings_or_running(options.config)
    story = asyncio.run(control.show(settings, options.code))
    if story is None:
        print(f"没有编号为 {options.code} 的警情 / there is no incident {options.code}", file=sys.stderr)
        return 1
    print_result(story, options.json, lambda: text_of(story))
    return 0


def _verify(options: argparse.Namespace) -> int:
    settings = settings_or_running(options.config)
    result = asyncio.run(control.verify(settings))
    print_result(result, options.json, result.text)
    return 0 if result.ok else 1


def _open(options: argparse.Namespace) -> int:
    settings = settings_or_running(options.config)
    found = asyncio.run(control.open_anyway(settings))
    if not found.zh:
        print("存储与锚点一致，无需确认。 / The store is as anchored; nothing to decide.")
        return 0
    print(f"此前的判断：{found.zh}\nfound before: {found.en}\n已确认，恢复受理。 / Accepted; intake opens.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
