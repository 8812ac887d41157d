"""The trainee's desk: installs a kit on a laptop without a network and opens JupyterLab in Chinese.

``start.bat`` and ``start.sh`` run this room out of the trainee's wheel before anything is installed
(``python …whl/course_utils/desk``), so all of it but `contents` needs the standard library alone.
"""
