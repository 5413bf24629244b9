"""What pyproject.toml has no words for: with COMPILE_CHURNWATCH=1 the modules that most of an event's time goes into are compiled.

mypyc makes C of the very same source: what is computed stays the same to the last bit, and without a compiler the source itself runs.
`make compile` builds a copy in build/compiled; docs/how-to/compile.md says how an installation gets it.
"""

import os

from setuptools import setup

COMPILED = (
    "agents/buyers.py", "agents/foresight.py", "agents/guides.py", "agents/silence.py", "agents/steering.py", "alerts/bands.py",
    "alerts/change.py", "alerts/policy.py", "alerts/segments.py", "alerts/terms.py", "alerts/value.py", "features/ticket_sums.py",
    "features/timers.py", "features/vector.py", "features/windows.py", "models/logits.py", "models/question.py", "models/scorer.py",
    "streams/feed.py",
)  # fmt: skip
"""Never one that defines a `msgspec.Struct`: mypyc drops what is said beside the base class, and the stored form would be another."""

if os.environ.get("COMPILE_CHURNWATCH") == "1":
    from mypyc.build import mypycify

    setup(
        ext_modules=mypycify(
            ["--config-file=tools/mypyc.ini", *COMPILED], opt_level="3", debug_level="0", target_dir="build/c"
        )
    )
else:
    setup()
