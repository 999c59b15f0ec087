"""A rule's example, run both ways: what differs is shown, and no more is claimed than was seen."""

from __future__ import annotations

import sys

import pytest
from torchlore.device import Crew, Interpreter, LineValue, RunError, RunResult, Trust, Value, Warned, run
from torchlore.proof import Proof, Versions, proven, versions_of
from torchlore.rules import Family, all_rules, rule_by_code_or_name

THIS = Interpreter(sys.executable, "this")


def result(**more: object) -> RunResult:
    plain = RunResult(True, "finished", 0, "", "", False, None, 0.1, "cpu", None)
    names = RunResult.__dataclass_fields__
    return RunResult(**({name: getattr(plain, name) for name in names} | more))  # type: ignore[arg-type]


def named(name: str, text: str) -> LineValue:
    return LineValue(1, name, Value("object", "int", text))


def test_what_differs() -> None:
    bad = result(
        stdout="1\n",
        warnings=(Warned("UserWarning", "careful", 1),),
        lines=(named("x", "1"), named("y", "<a at 0x12>")),
    )
    good = result(lines=(named("x", "2"), named("y", "<a at 0xff>"), named("", "3")))
    proof = Proof(bad, good)
    assert proof.rows()[1:] == [
        ("outcome", "finished", "finished"),
        ("warns", "careful", ""),
        ("prints", "1", ""),
        ("x", "1", "2"),
    ]
    assert "from the mistake alone" in proof.verdict()


def test_nothing_is_claimed_where_nothing_differs() -> None:
    assert "ends alike" in Proof(result(), result()).verdict()


def test_nothing_is_claimed_where_the_good_one_fails() -> None:
    failed = result(ok=False, outcome="error", error=RunError("FileNotFoundError", "model.pt", 3))
    assert "cannot show it" in Proof(result(), failed).verdict()


def test_every_rule_about_torch_has_two_versions() -> None:
    rules = [rule for rule in all_rules() if rule.family is not Family.COMMENTS]
    found = [versions_of(rule) for rule in rules]
    assert None not in found
    assert all(one is not None and one.bad != one.good for one in found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing-zero-grad", {"loss", "model"}),
        ("mismatched-target", {"outcome"}),
        ("softmax-without-dim", {"warns"}),
    ],
)
async def test_the_harm_shows_on_real_torch(name: str, expected: set[str]) -> None:
    pytest.importorskip("torch")
    rule = rule_by_code_or_name(name)
    versions = versions_of(rule) if rule is not None else None
    assert versions is not None
    crew = Crew()

    async def start(code: str, lines: tuple[int, int]) -> RunResult:
        return await run(
            code, name="x", interpreter=THIS, trust=Trust.TRUSTED, device="cpu", lines=lines, crew=crew
        )

    try:
        proof = await proven(versions, start)
        alike = await proven(Versions(versions.good, versions.good), start)
    finally:
        await crew.close()
    assert proof.good.ok, proof.good.stderr
    assert expected <= {row[0] for row in proof.rows()[1:] if row[1] != row[2]}
    assert len(alike.rows()) == 2, "both are seeded alike"
