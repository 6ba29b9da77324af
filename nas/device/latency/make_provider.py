"""The provider that the settings of latency name."""

from nas.device.latency.measurement import LatencyProvider
from nas.device.latency.providers import PROVIDERS
from nas.device.latency.settings import LatencySettings


def make_provider(settings: LatencySettings) -> LatencyProvider:
    """Return the provider that the settings name.

    Raises ExperimentError for one of a user's own that is not trusted, LatencyError where it cannot be used here.
    """
    provider: LatencyProvider = PROVIDERS.find(settings.provider).load()(settings)
    return provider
