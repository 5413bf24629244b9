"""From a risk to an alert that somebody can act on: episodes, budgets, reasons, value and actions; all of it pure."""
