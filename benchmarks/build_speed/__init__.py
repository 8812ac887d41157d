"""What a build costs against plain papermill, nbconvert and nbmake, and how the cost grows.

``python -m benchmarks.build_speed`` measures everything in one run on scratch copies, prints a
verdict for each target, and writes ``benchmarks/results/build_speed.json`` and its part of
``docs/performance.md``.
"""
