"""What a configuration says of Falco's plugin for audit events: where they are received."""

from __future__ import annotations

from pathlib import Path

from refengine.backends.target import BODY_LIMIT, Address
from refengine.cli.document import Document
from refengine.cli.plugin_settings import plugin_section, settings_of
from refengine.errors import UsageError

_NAME = "k8saudit"
_RATE = "webhookMaxRequestsPerSecond"
"""A setting that Falco's plugin has not got."""

_SCHEMES = ("http://", "https://")


def plugin_address(document: Document) -> Address | None:
    """Return where the plugin is to listen, None where it is not loaded.

    :raises UsageError: when it is loaded and does not say where, or says something else.
    """
    if _NAME not in document.texts("load_plugins"):
        return None
    section = plugin_section(document, _NAME)
    if section is None:
        raise UsageError(f"configuration key 'load_plugins' names {_NAME}, which 'plugins' says nothing of")
    return _address(section)


def _address(section: Document) -> Address:
    url = section.text("open_params")
    if not url.startswith(_SCHEMES):
        raise UsageError(
            f"configuration key 'plugins[].open_params' of {_NAME} must be an address, not '{url}': "
            "files are read with -e"
        )
    settings = settings_of(section)
    certificate = Path(settings.text("sslCertificate") or "/etc/falco/falco.pem")
    limit = _number(settings, "webhookMaxBatchSize", "bytes")
    return Address(
        url,
        certificate if url.startswith("https://") else None,
        body_limit=limit or BODY_LIMIT,
        requests_per_second=_number(settings, _RATE, "requests"),
    )


def _number(settings: Document, name: str, unit: str) -> int | None:
    text = settings.text(name)
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"{name} of {_NAME} must be a number of {unit} above zero, not '{text}'")
    return int(text) if text else None
