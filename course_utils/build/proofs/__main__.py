"""`python -m course_utils.build.proofs`."""

import sys

from course_utils.build.proofs.command import main

sys.exit(main())
