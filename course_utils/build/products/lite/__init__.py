"""The class without installation: JupyterLab in the browser, served as plain files.

``sources.json`` pins what is fetched, ``fetch`` gets it, ``wheels`` packs what is ours,
``distribution`` puts Python for the browser together, ``site`` builds the pages, ``make`` does it
all for one bank, ``tryout`` runs every lesson in it.
"""
