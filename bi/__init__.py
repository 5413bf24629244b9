"""The star schema that analysts ask: which rows the alerts, outcomes, scores and examples come to. Pure; PostgreSQL and Parquet are written in `churnwatch`."""
