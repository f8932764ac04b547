"""``fenghuo passwd``: the hash of a password, for an account's ``password_hash``."""

from __future__ import annotations

import getpass
import sys

from bot.passwords import LEAST_LENGTH, MOST_LENGTH, hashed


def run_passwd() -> int:
    """Read a password twice from the terminal, unseen, and print its hash alone on standard output.

    Returns 0; 1 where the two differ or the password is too short or too long; 2 without a terminal. The password is
    never taken from the command line or a pipe, where others could read it.
    """
    if not sys.stdin.isatty():
        print("请在终端里运行：密码不从管道或命令行读取 / run this in a terminal", file=sys.stderr)
        return 2
    first = getpass.getpass("密码 / password: ")
    if not LEAST_LENGTH <= len(first) <= MOST_LENGTH:
        print(
            f"密码应为 {LEAST_LENGTH} 到 {MOST_LENGTH} 个字符 / {LEAST_LENGTH} to {MOST_LENGTH} characters",
            file=sys.stderr,
        )
        return 1
    if getpass.getpass("再输一次 / once more: ") != first:
        print("两次输入不一样 / the two differ", file=sys.stderr)
        return 1
    print(hashed(first))
    print("把上面一行写成该账号的 password_hash / write this line as the account's password_hash", file=sys.stderr)
    return 0
