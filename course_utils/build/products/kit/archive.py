"""Zip archives with the same bytes for the same content: fixed order, times and permissions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

#: The earliest time that a zip can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of some files.

    Parameters
    ----------
    files : mapping of str to bytes
        Content by name within the archive.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files):
            archive.writestr(entry(name), files[name], compresslevel=9)
    return stream.getvalue()


def entry(name: str, *, executable: bool = False, stored: bool = False) -> zipfile.ZipInfo:
    """Return the head of one file of an archive.

    Parameters
    ----------
    name : str
        Name within the archive, with ``/``.
    executable : bool
        Whether it may be run where the file system knows of that.
    stored : bool
        Leave it uncompressed: it is compressed already.
    """
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, on every machine: the bits below are permissions
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    return info
