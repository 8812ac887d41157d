"""Kernels forked from one process that has imported the libraries already.

`zygote` is that process, `nursery` its owner's side, `provisioner` and `manager` are how
jupyter_client gets to it. Nothing here is used outside a build: a trainee's kernel is ordinary.
"""
