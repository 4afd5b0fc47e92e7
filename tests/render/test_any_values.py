"""Any values are refused in sentences, or valid for the API server and mean there what they say.

The cases are the same in each run; `make nightly` makes more of them, from another seed.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from render import meaning
from render.chart import Json, Refused
from render.generate import AFTER, BEFORE, values
from render.meaning import arrived, outcome

CASES = int(os.environ.get("TESTS_FUZZ_CASES", "150"))
SEED = int(os.environ.get("TESTS_FUZZ_SEED", "1"))
CHUNK = 50
RULES = settings(
    database=None,
    deadline=None,
    max_examples=CHUNK,
    phases=[Phase.generate, Phase.shrink],
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.sweep
@pytest.mark.parametrize("chunk", range(-(-CASES // CHUNK)))
def test_any_values(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is shown with the least values that fail so."""
    monkeypatch.delenv("TESTS_RENDERINGS", raising=False)  # no other test renders these values
    seen: Counter[str] = Counter()

    @seed(SEED * 1_000_003 + chunk)
    @RULES
    @given(values())
    def check(given_values: Json) -> None:
        seen[outcome(given_values)] += 1

    check()
    print(f"seed {SEED}, chunk {chunk}:", *(f"{count} {name}" for name, count in sorted(seen.items())))
    assert min(seen["refused"], seen["rendered"]) > CHUNK // 10


def test_what_does_not_arrive_is_noticed() -> None:
    """A rendering with half a string, or with a number in another notation, fails."""
    whole = [f"{BEFORE}a b{AFTER}"]
    arrived(whole, [f"x={whole[0]},y={whole[0]}"])
    for lost in (f"{BEFORE}a", f"b{AFTER}", f"{BEFORE}a  b{AFTER}"):
        with pytest.raises(AssertionError):
            arrived(whole, [lost])
    with pytest.raises(AssertionError):
        arrived([1234567], ["--seconds=1.234567e+06"])


@pytest.mark.parametrize(
    "words", ["Error: nil pointer", "mlflow: a: b.", "mlflow: a: b; c.\nerror calling include"]
)
def test_words_of_the_engine_are_noticed(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Json) -> None:
        raise Refused(words)

    monkeypatch.setattr(meaning, "render", refuse)
    with pytest.raises(AssertionError):
        outcome({})
