"""All scenarios."""

from __future__ import annotations

from tests.backends.scenarios.files import FILES
from tests.backends.scenarios.network import NETWORK
from tests.backends.scenarios.privileges import PRIVILEGES
from tests.backends.scenarios.programs import PROGRAMS

SCENARIOS = (*FILES, *PROGRAMS, *NETWORK, *PRIVILEGES)
"""The scenarios, those of one kind together."""
