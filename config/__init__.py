"""The YAML file, read with its line numbers: typed configuration, or every mistake in it at once.

`load` gives a `Config` or raises a `ConfigError`. What a channel's connector takes is not known here: it stands
unvalidated in `ChannelConfig.options`, and whoever validates it turns pydantic's errors into lines of the file with
`Config.source`.
"""

from config.load import ChannelCheck, find_file, load
from config.model import (
    ChannelConfig,
    Config,
    HoursConfig,
    InboxConfig,
    OidcConfig,
    RetentionConfig,
    ServerConfig,
    SignInConfig,
    StorageConfig,
    WebhooksConfig,
)
from config.problem import ConfigError, Problem
from config.source import Source

__all__ = [
    "ChannelCheck",
    "ChannelConfig",
    "Config",
    "ConfigError",
    "HoursConfig",
    "InboxConfig",
    "OidcConfig",
    "Problem",
    "RetentionConfig",
    "ServerConfig",
    "SignInConfig",
    "Source",
    "StorageConfig",
    "WebhooksConfig",
    "find_file",
    "load",
]
