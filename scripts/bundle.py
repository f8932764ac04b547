"""``make bundle``: everything that a machine without a network needs, in one archive.

It holds the wheels of the lock file for one minor version of Python on x86_64 and aarch64 (or the machines named), this
project's own wheel, an install script, the systemd unit, the manual and the checksums of all of it. Every wheel is held
against the hashes of ``requirements.lock`` when it is fetched; the install script holds it against the lock made of the
bundle itself.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parent.parent
MACHINES = ("x86_64", "aarch64")
GLIBC = (34, 31, 28, 27, 26, 24, 17, 12, 5)
"""Wheels for these versions of the C library run where it is newer; the newest here decides how old a system may be."""
_OLD = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


def platforms(machine: str) -> list[str]:
    """The tags of wheels that run on ``machine``, the newest first."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC]
    return tags + [f"{name}_{machine}" for name in _OLD.values()]


def fetch(machine: str, into: Path) -> None:
    """Download the wheels of the lock file for one machine. Raises CalledProcessError."""
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--only-binary=:all:"]
    command += ["--require-hashes", "--no-deps", "--implementation", "cp", "--python-version", MINOR]
    for tag in platforms(machine):
        command += ["--platform", tag]
    subprocess.run([*command, "-r", str(ROOT / "requirements.lock"), "-d", str(into)], check=True)


def digest(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock_of(wheels: Iterable[Path]) -> str:
    """A lock file of exactly these wheels."""
    lines: list[str] = []
    for wheel in sorted(wheels):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        lines.append(f"{name}=={version} --hash=sha256:{digest(wheel)}")
    return "\n".join(lines) + "\n"


def checksums(folder: Path) -> str:
    """Every file of the bundle, as ``sha256sum -c`` reads it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def fill(folder: Path, machines: Sequence[str], wheels: Path | None) -> None:
    """Everything but the archive. ``wheels`` is a folder of wheels for this machine, taken instead of a download."""
    for machine in machines:
        place = folder / "wheels" / machine
        place.mkdir(parents=True)
        if wheels is None:
            fetch(machine, place)
        else:
            for wheel in wheels.glob("*.whl"):
                shutil.copy(wheel, place)
        (folder / f"requirements-{machine}.lock").write_text(lock_of(place.glob("*.whl")), "utf-8")
    for built in WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]):
        print(f"built {Path(built).name}")
    script = (ROOT / "packaging" / "install.sh").read_text("utf-8")
    (folder / "install.sh").write_text(script.replace("@PYTHON@", MINOR), "utf-8")
    (folder / "install.sh").chmod(0o755)
    shutil.copy(ROOT / "packaging" / "fenghuo.service", folder)
    shutil.copy(ROOT / "config.example.toml", folder)
    shutil.copytree(ROOT / "docs", folder / "doc", ignore=shutil.ignore_patterns("images", "bench.md"))
    (folder / "SHA256SUMS").write_text(checksums(folder), "utf-8")


def pack(folder: Path, archive: Path) -> None:
    """The folder as one archive, owned by nobody in particular."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    with tarfile.open(archive, "w:gz", compresslevel=1) as out:
        out.add(folder, arcname=folder.name, filter=plain)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundle and print where it is."""
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__)
    parser.add_argument("--machine", action="append", choices=MACHINES, help="only for these machines")
    parser.add_argument("--wheels", type=Path, help="take the wheels from this folder, download nothing (one machine)")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="where the archive goes (default: dist)")
    options = parser.parse_args(arguments)
    machines = tuple(options.machine or MACHINES)
    if options.wheels is not None and len(machines) != 1:
        parser.error("--wheels holds the wheels of one machine: name it with --machine")
    options.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / f"fenghuo-py{MINOR}"
        folder.mkdir()
        fill(folder, machines, options.wheels)
        archive = options.into / f"{folder.name}-{'-'.join(machines)}.tar.gz"
        pack(folder, archive)
    print(archive)
    return 0


if __name__ == "__main__":
    sys.exit(main())
