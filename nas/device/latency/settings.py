"""How latency is measured: the table [latency] of an experiment."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from nas.device.latency.latency_model import LatencyModel
from nas.device.latency.providers import PROVIDERS
from nas.errors import ExperimentError


def _known(name: str) -> str:
    try:
        return PROVIDERS.check(name)
    except ExperimentError as problem:
        raise ValueError(str(problem)) from None


ProviderName = Annotated[str, AfterValidator(_known)]  # also `module:Class` of a user's own, not imported here
Runtime = Literal["auto", "onnxruntime", "torch"]
Accelerator = Annotated[str, Field(pattern=r"^ethos-u[0-9]+-[0-9]+$")]  # as vela names it
Text = Annotated[str, Field(max_length=1_000)]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class LatencySettings:
    """How latency is measured.

    provider: a name in `PROVIDERS`, or `module:Class` of a user's own. runtime: of this machine. repeats: timed runs
    per network. command: of the provider "command", with the file in place of {file}, or at its end. file: the suffix
    of that file, "onnx" for float32 or "tflite" for 8-bit integers. timeout: seconds that one command may take.
    accelerator: the configuration that Vela compiles for. model: what was learned from measured networks, None before;
    a search learns it where it begins.
    """

    provider: ProviderName = "this-machine"
    runtime: Runtime = "auto"
    repeats: Annotated[int, Field(ge=1, le=100_000)] = 30
    command: Text = ""
    file: Annotated[str, Field(pattern=r"^[a-z0-9]+$", max_length=20)] = "onnx"
    timeout: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    accelerator: Accelerator = "ethos-u55-128"
    model: LatencyModel | None = None
