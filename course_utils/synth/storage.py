"""Write a synthetic bank to Parquet: all or nothing, the same bytes for the same profile."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import __version__
from course_utils.bank import parquet
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.files import fresh_folder
from course_utils.paths import data_dir, warehouse_dir
from course_utils.synth.pipeline import Progress, generate

if TYPE_CHECKING:
    from course_utils.bank import Profile
    from course_utils.synth.state import Simulation

MANIFEST = "manifest.json"


def is_current(profile: Profile, effects: str = "on") -> bool:
    """Say whether the bank's tables on disk are those that this profile would give now."""
    path = warehouse_dir(profile.code) / MANIFEST
    if not path.is_file():
        return False
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    expected = _identity(profile) | {"effects": effects}
    if any(manifest.get(key) != value for key, value in expected.items()):
        return False
    folder = path.parent
    return all((folder / f"{name}.parquet").is_file() for name in manifest.get("rows", {}))


def write_bank(
    profile: Profile, effects: str = "on", progress: Progress | None = None
) -> dict[str, Any]:
    """Generate a bank and write it to ``data/warehouse/<bank>``.

    The folder appears complete or not at all: tables are written into a folder beside it, which
    then takes its place.

    Parameters
    ----------
    profile : Profile
        The bank.
    effects : {"on", "off"}
        Whether causal effects are planted.
    progress : callable, optional
        Called as ``progress(label, done, total)``.

    Returns
    -------
    dict
        The manifest: identity of the profile, versions, row counts.

    Raises
    ------
    CourseError
        If the bank is a real one, the profile is wrong, or the disk cannot be written.
    """
    from course_utils.synth.recovery import truth

    if profile.is_real:
        raise CourseError(f"“{profile.name}”是真实银行，不能用合成数据覆盖它。")
    sim = generate(profile, effects=effects, progress=progress)
    truth.fill(sim)
    with fresh_folder(warehouse_dir(profile.code)) as aside:
        manifest = _identity(profile) | {"effects": effects, "rows": write_tables(sim, aside)}
        _write_json(aside / "truth.json", sim.truth)
        _write_json(aside / MANIFEST, manifest)
    return manifest


def write_tables(sim: Simulation, folder: Path) -> dict[str, int]:
    """Write all tables of a simulation as Parquet files and return their row counts.

    One thread, rows in key order, fixed compression: the same tables give the same bytes.
    """
    import duckdb

    contract = load_contract()
    rows: dict[str, int] = {}
    with duckdb.connect(config={"threads": 1}) as connection:
        for name in sorted(sim.tables):
            frame = sim.tables[name]
            connection.register("frame", frame)
            path = folder / f"{name}.parquet"
            parquet.write(connection, "frame", contract.table(name), frame, path)
            connection.unregister("frame")
            rows[name] = len(frame)
    return rows


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Turn NumPy and pandas values into what JSON can hold."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} to JSON")


def _identity(profile: Profile) -> dict[str, str]:
    return {
        "profile": profile_hash(profile),
        "contract": load_contract().version,
        "package": __version__,
        "generator": _generator_hash(),
    }


def profile_hash(profile: Profile) -> str:
    """Return a hash of everything in the profile that shapes the generated bank."""
    content = {
        "code": profile.code,
        "as_of": profile.as_of.isoformat(),
        "seed": profile.seed,
        "persons": profile.persons,
        "world": profile.world,
        "effects": profile.effects,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _generator_hash() -> str:
    """Hash the generators and the public tables they read, so that a change is noticed."""
    here = Path(__file__).resolve().parent
    files = [path for path in here.rglob("*.py") if "recovery" not in path.parts]
    files += data_dir("reference").glob("*.csv")
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda p: p.name + str(p.parent.name)):
        digest.update(path.name.encode("utf-8"))
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
