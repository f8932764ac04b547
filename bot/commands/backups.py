"""``fenghuo backup`` and ``fenghuo restore``."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from pathlib import Path

from bot.backup import Backup, NoBackup, back_up, read_list
from bot.clock import WallClock
from bot.commands.common import loaded_or_exit, print_result
from bot.restore import Restored, open_restored, restore_config, restore_data
from bot.store.anchor import Anchor
from bot.store.snapshot import RestlessStoreError


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``backup``."""
    parser.add_argument("target", type=Path, help="备份到哪个新文件夹")
    parser.add_argument("--secrets", action="store_true", help="连同密钥文件 / with the files of secrets")


def restore_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``restore``."""
    parser.add_argument("source", type=Path, help="备份所在的文件夹")
    parser.add_argument("--anchor", type=Path, help="备份之后另存的 anchor.json，用来指出缺了什么")


def run_backup(options: argparse.Namespace) -> int:
    """Save everything; 1 where it could not be saved."""
    loaded, settings = loaded_or_exit(options.config)
    try:
        made = back_up(options.config, loaded, settings, options.target, secrets=options.secrets)
    except (NoBackup, RestlessStoreError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print_result(made, options.json, lambda: saved(made, options.target))
    return 0


def saved(made: Backup, target: Path) -> str:
    """For a terminal, in Chinese."""
    size = sum(kept.size for kept in made.files)
    lines = [f"已备份到 {target}：{len(made.files)} 个文件，{size / 1e6:.1f} MB，台账 {made.rows} 条已锚定。"]
    if made.left_out:
        lines.append("没有包括（请另行保管）：" + "、".join(made.left_out))
    return "\n".join(lines)


def run_restore(options: argparse.Namespace) -> int:
    """Restore configuration (where there is none) and data, and say what came back; 1 where it is not whole."""
    try:
        backup = read_list(options.source)
        if restore_config(options.source, backup, options.config):
            print(f"已恢复配置 {options.config}；其中引用的密钥若不在备份里，请先补上。", file=sys.stderr)
        _, settings = loaded_or_exit(options.config)
        later = _anchor(options.anchor)
        restore_data(options.source, backup, settings, later)
        found = asyncio.run(open_restored(settings, backup, WallClock(), getpass.getuser()))
    except NoBackup as error:
        print(error, file=sys.stderr)
        return 1
    print_result(found, options.json, lambda: told(found))
    return 0 if found.ok else 1


def _anchor(path: Path | None) -> Anchor | None:
    if path is None:
        return None
    found = Anchor.load(path)
    if found is None:
        raise NoBackup(f"没有文件 {path} / there is no file {path}")
    return found


def told(found: Restored) -> str:
    """For a terminal, in Chinese."""
    lines = [f"已恢复到 {found.data}：备份于 {found.made_at}，台账 {found.rows} 条，未关闭的警情 {found.open} 条。"]
    lines.append("台账哈希链无误。" if found.ok else found.fault)
    lines += [f"分区 {each.partition}：后来锚定到第 {each.anchored} 条，现有 {each.found} 条" for each in found.lost]
    lines.append(f"{found.made_at} 以后的事件、答复和签收都不在了：请与上游系统核对，再启动 fenghuo serve。")
    return "\n".join(lines)
