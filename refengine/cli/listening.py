"""Where audit events are received: what the command line says of it, or else the configuration."""

from __future__ import annotations

from refengine.backends.target import Address
from refengine.cli.configuration import Configuration
from refengine.cli.options import Options


def audit_address(options: Options, configuration: Configuration) -> Address | None:
    """Return the address to listen at, None where nobody names one."""
    if options.listen is None:
        return configuration.audit_address
    return Address(
        options.listen,
        options.certificate,
        options.key,
        options.client_authority,
        requests_per_second=options.requests_per_second,
    )
