"""`python -m course_utils.desk`, and `python <wheel>/course_utils/desk` before it is installed."""

import sys
from pathlib import Path

if not __package__:  # run out of the wheel, which is not on the path then
    sys.path.insert(0, str(Path(__file__).absolute().parents[2]))

from course_utils.desk.main import main

sys.exit(main())
