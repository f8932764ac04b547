"""What is installed and what is shipped: the lock files hold every dependency, and the wheel holds what runs."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^\\]+)?(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$"
)


def pins(lock: str) -> dict[str, str]:
    """Every entry of a lock file, name to version; an entry of any other form than a hashed pin is an error."""
    found = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8").strip()):
        pin = PIN.match(entry)
        assert pin, f"{lock}: not a pin with hashes: {entry!r}"
        found[pin["name"]] = pin["version"]
    return found


def declared(*groups: str) -> list[Requirement]:
    """The requirements of the project itself and of the named dependency groups, without the groups they include."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = list(config["project"]["dependencies"])
    for group in groups:
        lines += [line for line in config["dependency-groups"][group] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ("build",)), (LOCKS[1], ("build", "dev"))])
def test_a_lock_file_pins_a_version_that_satisfies_every_declared_requirement(
    lock: str, groups: tuple[str, ...]
) -> None:
    pinned = pins(lock)
    stale = [
        str(need) for need in declared(*groups) if pinned.get(canonicalize_name(need.name), "") not in need.specifier
    ]
    assert not stale, f"{lock} is behind pyproject.toml: run `make lock`"


def test_the_tests_run_with_the_versions_that_are_installed_for_use() -> None:
    assert pins(LOCKS[0]).items() <= pins(LOCKS[1]).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert not re.findall(r"://|--(?:extra-)?index-url|--find-links|#", text)


def test_the_wheel_holds_the_rooms_the_templates_and_the_licence_and_no_tests(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        names = set(wheel.namelist())

    rooms = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert rooms == {"bot", "channels", "escalation", "templates"}
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert on_disk <= names
    assert "fenghuo-0.1.0.dist-info/licenses/LICENSE" in names
