"""From where to where a learning rate goes, by the arguments of its schedule."""

from __future__ import annotations

from torchlore.analysis.notes.certainty import way
from torchlore.analysis.parameters import optimizer_of
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Container, Instance, Value

_HOME = "torch.optim.lr_scheduler."
_PLACES = {
    "StepLR": ("step_size", "gamma"),
    "MultiStepLR": ("milestones", "gamma"),
    "ConstantLR": ("factor", "total_iters"),
    "LinearLR": ("start_factor", "end_factor", "total_iters"),
    "ExponentialLR": ("gamma",),
    "CosineAnnealingLR": ("T_max", "eta_min"),
    "PolynomialLR": ("total_iters", "power"),
    "OneCycleLR": ("max_lr", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy"),
}
"""The parameters of schedules behind the optimizer, by their places, up to those that are told of."""

_DEFAULTS: dict[str, float] = {
    "StepLR.gamma": 0.1,
    "MultiStepLR.gamma": 0.1,
    "ConstantLR.factor": 1 / 3,
    "ConstantLR.total_iters": 5,
    "LinearLR.start_factor": 1 / 3,
    "LinearLR.end_factor": 1.0,
    "LinearLR.total_iters": 5,
    "CosineAnnealingLR.eta_min": 0.0,
    "PolynomialLR.total_iters": 5,
    "OneCycleLR.div_factor": 25.0,
    "OneCycleLR.final_div_factor": 1e4,
}


def course(run: Run, schedule: Instance) -> str | None:
    """The course of a learning rate in a few words: `0.1 → 0 in 50 steps`; None where it is not certain."""
    optimizer = optimizer_of(schedule)
    given = schedule.arguments
    name = schedule.cls.removeprefix(_HOME) if isinstance(schedule.cls, str) else ""
    if name not in _PLACES or given is None or not given.complete or not isinstance(optimizer, Instance):
        return None
    goes_on = len(given.positional) > len(_PLACES[name]) + 1 or "last_epoch" in given.keywords
    if goes_on or not _is_alone(run, schedule) or way(run, optimizer) is None:
        return None
    start = 0.0 if name == "OneCycleLR" else _learning_rate(optimizer)
    return _told(schedule, name, start) if start is not None else None


def _told(schedule: Instance, name: str, start: float) -> str | None:
    def argument(of: str) -> float | None:
        return _argument(schedule, name, of)

    match name:
        case "StepLR":
            text = f"{_n(start)} × {{}} every {{}} steps"
            return _with(text, argument("gamma"), argument("step_size"))
        case "ExponentialLR":
            return _with(f"{_n(start)} × {{}} every step", argument("gamma"))
        case "MultiStepLR":
            return _stepped(schedule, start, argument("gamma"))
        case "ConstantLR":
            factor, until = argument("factor"), argument("total_iters")
            first = None if factor is None else start * factor
            return _with(f"{{}} → {_n(start)} after {{}} steps", first, until)
        case "LinearLR":
            factors = argument("start_factor"), argument("end_factor")
            ends = [None if factor is None else start * factor for factor in factors]
            return _with("{} → {} in {} steps", *ends, argument("total_iters"))
        case "CosineAnnealingLR":
            return _with(f"{_n(start)} → {{}} in {{}} steps", argument("eta_min"), argument("T_max"))
        case "PolynomialLR":
            return _with(f"{_n(start)} → 0 in {{}} steps", argument("total_iters"))
        case _:
            return _one_cycle(argument("max_lr"), argument("div_factor"), argument("final_div_factor"))


def _one_cycle(top: float | None, division: float | None, last: float | None) -> str | None:
    if top is None or not division or not last:
        return None
    return f"{_n(top / division)} → {_n(top)} → {_n(top / division / last)}"


def _stepped(schedule: Instance, start: float, gamma: float | None) -> str | None:
    given = schedule.arguments
    milestones = given.get(1, "milestones") if given is not None else None
    if not isinstance(milestones, Container) or milestones.items is None or gamma is None:
        return None
    steps = [step for step in map(_number, milestones.items) if step is not None]
    if not steps or len(steps) < len(milestones.items):
        return None
    return f"{_n(start)} → {_n(start * gamma ** len(steps))} from step {_n(max(steps))}"


def _with(text: str, *numbers: float | None) -> str | None:
    known = [number for number in numbers if number is not None]
    return text.format(*map(_n, known)) if len(known) == len(numbers) else None


def _n(number: float) -> str:
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def _argument(schedule: Instance, name: str, argument: str) -> float | None:
    """The number that an argument is; None where it is another thing, or not known."""
    given = schedule.arguments
    places = _PLACES[name]
    place = places.index(argument) + 1 if argument in places else -1
    value = given.get(place, argument) if given is not None else None
    if value is None:
        return _DEFAULTS.get(f"{name}.{argument}")
    return _number(value)


def _number(value: Value | None) -> float | None:
    """A number that is written, or that a name stands for; None where it is anything else."""
    found = value.value if isinstance(value, Const) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _learning_rate(optimizer: Instance) -> float | None:
    """The learning rate that an optimizer is made with; None where its groups may have others."""
    given = optimizer.arguments
    if given is None or not given.complete or isinstance(given.get(0, "params"), Container):
        return None
    return _number(given.get(1, "lr"))


def _is_alone(run: Run, schedule: Instance) -> bool:
    """Whether nothing else sets the learning rates of the optimizer: no schedule, and no hand."""
    optimizer = optimizer_of(schedule)
    by_hand = (owner for node, owner in run.owners.items() if node.attr == "param_groups")
    if any(option is optimizer for owner in by_hand for option in options(owner)):
        return False
    others = (made for made in run.made.values() if isinstance(made, Instance) and made is not schedule)
    return not any(
        isinstance(made.cls, str) and made.cls.startswith(_HOME) and optimizer_of(made) is optimizer
        for made in others
    )
