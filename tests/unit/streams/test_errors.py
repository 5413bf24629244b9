import re

from streams import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


def test_the_tree_drawn_is_the_tree_there_is() -> None:
    drawn = re.findall(r"^[│├└─ ]*([A-Z][A-Za-z]+)(?: .*)?$", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE)
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS)


def test_all_errors_are_churnwatchs_own() -> None:
    assert all(issubclass(kind, errors.ChurnwatchError) and kind.__doc__ for kind in KINDS)


def test_an_error_of_a_file_names_file_and_line() -> None:
    assert str(errors.InputFileError("a.jsonl", 3, "not JSON")) == "a.jsonl:3: not JSON"
    assert str(errors.InputFileError("a.jsonl", None, "is empty")) == "a.jsonl: is empty"
