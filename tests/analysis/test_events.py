"""Paths: what can come after what, and how often."""

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, events, places
from torchlore.text import Source

SETUP = """
import torch
model = torch.nn.Linear(1, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.ones(1, 1)
flag = input()
"""


def _order(code: str) -> list[str]:
    """The training events of the module, in the order of the text."""
    wanted = {Kind.CLEAR, Kind.BACKWARD, Kind.STEP, Kind.TRAIN, Kind.EVAL}
    root = analyze(Source(SETUP + code)).roots[0]
    return [event.kind.name.lower() for event in events(root.path) if event.kind in wanted]


def _before_step(code: str) -> set[str]:
    """What can have happened to the gradients last when `step` is reached."""

    def move(event: Event, state: str) -> str:
        return event.kind.name.lower() if event.kind in (Kind.CLEAR, Kind.BACKWARD, Kind.STEP) else state

    root = analyze(Source(SETUP + code)).roots[0]
    reached = walk(root.path, "nothing", move)
    return {state for event, states in reached.items() if event.kind is Kind.STEP for state in states}


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("opt.zero_grad()\nmodel(x).sum().backward()\nopt.step()", ["clear", "backward", "step"]),
        ("model.zero_grad()\nmodel.train()\nmodel.eval()", ["clear", "train", "eval"]),
        ("model.train(False)", ["eval"]),
        ("for p in model.parameters():\n    p.grad = None", ["clear"]),
        ("for p in model.parameters():\n    p.grad.zero_()", ["clear"]),
        ("for g in opt.param_groups:\n    for p in g['params']:\n        p.grad = None", ["clear"]),
        ("def f():\n    opt.zero_grad()\nf()\nopt.step()", ["clear", "step"]),
        (
            "def closure():\n    opt.zero_grad()\n    model(x).sum().backward()\nopt.step(closure)",
            ["clear", "backward", "step"],
        ),
        (
            "scaler = torch.amp.GradScaler()\nscaler.scale(model(x).sum()).backward()\nscaler.step(opt)",
            ["backward", "step"],
        ),
        ("[o.zero_grad() for o in (opt,)]", ["clear"]),
        ("torch.autograd.backward(model(x).sum())", ["backward"]),
        ("g = torch.autograd.grad(model(x).sum(), x)", []),
        ("if False:\n    opt.step()", []),
    ],
)
def test_order(code: str, order: list[str]) -> None:
    assert _order(code) == order


@pytest.mark.parametrize(
    ("code", "states"),
    [
        ("opt.step()", {"nothing"}),
        ("for _ in range(3):\n    opt.step()", {"nothing", "step"}),
        ("for _ in range(3):\n    opt.zero_grad()\n    opt.step()", {"clear"}),
        ("if flag:\n    opt.zero_grad()\nopt.step()", {"nothing", "clear"}),
        (
            "if flag:\n    opt.zero_grad()\nelse:\n    model(x).sum().backward()\nopt.step()",
            {"clear", "backward"},
        ),
        ("while True:\n    opt.zero_grad()\n    if flag:\n        break\nopt.step()", {"nothing", "clear"}),
        ("for _ in x:\n    if flag:\n        continue\n    opt.zero_grad()\n    opt.step()", {"clear"}),
        (
            "def f():\n    if flag:\n        return\n    opt.zero_grad()\nf()\nopt.step()",
            {"nothing", "clear"},
        ),
        (
            "def f():\n    opt.zero_grad()\n    raise ValueError\ntry:\n    f()\nexcept ValueError:\n    pass\nopt.step()",
            {"nothing"},
        ),
        ("try:\n    opt.zero_grad()\nfinally:\n    opt.step()", {"clear"}),
        (
            "match flag:\n    case 1:\n        opt.zero_grad()\n    case _:\n        pass\nopt.step()",
            {"nothing", "clear"},
        ),
    ],
)
def test_states_before_step(code: str, states: set[str]) -> None:
    assert _before_step(code) == states


def test_a_loop_split_over_functions_is_one_loop() -> None:
    code = (
        SETUP + "def one():\n    model(x).sum().backward()\n    opt.step()\nfor _ in range(3):\n    one()\n"
    )
    root = analyze(Source(code)).roots[0]
    steps = [place for place in places(root.path) if place.event.kind is Kind.STEP]
    assert [len(place.loops) for place in steps] == [1]


def test_recursion_ends_in_havoc() -> None:
    root = analyze(Source(SETUP + "def f(n):\n    opt.step()\n    f(n - 1)\nf(3)\n")).roots[0]
    assert [e.kind for e in events(root.path) if e.kind in (Kind.STEP, Kind.HAVOC)] == [Kind.STEP, Kind.HAVOC]


def test_a_private_method_of_a_base_may_construct_it() -> None:
    code = "import torch\nclass A(torch.ao.nn.quantized.Conv3d):\n    def __init__(self):\n        super()._init(1)\nA()\n"
    root = analyze(Source(code)).roots[0]
    assert Kind.ESCAPE in [e.kind for e in events(root.path)]


def test_what_code_elsewhere_is_given_escapes() -> None:
    root = analyze(Source(SETUP + "import helper\nhelper.fit(opt)\nprint(opt)\n")).roots[0]
    assert [e.node.lineno for e in events(root.path) if e.kind is Kind.ESCAPE] == [8]


def test_loops_in_one_another_are_not_walked_again_and_again() -> None:
    """Twelve loops, each of which takes two turns: the innermost event would be met 4 096 times."""
    code = (
        "".join("    " * depth + f"for i{depth} in x:\n" for depth in range(12)) + "    " * 12 + "opt.step()"
    )
    met = []

    def move(event: Event, state: str) -> str:
        met.append(event)
        return event.kind.name

    root = analyze(Source(SETUP + code)).roots[0]
    reached = walk(root.path, "nothing", move, (Kind.STEP,))
    assert list(reached.values()) == [{"nothing", "STEP"}]
    assert len(met) < 10


def test_events_and_places_of_one_kind() -> None:
    root = analyze(Source(SETUP + "for i in x:\n    opt.step()\nopt.zero_grad()")).roots[0]
    assert list(root.of(Kind.STEP)) == [event for event in root.events if event.kind is Kind.STEP]
    (place,) = root.places_of(Kind.STEP)
    assert len(place.loops) == 1
    assert root.of(Kind.BACKWARD) == root.places_of(Kind.BACKWARD) == ()


@pytest.mark.parametrize("name", ["'fc'", "f'fc{flag}'", "flag"])
def test_setattr_registers_modules_by_whatever_name(name: str) -> None:
    code = f"class Net(torch.nn.Module):\n    pass\nnet = Net()\nsetattr(net, {name}, model)\nsetattr(net, {name}, 1)"
    analysis = analyze(Source(SETUP + code))
    net, model = (analysis.run.home.names[name] for name in ("net", "model"))
    (event,) = analysis.roots[0].of(Kind.REGISTER)
    assert event.subject is net and event.value is model


def test_an_item_of_a_container_is_registered() -> None:
    code = "net = torch.nn.Sequential(model)\nnet[0] = layer = torch.nn.Linear(2, 2)\n[1][0] = model"
    analysis = analyze(Source(SETUP + code))
    net, layer = (analysis.run.home.names[name] for name in ("net", "layer"))
    (event,) = analysis.roots[0].of(Kind.REGISTER)
    assert event.subject is net and event.value is layer
