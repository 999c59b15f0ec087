"""Control groups: where one can be had a run is in one, and nothing fails where none can."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from device_support import SMALL, execute
from torchlore_agent import cgroups

LIMITS = {"memory": 1600, "processes": 10}
THREADS = str(10 + 16 * (os.cpu_count() or 1))


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """A tree as systemd hands it to a user. The files of a group that the kernel makes are written by us."""
    user = tmp_path / "groups" / "user.slice" / "user@1000.service"
    for folder in (user / "app.slice" / "editor.scope", user / "app.slice", user):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text(
            "cpu memory pids\n" if folder.name != "editor.scope" else ""
        )
    root = tmp_path / "groups"
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    return root


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/user.slice/user@1000.service/app.slice/editor.scope\n")
    return path


def group(mount: Path, own: Path, **limits: int | None) -> cgroups.Group | None:
    return cgroups.group_for({**LIMITS, **limits}, str(mount), str(own))


def test_it_stands_beside_ours_and_has_the_limits(mount: Path, own: Path) -> None:
    made = group(mount, own)
    assert made is not None
    path = Path(made.path)
    assert path.parent == mount / "user.slice" / "user@1000.service" / "app.slice"
    assert {file.name: file.read_text() for file in path.iterdir()} == {
        "pids.max": THREADS,
        "memory.max": "1700",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
    }
    assert cgroups.join(made.path) and (path / "cgroup.procs").read_text() == str(os.getpid())


def test_without_a_limit_of_memory_there_is_none(mount: Path, own: Path) -> None:
    made = group(mount, own, memory=None)
    assert made is not None and [file.name for file in Path(made.path).iterdir()] == ["pids.max"]


@pytest.mark.parametrize(
    "said",
    ["", "4:memory:/somewhere\n", "0::/\n", "0::/../outside/deep\n", "0::/system.slice/deep/er\n", "\0\n0::"],
)
def test_where_none_can_be_had(said: str, mount: Path, own: Path) -> None:
    own.write_text(said)
    assert group(mount, own) is None


@pytest.mark.parametrize(
    ("setting", "value", "stays"),
    [
        ("memory.max", "max\n", True),
        ("memory.max", "1000000\n", False),
        ("memory.high", "1000000\n", False),
        ("cpu.max", "max 100000\n", True),
        ("cpu.max", "50000 100000\n", False),
    ],
)
def test_limits_that_somebody_set_for_us_are_not_left(
    setting: str, value: str, stays: bool, mount: Path, own: Path
) -> None:
    scope = mount / "user.slice" / "user@1000.service" / "app.slice" / "editor.scope"
    (scope / setting).write_text(value)
    assert (group(mount, own) is not None) is stays


def test_no_more_threads_than_ours_may_have(mount: Path, own: Path) -> None:
    scope = mount / "user.slice" / "user@1000.service" / "app.slice" / "editor.scope"
    (scope / "pids.max").write_text("7\n")
    made = group(mount, own)
    assert made is not None and (Path(made.path) / "pids.max").read_text() == "7"


def test_version_1_has_none(mount: Path, own: Path) -> None:
    (mount / "cgroup.controllers").unlink()
    assert group(mount, own) is None


def test_controllers_that_were_not_handed_on(mount: Path, own: Path) -> None:
    for file in mount.rglob("cgroup.subtree_control"):
        file.write_text("cpu pids\n")
    assert group(mount, own) is None


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert group(tmp_path / "none", tmp_path / "neither") is None
    assert not cgroups.join(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("events", "ran_out"), [("oom 2\noom_kill 0\n", False), ("oom 2\noom_kill 1\n", True)]
)
def test_the_kernel_tells_that_memory_ran_out(events: str, ran_out: bool, tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text(events)
    assert cgroups.Group(str(tmp_path)).ran_out_of_memory() is ran_out


def test_all_in_it_are_killed_where_the_kernel_can(tmp_path: Path) -> None:
    cgroups.Group(str(tmp_path)).kill()
    assert not (tmp_path / "cgroup.kill").exists()
    (tmp_path / "cgroup.kill").touch()
    cgroups.Group(str(tmp_path)).kill()
    assert (tmp_path / "cgroup.kill").read_text() == "1"


def test_groups_of_agents_that_were_killed_are_removed(mount: Path, own: Path) -> None:
    slice_ = mount / "user.slice" / "user@1000.service" / "app.slice"
    for name in ("torchlore-999999999-1", f"torchlore-{os.getpid()}-1", "torchlore-x", "other-999999999-1"):
        (slice_ / name).mkdir()
    group(mount, own)
    left = {path.name for path in slice_.iterdir() if path.is_dir()}
    assert left >= {f"torchlore-{os.getpid()}-1", "torchlore-x", "other-999999999-1"}
    assert "torchlore-999999999-1" not in left


def test_an_empty_one_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "group"
    path.mkdir()
    cgroups.Group(str(path)).remove()
    assert not path.exists()
    cgroups.Group(str(path)).remove()


def _real() -> cgroups.Group | None:
    made = cgroups.group_for({"memory": None, "processes": 10})
    if made is not None:
        made.remove()
    return made


@pytest.mark.skipif(_real() is None, reason="this user may make no control group here")
async def test_a_run_is_in_a_group_that_ends_it_where_it_takes_too_much() -> None:
    where = (await execute("print(open('/proc/self/cgroup').read())")).stdout
    assert "/torchlore-" in where
    # Faster than anybody looks, and in pieces that each are allowed.
    code = "held = [bytearray(b'x') * (1 << 20) for _ in range(4000)]"
    result = await execute(code, limits=SMALL)
    assert result.outcome == "memory limit" and result.exit_code in (1, -signal.SIGKILL)
