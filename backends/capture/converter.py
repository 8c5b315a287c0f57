"""The carrying out of conversions: current parameters from the bytes of an older exit and of its entry."""

from __future__ import annotations

import json
from functools import cache

from refengine.backends.capture.conversion import CONVERSIONS, Source
from refengine.backends.capture.layout import Layout, layouts_of
from refengine.backends.capture.params import Decode
from refengine.event import ParamValue
from refengine.values import ValueType


class StoredEnter:
    """The entry of a system call, kept until its exit: its type's code, bytes and where the parameters lie."""

    __slots__ = ("bounds", "buffer", "code")

    def __init__(self, code: int, buffer: bytes, bounds: tuple[int, ...]) -> None:
        self.code = code
        self.buffer = buffer
        self.bounds = bounds


class Converter:
    """The building of a current event's parameters from an older exit and its entry."""

    def __init__(self, own: Layout, target: Layout, sources: tuple[Source, ...]) -> None:
        self._plan = tuple(
            (source, _decoder(own, source.own, decode), decode)
            for source, decode in zip(sources, target.decoders, strict=True)
        )

    def read(
        self, buffer: bytes, bounds: tuple[int, ...], enter: StoredEnter | None
    ) -> list[ParamValue | None]:
        """Return the parameters of the current type; those that nobody recorded are absent."""
        own = len(bounds) - 1
        stored = 0 if enter is None else len(enter.bounds) - 1
        items: list[ParamValue | None] = []
        for source, decode_own, decode in self._plan:
            position = source.own
            if 0 <= position < own:
                items.append(decode_own(buffer, bounds[position], bounds[position + 1]))
            elif enter is not None and 0 <= source.enter < stored:
                position = source.enter
                items.append(decode(enter.buffer, enter.bounds[position], enter.bounds[position + 1]))
            else:
                items.append(0 if source.zero else None)
        return items


class ContainerConverter(Converter):
    """The building of the text that describes a container from the four parameters that once did."""

    def __init__(self, own: Layout) -> None:
        super().__init__(own, own, tuple(Source(position, -1) for position in range(own.count)))

    def read(
        self, buffer: bytes, bounds: tuple[int, ...], enter: StoredEnter | None
    ) -> list[ParamValue | None]:
        """Return the one parameter of the current type."""
        id, type, name, image = super().read(buffer, bounds, enter)
        described = {"id": id or "", "type": type or 0, "name": name or "", "image": image or ""}
        return [json.dumps(described, ensure_ascii=False, separators=(",", ":"))]


def _decoder(own: Layout, position: int, decode: Decode) -> Decode:
    """Return the decoder of a parameter of an old event: the current one's, unless the old said its type itself."""
    if position >= 0 and own.type.params[position].type is ValueType.DYN:
        return own.decoders[position]
    return decode


@cache
def converters_of(order: str) -> tuple[Converter | None, ...]:
    """Return what makes current parameters of those of each event type, None where they stay as they are."""
    layouts = layouts_of(order)
    return tuple(
        None if row.sources is None else _converter(own, layouts[row.target.code], row.sources)
        for own, row in zip(layouts, CONVERSIONS, strict=True)
    )


def _converter(own: Layout, target: Layout, sources: tuple[Source, ...]) -> Converter:
    return ContainerConverter(own) if own.type.enum == "CONTAINER_E" else Converter(own, target, sources)
