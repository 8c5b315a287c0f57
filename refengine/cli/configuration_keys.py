"""The configuration keys of Falco: the names and types that configuration files and `-o` may use.

`[]` in a key stands for an element of a list. A key that is not `used` is known, so that existing
configuration files are accepted, but changes nothing here; who sets it is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


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


@dataclass(frozen=True, slots=True)
class Key:
    """One key by its full path, the type of its value, and whether it has an effect."""

    path: str
    kind: Kind
    used: bool = False


_KEYS = (
    Key("append_output[].match", Kind.OBJECT, used=True),
    Key("append_output[].extra_output", Kind.STRING, used=True),
    Key("append_output[].extra_fields", Kind.ARRAY, used=True),
    Key("append_output[].suggested_output", Kind.BOOLEAN, used=True),
    Key("static_fields", Kind.OBJECT, used=True),
    Key("config_files", Kind.ARRAY),
    Key("watch_config_files", Kind.BOOLEAN),
    Key("plugins_hostinfo", Kind.BOOLEAN),
    Key("rules_files", Kind.ARRAY, used=True),
    Key("rule_files", Kind.ARRAY, used=True),
    Key("rules_file", Kind.ARRAY, used=True),
    Key("rules[].disable.rule", Kind.STRING, used=True),
    Key("rules[].disable.tag", Kind.STRING, used=True),
    Key("rules[].enable.rule", Kind.STRING, used=True),
    Key("rules[].enable.tag", Kind.STRING, used=True),
    Key("engine.kind", Kind.STRING, used=True),
    Key("engine.kmod.buf_size_preset", Kind.INTEGER),
    Key("engine.kmod.drop_failed_exit", Kind.BOOLEAN),
    Key("engine.modern_ebpf.cpus_for_each_buffer", Kind.INTEGER),
    Key("engine.modern_ebpf.buf_size_preset", Kind.INTEGER),
    Key("engine.modern_ebpf.drop_failed_exit", Kind.BOOLEAN),
    Key("engine.modern_ebpf.disable_iterators", Kind.BOOLEAN),
    Key("engine.replay.capture_file", Kind.STRING, used=True),
    Key("capture.enabled", Kind.BOOLEAN),
    Key("capture.path_prefix", Kind.STRING),
    Key("capture.mode", Kind.STRING),
    Key("capture.default_duration", Kind.INTEGER),
    Key("capture.max_file_size_mb", Kind.INTEGER),
    Key("load_plugins", Kind.ARRAY, used=True),
    Key("plugins[].name", Kind.STRING, used=True),
    Key("plugins[].library_path", Kind.STRING),
    Key("plugins[].init_config", Kind.ANY, used=True),
    Key("plugins[].open_params", Kind.STRING, used=True),
    Key("time_format_iso_8601", Kind.BOOLEAN, used=True),
    Key("buffer_format_base64", Kind.BOOLEAN, used=True),
    Key("priority", Kind.STRING, used=True),
    Key("json_output", Kind.BOOLEAN, used=True),
    Key("json_include_output_property", Kind.BOOLEAN, used=True),
    Key("json_include_message_property", Kind.BOOLEAN, used=True),
    Key("json_include_output_fields_property", Kind.BOOLEAN, used=True),
    Key("json_include_tags_property", Kind.BOOLEAN, used=True),
    Key("buffered_outputs", Kind.BOOLEAN, used=True),
    Key("rule_matching", Kind.STRING, used=True),
    Key("outputs_queue.capacity", Kind.INTEGER, used=True),
    Key("stdout_output.enabled", Kind.BOOLEAN, used=True),
    Key("syslog_output.enabled", Kind.BOOLEAN, used=True),
    Key("file_output.enabled", Kind.BOOLEAN, used=True),
    Key("file_output.keep_alive", Kind.BOOLEAN, used=True),
    Key("file_output.filename", Kind.STRING, used=True),
    Key("http_output.enabled", Kind.BOOLEAN, used=True),
    Key("http_output.url", Kind.STRING, used=True),
    Key("http_output.user_agent", Kind.STRING, used=True),
    Key("http_output.insecure", Kind.BOOLEAN, used=True),
    Key("http_output.ca_cert", Kind.STRING, used=True),
    Key("http_output.ca_bundle", Kind.STRING, used=True),
    Key("http_output.ca_path", Kind.STRING, used=True),
    Key("http_output.mtls", Kind.BOOLEAN, used=True),
    Key("http_output.client_cert", Kind.STRING, used=True),
    Key("http_output.client_key", Kind.STRING, used=True),
    Key("http_output.echo", Kind.BOOLEAN, used=True),
    Key("http_output.compress_uploads", Kind.BOOLEAN, used=True),
    Key("http_output.keep_alive", Kind.BOOLEAN, used=True),
    Key("http_output.max_consecutive_timeouts", Kind.INTEGER),
    Key("program_output.enabled", Kind.BOOLEAN, used=True),
    Key("program_output.keep_alive", Kind.BOOLEAN, used=True),
    Key("program_output.program", Kind.STRING, used=True),
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
    Key("libs_logger.enabled", Kind.BOOLEAN),
    Key("libs_logger.severity", Kind.STRING),
    Key("output_timeout", Kind.INTEGER, used=True),
    Key("syscall_event_timeouts.max_consecutives", Kind.INTEGER),
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
    Key("metrics.kernel_event_counters_per_cpu_enabled", Kind.BOOLEAN),
    Key("metrics.libbpf_stats_enabled", Kind.BOOLEAN),
    Key("metrics.plugins_metrics_enabled", Kind.BOOLEAN),
    Key("metrics.kernel_iter_event_counters_enabled", Kind.BOOLEAN),
    Key("metrics.convert_memory_to_mb", Kind.BOOLEAN),
    Key("metrics.include_empty_values", Kind.BOOLEAN),
    Key("metrics.jemalloc_stats_enabled", Kind.BOOLEAN),
    Key("base_syscalls.all", Kind.BOOLEAN),
    Key("base_syscalls.custom_set", Kind.ARRAY),
    Key("base_syscalls.repair", Kind.BOOLEAN),
    Key("falco_libs.thread_table_size", Kind.INTEGER),
    Key("falco_libs.thread_table_auto_purging_interval_s", Kind.INTEGER),
    Key("falco_libs.thread_table_auto_purging_thread_timeout_s", Kind.INTEGER),
    Key("falco_libs.snaplen", Kind.INTEGER),
)

KEYS: Mapping[str, Key] = MappingProxyType({key.path: key for key in _KEYS})
"""Every key by its path."""
