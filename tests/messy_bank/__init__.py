"""A synthetic bank's tables as three kinds of systems export them, with faults planted in them.

``python -m tests.messy_bank coastal /tmp/out --adapter east5`` writes one set of files; the modules
are a pipeline: ``sample`` (a smaller bank) or ``invented`` (no bank at all) → ``identities`` (raw
identifiers) → ``systems`` (names, ways of writing, files) → ``planting`` (faults) → ``exports``.
``cases`` and ``whole`` take the files in and compare; ``strangers`` has data of other kinds.
"""
