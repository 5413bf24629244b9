"""What docs/tutorial.md says can be typed as it stands, and ends with the alert that it shows. (`make tutorial` does it in a fresh clone.)"""

import os
import socket
import sys
from pathlib import Path

import pytest

from churnwatch.services import Services
from tools import tutorial
from tools.terminal import bare_environment


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.timeout(400)
def test_following_the_tutorial_ends_with_an_alert(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path
) -> None:
    names = {
        "KAFKA_BOOTSTRAP": services.bootstrap,
        "REDIS_URL": services.redis_url,
        "TOPIC_PREFIX": topic_prefix,
        "TOPIC_PARTITIONS": "4",
        "KAFKA_GROUP_ID": f"{topic_prefix}workers",
        "REDIS_NAMESPACE": namespace,
        "WEB_PORT": str(free_port()),
    }
    environ = bare_environment() | {f"CHURNWATCH_{name}": value for name, value in names.items()}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    script = tutorial.steps(tutorial.PAGE.read_text())
    answers = [answer for _, answer in tutorial.Player(tmp_path, environ).play(script, leave_out="set-up")]
    assert any("opened" in answer and "1 poor review on service" in answer for answer in answers)
    assert any("resolved" in answer and "Came back" in answer for answer in answers)


def test_every_block_of_the_page_is_typed_saved_or_compared() -> None:
    page = tutorial.PAGE.read_text()
    script = tutorial.steps(page)
    blocks = len([step for step in script if step.body]) + len([step for step in script if step.shown])
    assert blocks * 2 == sum(line.startswith("```") for line in page.splitlines())


def test_a_line_shown_must_be_answered_up_to_numbers_ids_and_bands() -> None:
    answer = "raised  risk\n2026-11-09T00:00:00Z  opened  watch  0.67  c-07  7.02 EUR  1 poor review\n"
    assert tutorial.missing(["2025-01-01T00:00:00Z opened high 0.9 c-07 … poor"], answer) is None
    assert tutorial.missing(["raised risk", "resolved …"], answer) == "resolved …"
