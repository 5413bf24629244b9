"""What concerns each department: `churnwatch kpi --by department`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from alerts.kpi_sums import figures
from alerts.voices import actions, reports, review_topics, tickets
from churnwatch.kpi import Steering, goals_table, groups_table, revenue_table, saved_words
from churnwatch.kpi_view import Column, Raw, Table, View

STATUSES: Final = ("contacted", "accepted", "declined")


def marketing(of: Steering) -> View:
    """Cohorts and segments, what price and lack of engagement do, and the actions."""
    words = ["Whom we win and keep, and what the campaigns suggested by alerts come to."]
    tables = [
        groups_table(of, "cohort"),
        groups_table(of, "segment"),
        groups_table(of, "reason", ("engagement", "price")),
        actions_table(of),
    ]
    return View("marketing", words, tables)


def product(of: Steering) -> View:
    """Customers who are at risk for the product, and what reviews and tickets speak of."""
    words = ["Where the product itself drives customers away, and what they say of it."]
    rows: list[list[Raw]] = [
        [name, topic.count, topic.mean] for name, topic in review_topics(of.ledger, of.months).items()
    ]
    columns = (Column("topic", "topic"), Column("reviews", "reviews"), Column("rating", "mean rating"))
    tables = [
        groups_table(of, "reason", ("product", "competition")),
        Table("reviews", "Reviews by topic", columns, rows),
        tickets_table(of),
    ]
    return View("product", words, tables)


def sales(of: Steering) -> View:
    """What is at stake, what was lost, who came back."""
    words = ["What is at stake and what was lost, a year's worth each; who came back.", saved_words(of)]
    rows: list[list[Raw]] = [
        [name, found.opened, found.stake / 100, found.churned, found.lost / 100, found.won_back, found.won_value / 100]
        for name, found in figures(of.ledger, "segment", of.months).items()
    ]
    columns = (
        Column("segment", "segment"),
        Column("opened", "alerts"),
        Column("at_stake", "at stake", "money"),
        Column("left", "left after a warning"),
        Column("lost", "worth", "money"),
        Column("won_back", "came back"),
        Column("won_value", "worth", "money"),
    )
    return View("sales", words, [Table("stakes", "Stakes by segment", columns, rows), actions_table(of)])


def service(of: Steering) -> View:
    """Customers who are at risk for the service, how soon somebody acts, and the tickets."""
    words = ["How soon alerts are taken up, and where the service itself drives customers away."]
    rows: list[list[Raw]] = [[status, count] for status, count in reports(of.ledger, of.months).items()]
    columns = (Column("status", "status"), Column("reports", "reports"))
    tables = [
        groups_table(of, "reason", ("service",)),
        groups_table(of, "segment"),
        Table("reports", "Outcomes reported", columns, rows),
        tickets_table(of),
    ]
    return View("service", words, tables)


def finance(of: Steering) -> View:
    """Expected revenue with and without the customers at risk, and what acting has saved."""
    words = [
        "Expected revenue of the active customers: with those at risk (the chance that they have left is counted in), and without them.",
        "New customers, and former ones who come back, are not in it.",
        saved_words(of),
    ]
    return View("finance", words, [revenue_table(of), goals_table(of)])


DEPARTMENTS: Final[Mapping[str, Callable[[Steering], View]]] = {
    "marketing": marketing,
    "product": product,
    "sales": sales,
    "service": service,
    "finance": finance,
}


def actions_table(of: Steering) -> Table:
    """Return how often each action of the playbook was suggested, and what was reported of it."""
    rows: list[list[Raw]] = [
        [code, counts.get("suggested", 0), *(counts.get(status, 0) for status in STATUSES)]
        for code, counts in actions(of.ledger, of.months).items()
    ]
    columns = (Column("action", "action"), Column("suggested", "suggested"), *(Column(name, name) for name in STATUSES))
    return Table("actions", "Actions", columns, rows)


def tickets_table(of: Steering) -> Table:
    """Return tickets opened by category."""
    rows: list[list[Raw]] = [[category, count] for category, count in tickets(of.ledger, of.months).items()]
    return Table("tickets", "Tickets opened", (Column("category", "category"), Column("tickets", "tickets")), rows)
