"""The configuration keys of Falco: the names and types that configuration files and `-o` may use.

`[]` in a key stands for an element of a list. A key with a note is known, so that existing configuration files
are accepted, but changes nothing here; who sets it is told why. `OWN` are extensions, which Falco has not got.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple


class Kind(str, Enum):
    """What a key's value must be."""

    BOOLEAN = "true or false"
    STRING = "a string"
    INTEGER = "a whole number"
    NUMBER = "a number"
    ARRAY = "a list"
    OBJECT = "a mapping"
    ANY = "anything"

    def __str__(self) -> str:
        return self.value


class Key(NamedTuple):
    """One key by its full path and the type of its value; where it has no effect, `note` says why."""

    path: str
    kind: Kind
    note: str = ""


_KEYS = (
    Key("append_output[].match", Kind.OBJECT),
    Key("append_output[].extra_output", Kind.STRING),
    Key("append_output[].extra_fields", Kind.ARRAY),
    Key("append_output[].suggested_output", Kind.BOOLEAN),
    Key("static_fields", Kind.OBJECT),
    Key("config_files", Kind.ARRAY),
    Key("watch_config_files", Kind.BOOLEAN),
    Key(
        "plugins_hostinfo",
        Kind.BOOLEAN,
        "host information comes from /proc, or from the capture's own tables",
    ),
    Key("rules_files", Kind.ARRAY),
    Key("rule_files", Kind.ARRAY),
    Key("rules_file", Kind.ARRAY),
    Key("rules[].disable.rule", Kind.STRING),
    Key("rules[].disable.tag", Kind.STRING),
    Key("rules[].enable.rule", Kind.STRING),
    Key("rules[].enable.tag", Kind.STRING),
    Key("engine.kind", Kind.STRING),
    Key(
        "engine.kmod.buf_size_preset",
        Kind.INTEGER,
        "there is no kernel module here; the ebpf backend watches the machine",
    ),
    Key(
        "engine.kmod.drop_failed_exit",
        Kind.BOOLEAN,
        "there is no kernel module here; the ebpf backend watches the machine",
    ),
    Key(
        "engine.modern_ebpf.cpus_for_each_buffer",
        Kind.INTEGER,
        "the ebpf backend has one buffer for all processors, and finds its size by itself",
    ),
    Key(
        "engine.modern_ebpf.buf_size_preset",
        Kind.INTEGER,
        "the ebpf backend has one buffer for all processors, and finds its size by itself",
    ),
    Key(
        "engine.modern_ebpf.drop_failed_exit",
        Kind.BOOLEAN,
        "calls that failed are left out only where no rule can match them",
    ),
    Key(
        "engine.modern_ebpf.disable_iterators", Kind.BOOLEAN, "processes that run already are read from /proc"
    ),
    Key("engine.replay.capture_file", Kind.STRING),
    Key("capture.enabled", Kind.BOOLEAN),
    Key("capture.path_prefix", Kind.STRING),
    Key("capture.mode", Kind.STRING),
    Key("capture.default_duration", Kind.INTEGER),
    Key("capture.max_file_size_mb", Kind.INTEGER),
    Key("load_plugins", Kind.ARRAY),
    Key("plugins[].name", Kind.STRING),
    Key(
        "plugins[].library_path",
        Kind.STRING,
        "the plugins container, json and k8saudit are built in, and others cannot be loaded",
    ),
    Key("plugins[].init_config", Kind.ANY),
    Key("plugins[].open_params", Kind.STRING),
    Key("time_format_iso_8601", Kind.BOOLEAN),
    Key("buffer_format_base64", Kind.BOOLEAN),
    Key("priority", Kind.STRING),
    Key("json_output", Kind.BOOLEAN),
    Key("json_include_output_property", Kind.BOOLEAN),
    Key("json_include_message_property", Kind.BOOLEAN),
    Key("json_include_output_fields_property", Kind.BOOLEAN),
    Key("json_include_tags_property", Kind.BOOLEAN),
    Key("buffered_outputs", Kind.BOOLEAN),
    Key("rule_matching", Kind.STRING),
    Key("outputs_queue.capacity", Kind.INTEGER),
    Key("stdout_output.enabled", Kind.BOOLEAN),
    Key("syslog_output.enabled", Kind.BOOLEAN),
    Key("file_output.enabled", Kind.BOOLEAN),
    Key("file_output.keep_alive", Kind.BOOLEAN),
    Key("file_output.filename", Kind.STRING),
    Key("http_output.enabled", Kind.BOOLEAN),
    Key("http_output.url", Kind.STRING),
    Key("http_output.user_agent", Kind.STRING),
    Key("http_output.insecure", Kind.BOOLEAN),
    Key("http_output.ca_cert", Kind.STRING),
    Key("http_output.ca_bundle", Kind.STRING),
    Key("http_output.ca_path", Kind.STRING),
    Key("http_output.mtls", Kind.BOOLEAN),
    Key("http_output.client_cert", Kind.STRING),
    Key("http_output.client_key", Kind.STRING),
    Key("http_output.echo", Kind.BOOLEAN),
    Key("http_output.compress_uploads", Kind.BOOLEAN),
    Key("http_output.keep_alive", Kind.BOOLEAN),
    Key(
        "http_output.max_consecutive_timeouts",
        Kind.INTEGER,
        "failing attempts are repeated for as long as the queue holds",
    ),
    Key("program_output.enabled", Kind.BOOLEAN),
    Key("program_output.keep_alive", Kind.BOOLEAN),
    Key("program_output.program", Kind.STRING),
    Key("webserver.enabled", Kind.BOOLEAN),
    Key("webserver.threadiness", Kind.INTEGER),
    Key("webserver.listen_port", Kind.INTEGER),
    Key("webserver.listen_address", Kind.STRING),
    Key("webserver.k8s_healthz_endpoint", Kind.STRING),
    Key("webserver.prometheus_metrics_enabled", Kind.BOOLEAN),
    Key("webserver.ssl_enabled", Kind.BOOLEAN),
    Key("webserver.ssl_certificate", Kind.STRING),
    Key("log_stderr", Kind.BOOLEAN),
    Key("log_syslog", Kind.BOOLEAN),
    Key("log_level", Kind.STRING),
    Key("libs_logger.enabled", Kind.BOOLEAN, "there are no libraries beneath that have a log of their own"),
    Key("libs_logger.severity", Kind.STRING, "there are no libraries beneath that have a log of their own"),
    Key("output_timeout", Kind.INTEGER),
    Key(
        "syscall_event_timeouts.max_consecutives",
        Kind.INTEGER,
        "a backend that has no events is waited for without a limit",
    ),
    Key("syscall_event_drops.threshold", Kind.NUMBER),
    Key("syscall_event_drops.actions", Kind.ARRAY),
    Key("syscall_event_drops.rate", Kind.NUMBER),
    Key("syscall_event_drops.max_burst", Kind.INTEGER),
    Key("syscall_event_drops.simulate_drops", Kind.BOOLEAN),
    Key("metrics.enabled", Kind.BOOLEAN),
    Key("metrics.interval", Kind.STRING),
    Key("metrics.output_rule", Kind.BOOLEAN),
    Key("metrics.output_file", Kind.STRING),
    Key("metrics.rules_counters_enabled", Kind.BOOLEAN),
    Key("metrics.resource_utilization_enabled", Kind.BOOLEAN),
    Key("metrics.state_counters_enabled", Kind.BOOLEAN),
    Key("metrics.kernel_event_counters_enabled", Kind.BOOLEAN),
    Key(
        "metrics.kernel_event_counters_per_cpu_enabled",
        Kind.BOOLEAN,
        "events are counted for all processors together",
    ),
    Key("metrics.libbpf_stats_enabled", Kind.BOOLEAN, "there are no statistics of single kernel programs"),
    Key("metrics.plugins_metrics_enabled", Kind.BOOLEAN, "there are no plugins with metrics of their own"),
    Key(
        "metrics.kernel_iter_event_counters_enabled",
        Kind.BOOLEAN,
        "there are no statistics of single kernel programs",
    ),
    Key("metrics.convert_memory_to_mb", Kind.BOOLEAN),
    Key("metrics.include_empty_values", Kind.BOOLEAN),
    Key("metrics.jemalloc_stats_enabled", Kind.BOOLEAN, "Python has an allocator of its own"),
    Key("base_syscalls.all", Kind.BOOLEAN, "the system calls that are watched follow from the rules"),
    Key("base_syscalls.custom_set", Kind.ARRAY, "the system calls that are watched follow from the rules"),
    Key("base_syscalls.repair", Kind.BOOLEAN, "the system calls that are watched follow from the rules"),
    Key("falco_libs.thread_table_size", Kind.INTEGER, "the thread table has room for 262144 threads"),
    Key(
        "falco_libs.thread_table_auto_purging_interval_s", Kind.INTEGER, "threads are forgotten when they end"
    ),
    Key(
        "falco_libs.thread_table_auto_purging_thread_timeout_s",
        Kind.INTEGER,
        "threads are forgotten when they end",
    ),
    Key("falco_libs.snaplen", Kind.INTEGER, "buffers are kept as long as rules need them"),
)

_OWN = (
    Key("log_json", Kind.BOOLEAN),
    Key("throttling[].rule", Kind.STRING),
    Key("throttling[].rate", Kind.NUMBER),
    Key("throttling[].max_burst", Kind.INTEGER),
    Key("throttling[].fields", Kind.ARRAY),
)

OWN = frozenset(key.path for key in _OWN)
"""The keys that are extensions."""

KEYS: Mapping[str, Key] = MappingProxyType({key.path: key for key in (*_KEYS, *_OWN)})
"""Every key by its path."""
