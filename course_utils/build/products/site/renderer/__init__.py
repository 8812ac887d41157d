"""How pages are made from their sources: Sphinx, its settings and our extension of it."""
