"""The same build for many banks, on the workers of a Dask cluster.

Every worker sees the same project folder (one machine, NFS, a Kubernetes volume) and files what it
makes there, as a build on one machine does; over the network go tasks and short answers only.
`workshop` and `steps` are what runs on a worker, `connection` is the client's side, `fleet` builds
the banks and `report` says how it went. Dask distributed is an extra (``course-utils[cluster]``):
only `connection` and `workshop` import it.
"""

from course_utils.errors import CourseError


def require_distributed() -> None:
    """Say in Chinese what to install if Dask distributed is missing.

    Raises
    ------
    CourseError
        If it is.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise CourseError(
            "多家银行一起构建要用 Dask（distributed），这里还没有安装："
            '请运行 make env，或 pip install "course-utils[cluster]"，再重新运行。'
        ) from None
