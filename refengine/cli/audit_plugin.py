"""What a configuration says of Falco's plugin for audit events: where they are received."""

from __future__ import annotations

from pathlib import Path

from refengine.backends.target import Address
from refengine.cli.document import Document
from refengine.cli.plugin_settings import plugin_section, settings_of
from refengine.errors import UsageError

_NAME = "k8saudit"
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
    limit = settings.text("webhookMaxBatchSize")
    if limit and not (limit.isascii() and limit.isdigit() and int(limit)):
        raise UsageError(
            f"webhookMaxBatchSize of {_NAME} must be a number of bytes above zero, not '{limit}'"
        )
    certificate = Path(settings.text("sslCertificate") or "/etc/falco/falco.pem")
    secure = url.startswith("https://")
    address = Address(url, certificate if secure else None)
    return address if not limit else Address(url, address.certificate, body_limit=int(limit))
