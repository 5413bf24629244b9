"""Every setting of Churnwatch: declared once, with its default, its unit and what it means.

A setting comes from the environment (`CHURNWATCH_KAFKA_BOOTSTRAP`), else from the one optional TOML file that
`CHURNWATCH_CONFIG` names (`kafka_bootstrap = "…"`, or `bootstrap = "…"` below `[kafka]`), else from its default.
Spans of time are written with a unit ("60d", "1h", "250ms") and kept as integer milliseconds in a field that ends
in `_ms`; the name for the outside world goes without that ending (`lateness_ms` is `CHURNWATCH_LATENESS`).

The chapters stand in files of their own, `settings_services`, `settings_work`, `settings_alerts` and so on. `settings_checks` says which do not fit together,
`settings_load.load_settings` reads and explains; `settings_docs` writes docs/settings.md from the declarations.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from typing_extensions import override

from churnwatch.redis_address import split_login
from churnwatch.settings_alerts import AlertSettings
from churnwatch.settings_bi import BiSettings
from churnwatch.settings_checks import contradictions
from churnwatch.settings_console import ConsoleSettings
from churnwatch.settings_fields import DURATION, Duration, setting
from churnwatch.settings_goals import GoalSettings
from churnwatch.settings_services import ServiceSettings
from churnwatch.settings_sources import EnvironmentSource, FileSource
from churnwatch.settings_webhook import WebhookSettings, webhook_contradictions
from churnwatch.settings_work import WorkSettings
from streams.topics import Topics


class Settings(
    GoalSettings, BiSettings, ConsoleSettings, WebhookSettings, AlertSettings, WorkSettings, ServiceSettings
):
    """All settings, immutable. Fields ending in `_ms` are integer milliseconds, the rest as their unit says.

    Pydantic takes the last chapter first, and the chapters stand in that order wherever settings are shown.
    """

    worker_role: Literal["all", "partitions", "learner"] = setting(
        "Operations", "all", "", "What a worker does; a learner of its own leaves the partitions' workers a whole core"
    )
    web_host: str = setting("Operations", "127.0.0.1", "address", "Where /metrics, /healthz and /readyz are served")
    web_port: int = setting("Operations", 6066, "port", "On which port", ge=1, le=65535)
    stalled_ms: Duration = setting(
        "Operations", "60s", DURATION, "Stuck for so long, a worker fails /healthz; for twice as long, it ends", ge=1000
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("Operations", "info", "", "How much is logged")
    log_format: Literal["text", "json"] = setting("Operations", "text", "", "How it is logged")
    debug: bool = setting("Operations", False, "", "Show tracebacks of failed commands")

    @classmethod
    @override
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, EnvironmentSource(settings_cls), FileSource(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _take_password_out_of_url(cls, data: dict[str, Any]) -> dict[str, Any]:
        url = data.get("redis_url")
        if not isinstance(url, str):
            return data
        bare, login = split_login(url)
        return {f"redis_{name}": value for name, value in login.items()} | data | {"redis_url": bare}

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        problems = [*contradictions(self), *webhook_contradictions(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def topics(self) -> Topics:
        """Give the topics' names as set, prefix included."""
        names = {name.removeprefix("topic_"): getattr(self, name) for name in Settings.topic_fields()}
        return Topics(prefix=self.topic_prefix, names=names)

    @classmethod
    def topic_fields(cls) -> list[str]:
        """List the fields that each name one topic."""
        numbers = {"topic_prefix", "topic_partitions", "topic_replication"}
        return [name for name in cls.model_fields if name.startswith("topic_") and name not in numbers]
