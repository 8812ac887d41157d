"""The contract as it was parsed before: reading its YAML costs more than most lessons compute.

The parsed files are kept as one JSON file under ``.cache``. Its name holds the SHA-256 of the
YAML files' bytes, so a changed file is never answered with an old contract. A disk that is full or
read-only only means that the YAML is parsed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.paths import data_dir, home

#: Raise this when the layout of the kept file changes.
_FORMAT = 1


def place_for(folder: Path, sources: Mapping[str, bytes]) -> Path | None:
    """Return where the parsed files belong; None if there is no place for them.

    Parameters
    ----------
    folder : pathlib.Path
        Resolved folder of the contract; only the project's own is kept.
    sources : mapping of str to bytes
        File name → content.
    """
    root = home()
    if root is None or folder != data_dir("contract").resolve():
        return None
    digest = hashlib.sha256(f"format {_FORMAT}".encode("ascii"))
    for name in sorted(sources):
        digest.update(f"\n{name} {len(sources[name])}\n".encode())
        digest.update(sources[name])
    return root / ".cache" / f"contract-{digest.hexdigest()}.json"


def recall(place: Path | None) -> dict[str, Any] | None:
    """Return file name → parsed content, or None if nothing readable is there."""
    if place is None:
        return None
    try:
        parsed = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    return parsed if isinstance(parsed, dict) else None


def keep(place: Path | None, parsed: Mapping[str, Any]) -> None:
    """Write the parsed files aside, rename, and delete what was kept of earlier contracts.

    Parameters
    ----------
    place : pathlib.Path or None
        From :func:`place_for`.
    parsed : mapping of str to object
        File name → parsed content.
    """
    if place is None:
        return
    # several machines may share the folder, and containers have equal process ids
    aside = place.with_name(f".{place.name}.{secrets.token_hex(8)}.part")
    try:
        text = json.dumps(parsed, ensure_ascii=False)
        if json.loads(text) != parsed:  # YAML knows keys that JSON would turn into text
            return
        place.parent.mkdir(exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(place)
        for other in place.parent.glob("contract-*.json"):
            if other != place:
                other.unlink(missing_ok=True)
    except (OSError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
