"""The judge of `test_truth.py` lets nothing wrong pass where a description makes a claim."""

import pytest

torch = pytest.importorskip("torch", reason="what fits is judged on torch's own objects")

from fitting import fits  # noqa: E402

LIVE = torch.ones(2, requires_grad=True)
LAYER = torch.nn.Linear(2, 3)


@pytest.mark.parametrize(
    ("words", "value", "fit"),
    [
        ("tensor attached", LIVE, True),
        ("tensor detached", LIVE, False),
        ("tensor attached (float32)", LIVE.detach(), False),
        ("tensor[2, 3] detached", torch.zeros(2, 3), True),
        ("tensor[2, ?] detached", torch.zeros(2, 3), True),
        ("tensor[..., 3] detached", torch.zeros(2, 3), True),
        ("tensor[..., 3] detached", torch.zeros(3, 2), False),
        ("tensor[2, 3] attached", torch.zeros(2, 3), False),
        ("tensor[2] detached", torch.zeros(2, 3), False),
        ("tensor[2, 3, 4] detached", torch.zeros(2, 3), False),
        ("tensor[] detached", torch.tensor(1.0), True),
        ("tensor[] detached", torch.zeros(1), False),
        ("tensor", LIVE, True),
        ("tensor", 3, False),
        ("tensor detached by convention", LIVE, True),
        ("module torch.nn.Linear(2, 3)", LAYER, True),
        ("module torch.nn.Linear(3, 2)", LAYER, False),
        ("module torch.nn.Linear", LAYER, True),
        ("module torch.nn.Linear(unknown, 3)", LAYER, True),
        ("module torch.nn.ReLU", LAYER, False),
        ("module torch.nn.ReLU | module torch.nn.Linear(2, 3)", LAYER, True),
        ("module torch.nn.ReLU | None", None, True),
        ("None", LAYER, False),
        ("'a'", "b", False),
        ("1", True, False),
        ("number", 2.5, True),
        ("number", "2.5", False),
        ("list of number", [1, 2], True),
        ("list of number", [1, "2"], False),
        ("list of (number | 'x')", [1, "x"], True),
        ("list of number", (1, 2), False),
        ("dict of number", {"a": 1}, True),
        ("dict of number", {"a": "b"}, False),
        ("tuple(tensor attached, number)", (LIVE, 1), True),
        ("tuple(tensor attached, number)", (LIVE, "1"), False),
        ("tuple(tensor attached, number)", (LIVE, 1, 1), False),
        ("tuple()", (), True),
        ("object Trainer", LAYER, False),
        ("torch.nn.Linear", torch.nn.Linear, True),
        ("torch.nn.Linear", torch.nn.ReLU, False),
        ("unknown", LAYER, True),
    ],
)
def test_fits(words: str, value: object, fit: bool) -> None:
    assert fits(words, value) is fit
