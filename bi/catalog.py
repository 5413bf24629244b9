"""All tables of the star schema, in the order in which they are made and written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bi.tables import DIMENSIONS, FACT_DAILY_SCORE, Table
from bi.tables_alerts import ABOUT_ALERTS
from bi.tables_events import ABOUT_CUSTOMERS
from bi.tables_learner import OF_THE_LEARNER

TABLES: Final = (*DIMENSIONS, FACT_DAILY_SCORE, *ABOUT_ALERTS, *ABOUT_CUSTOMERS, *OF_THE_LEARNER)

BY_NAME: Final[Mapping[str, Table]] = MappingProxyType({table.name: table for table in TABLES})
