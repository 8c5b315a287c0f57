"""Which image a name stands for in containerd: the digest that it points at, and the id, which is that of its settings."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from refengine.state.containers.answers import items, text
from refengine.state.containers.facts import Image, image_of
from refengine.state.containers.protobuf import Message, message
from refengine.state.containers.runtime import UnknownError

_IMAGES: Final = "/containerd.services.images.v1.Images/Get"
_CONTENT: Final = "/containerd.services.content.v1.Content/Read"

# GetImageRequest.name, GetImageResponse.image, Image.target
_NAME, _IMAGE, _TARGET = 1, 1, 3
# Descriptor.digest, ReadContentRequest.digest, ReadContentResponse.data
_DIGEST, _WANTED, _DATA = 2, 1, 2

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""How images call the machines that the kernel calls otherwise."""

Ask: TypeAlias = "Callable[[str, bytes], bytes]"
"""Asks containerd by a method."""


def image_named(name: str, ask: Ask) -> Image:
    """Return the image with its digest and its id, without those that are not told."""
    digest, id = "", ""
    try:
        image = Message(ask(_IMAGES, message({_NAME: name}))).below(_IMAGE)
        digest = image.below(_TARGET).text(_DIGEST)
        id = text(_manifest(digest, ask), "config", "digest")
    except UnknownError:
        pass  # the name alone is worth having
    return image_of(name, id, digest)


def _manifest(digest: str, ask: Ask) -> Any:
    """Return the manifest, and where there is one for each kind of machine, that for this one."""
    found = _json(digest, ask)
    machine = platform.machine()
    for each in items(found, "manifests"):
        if text(each, "platform", "architecture") == _ARCHITECTURES.get(machine, machine):
            return _json(text(each, "digest"), ask)
    return found


def _json(digest: str, ask: Ask) -> Any:
    try:
        return json.loads(Message(ask(_CONTENT, message({_WANTED: digest}))).blob(_DATA))
    except (ValueError, RecursionError):
        return None
