import pytest

from alerts.episode import Episode, alert_id, episode_id, held_out


def test_ids_are_functions_of_customer_episode_and_sequence_alone() -> None:
    assert alert_id("c-1", 9862, 1, 1) == "e9161a88d1ea1163e95e257398934e7b"
    assert episode_id("c-1", 9862, 1) == "e6e2bf8dcf593acd9c4c20af754dc395"


def test_ids_differ_wherever_an_argument_does() -> None:
    customers = ["c", "c1", "1", "1\0", "\0", "\u00e9", "e\u0301"]
    ids = {alert_id(c, life, n, seq) for c in customers for life in (0, 1, 11) for n in (1, 11) for seq in (1, 11)}
    ids |= {episode_id(c, life, n) for c in customers for life in (0, 1, 11) for n in (1, 11)}
    assert len(ids) == len(customers) * 3 * 2 * (2 + 1)
    assert all(len(found) == 32 for found in ids)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_about_the_share_is_held_out(share: float) -> None:
    held = sum(held_out(f"c-{number}", "salt", share) for number in range(2_000))
    assert abs(held - 2_000 * share) <= 80


def test_another_salt_holds_out_others() -> None:
    groups = [{n for n in range(2_000) if held_out(f"c-{n}", salt, 0.1)} for salt in ("one", "two")]
    assert len(groups[0] & groups[1]) < 60


def test_a_smaller_share_is_part_of_a_larger_one() -> None:
    for number in range(500):
        customer = f"c-{number}"
        assert not held_out(customer, "salt", 0.05) or held_out(customer, "salt", 0.2)


def test_an_episode_knows_its_own_alerts() -> None:
    episode = Episode(life_day=3, number=2, seq=2)
    assert [episode.has_raised(alert_id("c", 3, 2, seq), "c") for seq in (0, 1, 2, 3)] == [False, True, True, False]
    assert not episode.has_raised(alert_id("c", 3, 1, 1), "c")
    assert not episode.has_raised("", "c")


def test_the_next_look_is_the_next_end_of_a_rest() -> None:
    episode = Episode(quiet_until_ms=50, snoozed_until_ms=20)
    assert [episode.next_look_ms(at) for at in (0, 20, 50)] == [20, 50, None]
