"""The providers of latency by name; each is imported when it is used."""

from nas.registry import Plugin, Registry, outside_plugin

_HERE = "nas.device.latency"

PROVIDERS: Registry[Plugin] = Registry("latency provider", outside_plugin)
"""A target is called with `LatencySettings` and returns a `LatencyProvider`."""

PROVIDERS.register(Plugin("this-machine", "onnxruntime or torch here, one thread", f"{_HERE}.this_machine:ThisMachine"))
PROVIDERS.register(Plugin("command", "a command that is given a file, for any board", f"{_HERE}.command:Command"))
PROVIDERS.register(Plugin("vela", "Arm Ethos-U, as ethos-u-vela estimates it", f"{_HERE}.vela:Vela"))
