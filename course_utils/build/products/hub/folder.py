"""The class folder: the kit and the environment of the seats, the hub's own files."""

from __future__ import annotations

import hashlib
import shutil
import stat
import sys
from pathlib import Path

from course_utils.build.products.hub.environment import link_tree, make_environment, open_to_all
from course_utils.build.products.hub.settings import HubSettings
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors, fresh_folder, write_text

#: Free space that a class needs: environment and kit, and the work of one seat, in MiB.
CLASS_MIB, SEAT_MIB = 2500, 60
_FONT = Path(__file__).resolve().parents[3] / "charts" / "font" / "CourseSansSC.otf"


def prepare(settings: HubSettings, root: Path) -> None:
    """Bring the class folder up to date; homes and the hub's own files stay.

    Parameters
    ----------
    settings : HubSettings
        The class.
    root : pathlib.Path
        The project: kits below ``build``, configuration below ``deploy``.
    """
    source = kit_of(root, settings.bank)
    with explain_os_errors(settings.folder):
        _copy_kit(source, settings)
        make_environment(settings.folder, _wheel(source))
        with fresh_folder(settings.folder / "settings") as aside:
            aside.chmod(0o755)
            for name in ("seat_config.py", "overrides.json"):
                shutil.copyfile(deploy_folder() / name, aside / name)
        _share(settings)


def deploy_folder() -> Path:
    """Return ``deploy/jupyterhub`` of the checkout that this package runs from."""
    folder = Path(__file__).resolve().parents[4] / "deploy" / "jupyterhub"
    if not folder.is_dir():
        raise CourseError(
            "这份安装里没有 deploy/jupyterhub：请在课程的项目文件夹里运行 course hub。"
        )
    return folder


def kit_of(root: Path, bank: str) -> Path:
    """Return the bank's trainee kit.

    Raises
    ------
    CourseError
        If the course was not built for this bank.
    """
    kit = root / "build" / bank / "trainee"
    if not (kit / "notebooks").is_dir():
        raise CourseError(f"还没有 {bank} 的学员包：请先运行 course build --bank {bank}。")
    return kit


def require_room(folder: Path, seats: int) -> None:
    """Refuse a class for which the disk is too small."""
    near = next(path for path in (folder, *folder.parents) if path.exists())
    need = (CLASS_MIB if not (folder / "env").exists() else 200) + seats * SEAT_MIB
    free = shutil.disk_usage(near).free // 2**20
    if free < need:
        raise CourseError(
            f"“{folder}”所在的磁盘只剩 {free} MiB，{seats} 个座位约需 {need} MiB："
            "请腾出空间，或用 --folder 换一个磁盘。"
        )


def require_way(folder: Path) -> None:
    """Refuse a class folder that seats could not reach."""
    for parent in reversed(folder.parents):
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            raise CourseError(
                f"座位用户进不了“{parent}”，课堂文件夹不能放在它下面：请用 --folder 换一个位置，"
                "如 /var/lib/course。"
            )


def close_project(root: Path) -> bool:
    """Close the project to other users: it holds solutions, planted truth, hidden outcomes.

    Returns
    -------
    bool
        False if it was closed already.
    """
    if not open_to_all(root) and not root.stat().st_mode & stat.S_IXOTH:
        return False
    with explain_os_errors(root):
        root.chmod(root.stat().st_mode & ~stat.S_IRWXO)
    return True


def _copy_kit(source: Path, settings: HubSettings) -> None:
    stamp = _listing(source)
    note = settings.private / "kit.stamp"
    if settings.kit.is_dir() and note.is_file() and note.read_text(encoding="utf-8") == stamp:
        return
    with fresh_folder(settings.kit) as aside:
        shutil.copytree(source, aside, dirs_exist_ok=True, copy_function=_copy)
        for path in (aside, *aside.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    write_text(note, stamp)


def _copy(source: str, target: str) -> str:
    return str(shutil.copyfile(source, target))


def _listing(folder: Path) -> str:
    """Return a hash of names, sizes and times of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        about = path.stat()
        digest.update(f"{path.relative_to(folder)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _wheel(kit: Path) -> Path:
    wheels = sorted((kit / "wheels").glob("course_utils-*.whl"))
    if not wheels:
        raise CourseError(f"“{kit}”里没有程序包，请重新运行 course build。")
    return wheels[-1]


def _share(settings: HubSettings) -> None:
    """Lay JupyterHub's own pages and scripts beside our font; the hub serves from here."""
    original = Path(sys.prefix) / "share" / "jupyterhub"
    if not original.is_dir():
        raise CourseError("没有装 JupyterHub 的网页文件：请用 make env 重新安装讲师环境。")
    with fresh_folder(settings.private / "share") as aside:
        (aside / "templates").symlink_to(original / "templates")
        static = aside / "static"
        link_tree(original / "static", static)
        shutil.copyfile(_FONT, static / "CourseSansSC.otf")
        shutil.copyfile(deploy_folder() / "class.css", static / "class.css")
