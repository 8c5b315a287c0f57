"""What happened: events, with the parameters that a backend observed."""

from refengine.event.event import Event, ParamValue
from refengine.event.recorded import RecordedEvent

__all__ = ["Event", "ParamValue", "RecordedEvent"]
