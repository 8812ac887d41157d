"""What was made on demand before the last build and may not say any more what the lessons say."""

from __future__ import annotations

from pathlib import Path

#: Command → the files that show when it last ran, and the build's product it is made of.
ON_DEMAND = {
    "course lite": (".records/lite.json", "trainee"),
    "course kit": ("kit/*.zip", "trainee"),
    "course handouts": ("handouts/*/*.pdf", "pages"),
    "course board": ("board/index.html", "pages"),
}


def outdated_commands(folder: Path) -> list[str]:
    """Return the commands whose product is older than what it was made of.

    Parameters
    ----------
    folder : pathlib.Path
        ``build/<bank>``; pages and kit have just been finished.
    """
    found = []
    for command, (pattern, source) in ON_DEMAND.items():
        stamp = folder / ".records" / f"{source}.stamp"
        made = [path.stat().st_mtime for path in folder.glob(pattern)]
        if made and stamp.is_file() and max(made) < stamp.stat().st_mtime:
            found.append(command)
    return found
