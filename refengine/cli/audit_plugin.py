"""What a configuration says of Falco's plugin for audit events: where they are received."""

from __future__ import annotations

import json
from pathlib import Path

from refengine.backends.target import Address
from refengine.cli.document import Document, Node
from refengine.errors import UsageError

_NAME = "k8saudit"
_SCHEMES = ("http://", "https://")


def plugin_address(document: Document) -> Address | None:
    """Return where the plugin is to listen, None where it is not loaded.

    :raises UsageError: when it is loaded and does not say where, or says something else.
    """
    if _NAME not in document.texts("load_plugins"):
        return None
    for section in document.sections("plugins"):
        if section.text("name") == _NAME:
            return _address(section)
    raise UsageError(f"configuration key 'load_plugins' names {_NAME}, which 'plugins' says nothing of")


def _address(section: Document) -> Address:
    url = section.text("open_params")
    if not url.startswith(_SCHEMES):
        raise UsageError(
            f"configuration key 'plugins[].open_params' of {_NAME} must be an address, not '{url}': "
            "files are read with -e"
        )
    settings = _settings(section)
    limit = settings.text("webhookMaxBatchSize")
    if limit and not (limit.isascii() and limit.isdigit() and int(limit)):
        raise UsageError(
            f"webhookMaxBatchSize of {_NAME} must be a number of bytes above zero, not '{limit}'"
        )
    certificate = Path(settings.text("sslCertificate") or "/etc/falco/falco.pem")
    secure = url.startswith("https://")
    address = Address(url, certificate if secure else None)
    return address if not limit else Address(url, address.certificate, body_limit=int(limit))


def _settings(section: Document) -> Document:
    """Return the section `init_config`, which may be a mapping, or one written as JSON."""
    written = section.below("init_config")
    text = written.plain()
    if text is None:
        return written
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise UsageError(
            f"configuration key 'plugins[].init_config' of {_NAME} is no JSON: {error}"
        ) from None
    root: dict[str, Node] = {}
    if not isinstance(found, dict):
        raise UsageError(f"configuration key 'plugins[].init_config' of {_NAME} must be a mapping")
    for key, value in found.items():
        root[key] = value if isinstance(value, str) else json.dumps(value)
    return Document(root, "plugins[].init_config.")
