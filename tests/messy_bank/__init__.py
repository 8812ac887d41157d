"""A synthetic bank's tables as three kinds of systems export them, with faults planted in them.

``python -m tests.messy_bank coastal /tmp/out --adapter east5`` writes one set of files; the modules
are a pipeline: ``sample`` (a smaller bank) → ``identities`` (raw identifiers) → ``shapes`` (what a
column is called and how its values are written) → ``planting`` (faults) → ``writing`` (files).
"""
