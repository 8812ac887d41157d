"""The environment that seats run in: readable for them, without the project's own code.

The hub's environment holds the package in source form (planted effects included) and may lie where
seats cannot go, such as below ``/root``. So a class has its own: the same libraries as hard links
(or copies), the same Python, and the package from the wheel of the trainee kit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import sysconfig
import zipfile
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import explain_os_errors, fresh_folder, write_text

#: Not for seats: the package in source form, and tools of the instructor's machine.
_LEFT_OUT = ("course_utils", "__editable__", "playwright", "sphinx", "a1_coverage", "jupyterlite")
#: Parts of a Python installation that no lesson uses.
_NOT_NEEDED = ("test", "idlelib", "turtledemo", "ensurepip", "site-packages", "lib2to3")


def make_environment(folder: Path, wheel: Path) -> bool:
    """Make ``<folder>/env`` from the running environment and the kit's wheel.

    Parameters
    ----------
    folder : pathlib.Path
        The class folder.
    wheel : pathlib.Path
        The trainee's wheel of course_utils.

    Returns
    -------
    bool
        False if the environment was there already and nothing had changed.
    """
    stamp = _stamp(wheel)
    ready = folder / "env" / "ready"
    if ready.is_file() and ready.read_text(encoding="utf-8") == stamp:
        return False
    python = Path(sys.base_prefix)
    if not open_to_all(python):
        python = _copy_python(folder / "python")
    with fresh_folder(folder / "env") as aside, explain_os_errors(folder):
        aside.chmod(0o755)
        link_tree(Path(sys.prefix) / "share" / "jupyter", aside / "share" / "jupyter")
        # extensions of the class in the browser do not work in a JupyterLab with a server
        shutil.rmtree(aside / "share/jupyter/labextensions/@jupyterlite", ignore_errors=True)
        link_tree(Path(sys.prefix) / "etc" / "jupyter", aside / "etc" / "jupyter")
        packages = aside / "lib" / _version_folder() / "site-packages"
        link_tree(Path(sysconfig.get_path("purelib")), packages, top=True)
        _unpack(wheel, packages)
        (aside / "bin").mkdir()
        (aside / "bin" / "python").symlink_to(python / "bin" / f"python{sys.version_info[0]}")
        write_text(aside / "pyvenv.cfg", f"home = {python / 'bin'}\n")
        write_text(aside / "ready", stamp)
    return True


def library_path(folder: Path) -> str | None:
    """Return where a copied Python finds its own shared library, if it was copied."""
    copied = folder / "python" / "lib"
    return str(copied) if any(copied.glob("libpython*.so*")) else None


def open_to_all(path: Path) -> bool:
    """Return whether a user without any rights can go to a folder or read a file.

    Only the permission bits for others count; access lists are not looked at.
    """
    path = path.resolve()
    need = stat.S_IXOTH | stat.S_IROTH if path.is_dir() else stat.S_IROTH
    try:
        if path.stat().st_mode & need != need:
            return False
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
    except PermissionError:
        return False


def _stamp(wheel: Path) -> str:
    """Return what tells one environment from another: Python, libraries, the package."""
    packages = Path(sysconfig.get_path("purelib"))
    names = sorted(path.name for path in packages.glob("*.dist-info"))
    digest = hashlib.sha256("\n".join((sys.version, sys.base_prefix, *names)).encode())
    digest.update(wheel.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _version_folder() -> str:
    return f"python{sys.version_info[0]}.{sys.version_info[1]}"


def _copy_python(target: Path) -> Path:
    """Copy interpreter and standard library to where seats can read them."""
    source = Path(sys.base_prefix)
    name = _version_folder()
    with fresh_folder(target) as aside, explain_os_errors(target):
        aside.chmod(0o755)
        (aside / "bin").mkdir()
        shutil.copy2(Path(sys._base_executable).resolve(), aside / "bin" / name)
        (aside / "bin" / "python3").symlink_to(name)
        link_tree(source / "lib" / name, aside / "lib" / name, top=True)
        for library in source.glob("lib/libpython*.so*"):
            shutil.copy2(library, aside / "lib" / library.name)
    return target


def link_tree(source: Path, target: Path, *, top: bool = False) -> None:
    """Copy a tree by hard links where that works and others may read the files."""
    if not source.is_dir():
        return

    def left_out(folder: str, names: list[str]) -> set[str]:
        if not top or Path(folder) != source:
            return set()
        return {n for n in names if n.startswith(_LEFT_OUT) or n in _NOT_NEEDED}

    shutil.copytree(source, target, ignore=left_out, copy_function=_link, symlinks=True)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        if not folder.is_symlink():
            folder.chmod(0o755)


def _link(source: str, target: str) -> str:
    """Link one file, or copy it with the right to read for all."""
    mode = Path(source).stat().st_mode
    if mode & stat.S_IROTH and not mode & stat.S_IWOTH:
        try:
            os.link(source, target)
        except OSError:
            pass  # another disk, or a file system without hard links
        else:
            return target
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    return target


def _unpack(wheel: Path, packages: Path) -> None:
    """Install a pure wheel: it is an archive of what goes to site-packages."""
    if not wheel.name.endswith("-none-any.whl"):
        raise CourseError(f"“{wheel.name}”不是课程的程序包，请重新运行 course build。")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
