"""Which devices the machine shows, without anything being started."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchlore.device import here


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    here._accelerators.cache_clear()
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.parametrize(
    ("files", "cards"),
    [
        ([], 0),
        (["null", "nvidiactl", "nvidia-uvm"], 0),
        (["nvidia0", "nvidiactl"], 1),
        (["nvidia0", "nvidia1", "nvidia10"], 3),
        (["kfd", "dri/renderD128", "dri/renderD129", "dri/card0"], 2),
        (["kfd"], 1),
        (["dri/renderD128"], 0),
    ],
)
def test_cards_are_counted_by_their_files(tmp_path: Path, files: list[str], cards: int) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert here._cards(tmp_path) == cards


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert here._cards(tmp_path / "nowhere") == 0


def test_several_cards_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_cards", lambda _: 2)
    assert here.devices_here() == ("cuda", "cuda:0", "cuda:1", "cpu", "meta")


def test_one_card_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_cards", lambda _: 1)
    assert here.devices_here("2.13.0+cu130") == ("cuda", "cpu", "meta")


def test_a_torch_without_cuda_has_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_cards", lambda _: 1)
    assert here.devices_here("2.13.0+cpu") == ("cpu", "meta")


def test_a_mac_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert here.devices_here() == ("mps", "cpu", "meta")


def test_windows_has_the_library_of_its_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    assert here._accelerators() == ()
    here._accelerators.cache_clear()
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / "nvcuda.dll").touch()
    assert here._accelerators() == ("cuda",)
