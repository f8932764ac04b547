"""Wheels made again of what is installed, so that a bundle can be tested where there is no network."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import canonicalize_name

_HERE = {str(tag) for tag in sys_tags()}
_OWN_TO_AN_INSTALLATION = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")


def wheels_of(names: set[str], into: Path) -> set[str]:
    """Write a wheel for each installed distribution of these names; the names that were found."""
    found: set[str] = set()
    for each in distributions():
        name = canonicalize_name(each.metadata["Name"])
        if name in names and name not in found:
            _pack(each, into)
            found.add(name)
    return found


def _pack(each: Distribution, into: Path) -> None:
    about = each.read_text("WHEEL") or ""
    # Any of its tags that this Python knows will do.
    tag = next(line[5:] for line in about.splitlines() if line.startswith("Tag: ") and line[5:] in _HERE)
    stem = f"{each.metadata['Name'].replace('-', '_').replace('.', '_')}-{each.version}"
    record: list[str] = []
    info = ""
    with zipfile.ZipFile(into / f"{stem}-{tag}.whl", "w") as wheel:
        for file in each.files or ():
            name = file.as_posix()
            if name.startswith("..") or name.endswith(".pyc") or file.name in _OWN_TO_AN_INSTALLATION:
                info = name.rpartition("/")[0] if file.name == "RECORD" else info
                continue
            path = Path(str(each.locate_file(file)))
            data = path.read_bytes()
            entry = zipfile.ZipInfo(name)
            entry.external_attr = path.stat().st_mode << 16
            wheel.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
        wheel.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
