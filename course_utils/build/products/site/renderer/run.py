"""Run Sphinx on a folder of sources; a process of its own, so that its state goes with it.

``python -m course_utils.build.products.site.renderer.run job.json``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def render(job: dict[str, Any]) -> int:
    """Make the pages of one site.

    Parameters
    ----------
    job : dict
        ``sources``, ``pages``, ``doctrees`` and ``log`` are paths, ``settings`` goes to Sphinx;
        with ``all`` every page is written, also those of sources that have not changed.

    Returns
    -------
    int
        0, or 1 if Sphinx gave up; ``log`` says why.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    with Path(job["log"]).open("w", encoding="utf-8") as log, patch_docutils():
        with docutils_namespace():
            app = Sphinx(
                srcdir=job["sources"],
                confdir=None,
                outdir=job["pages"],
                doctreedir=job["doctrees"],
                buildername="html",
                confoverrides=job["settings"],
                status=None,
                warning=log,
            )
            app.build(force_all=job["all"])
        return app.statuscode


if __name__ == "__main__":
    sys.exit(render(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
