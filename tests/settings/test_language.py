"""``hub.language`` decides in which language ``serve`` speaks to the administrator, also of a wrong configuration."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import main
from bot.commands.common import loaded_or_exit
from bot.demo.county import Addresses
from bot.logs import configure
from bot.schedule import Schedule
from bot.settings.operation import Log
from tests.county import secrets_of, write_county
from tests.ports import free_port

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def config_in(folder: Path, language: str, port: int) -> Path:
    addresses = Addresses(
        public_url="http://127.0.0.1:8080",
        port=port,
        sms_url="http://127.0.0.1:9/",
        smtp_port=9,
        wecom_url="http://127.0.0.1:9",
        upstream_url="http://127.0.0.1:9/hook",
    )
    config = write_county(folder, addresses, secrets_of()).config
    text = config.read_text("utf-8")
    assert 'language = "' not in text
    config.write_text(text.replace("[hub]\n", f'[hub]\nlanguage = "{language}"\n'), "utf-8")
    return config


@pytest.mark.parametrize(("language", "words"), [("zh", "配置不可用"), ("en", "The configuration is not usable")])
def test_a_wrong_configuration_is_told_in_the_language_it_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    config = config_in(tmp_path, language, 8080)
    text = config.read_text("utf-8")
    config.write_text(text.replace('people = ["bai"', 'people = ["nobody"'), "utf-8")
    with pytest.raises(SystemExit):
        loaded_or_exit(config, servable=True)
    said = capsys.readouterr().err
    assert "nobody" in said
    assert words in said
    assert ("错误" in said, "error" in said) == (language == "zh", language == "en")


@pytest.mark.parametrize(("language", "words"), [("zh", "无法监听"), ("en", "cannot listen on")])
def test_a_start_that_fails_is_told_in_one_language(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        config = config_in(tmp_path, language, taken.getsockname()[1])
        assert main(["serve", "--config", str(config)]) == 2
    (line,) = [each for each in capfd.readouterr().err.splitlines() if words in each]
    assert bool(CHINESE.search(line)) is (language == "zh")


@pytest.fixture
def root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("root_as_before")
def test_the_schedulers_chatter_stays_out_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async def leads() -> bool:
        return True

    async def job() -> None:
        logging.getLogger("bot.schedule").info("the job ran")
        ran.set()

    async def one_run() -> None:
        schedule = Schedule(leads)
        schedule.every(1, "often", job)
        schedule.start()
        await ran.wait()
        schedule.stop()

    ran = asyncio.Event()
    configure(Log())
    asyncio.run(one_run())
    said = capsys.readouterr().err
    assert "the job ran" in said
    assert "apscheduler" not in said
