"""What was parsed before: reading YAML or masters again costs more than most lessons compute.

The result is kept as one JSON file under ``.cache``. Its name holds the SHA-256 of the bytes that
were parsed, so a changed file is never answered with an old result. A disk that is full or
read-only only means that the text is parsed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course_utils.paths import home


def place_for(name: str, parts: Iterable[bytes]) -> Path | None:
    """Return where the result of parsing belongs; None if there is no place for it.

    Parameters
    ----------
    name : str
        What is parsed; a new result takes the place of earlier ones of the same name.
    parts : iterable of bytes
        Everything that the result depends on: texts, the parser's version, the layout.
    """
    root = home()
    if root is None:
        return None
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"\n%d\n" % len(part))
        digest.update(part)
    return root / ".cache" / f"{name}-{digest.hexdigest()}.json"


def recall(place: Path | None) -> Any:
    """Return what was kept, or None if nothing readable is there."""
    if place is None:
        return None
    try:
        return json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None


def keep(place: Path | None, parsed: Any) -> None:
    """Write a result aside, rename, and delete what was kept under the same name before.

    Parameters
    ----------
    place : pathlib.Path or None
        From :func:`place_for`.
    parsed : object
        The result; nothing is kept if JSON cannot hold it exactly.
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
        name = place.name.rpartition("-")[0]
        for other in place.parent.glob(f"{name}-*.json"):
            if other != place:
                other.unlink(missing_ok=True)
    except (OSError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
