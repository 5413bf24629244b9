"""`churnwatch deliver`: take alerts to a webhook until told to stop."""

from typing import Annotated

import typer

from churnwatch.settings_load import load_settings


def deliver(
    *,
    web_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="PORT", help="Where /metrics and /healthz are served."),
    ] = None,
) -> None:
    """Post alerts to CHURNWATCH_WEBHOOK_URL as they come: to a CRM, a mail gateway, or Slack.

    Each is tried until the receiver takes it; what it refuses, or does not take within CHURNWATCH_WEBHOOK_GIVE_UP, goes to the dead
    letters (`churnwatch dlq list --topic churn.alerts`). A customer's alerts arrive in order. After a crash one may come
    twice, with the same `webhook-id`. SIGTERM and Ctrl-C finish what is under way and end with 0.

    Try:

    - `CHURNWATCH_WEBHOOK_URL=https://crm.example/alerts CHURNWATCH_WEBHOOK_SECRET=whsec_… churnwatch deliver`

    - `CHURNWATCH_WEBHOOK_FORMAT=slack CHURNWATCH_WEBHOOK_BANDS=critical CHURNWATCH_WEBHOOK_NAME=slack churnwatch deliver`
    """
    settings = load_settings(**({} if web_port is None else {"webhook_port": web_port}))
    from churnwatch.deliver import run_deliver

    raise typer.Exit(run_deliver(settings))
