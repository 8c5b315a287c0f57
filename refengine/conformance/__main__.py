"""`python -m refengine.conformance` is `refengine conformance`."""

import sys

from refengine.conformance.main import main

sys.exit(main())
