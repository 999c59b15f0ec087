"""A worker that raises, one that hangs, and how to learn where it stands."""

import faulthandler
import functools
import gc
import tempfile
import time
from pathlib import Path

from torch.utils.data import DataLoader


def load(batch):
    if batch == ["raises"]:
        raise ValueError("cannot decode cat.jpg")
    if batch == ["hangs"]:
        time.sleep(3600)  # a lock, a dead network share
    return batch


def watch(path, worker):  # in the worker: after a second, write where every thread stands
    faulthandler.dump_traceback_later(1, file=path.open("w"))


if __name__ == "__main__":  # without this line, spawned workers start the program again
    with tempfile.TemporaryDirectory() as folder:
        start = functools.partial(watch, trace := Path(folder) / "trace.txt")
        for what in ("raises", "hangs"):
            try:
                list(
                    DataLoader(["ok", what], num_workers=1, timeout=3, collate_fn=load, worker_init_fn=start)
                )
            except Exception as error:
                print(f"{what}: {type(error).__name__}:", str(error).splitlines()[0])
                assert str(error).endswith(("cannot decode cat.jpg\n", "timed out after 3 seconds"))
            gc.collect()  # the iterator that failed, before the next worker is forked
        place = next(line for line in trace.read_text().splitlines() if "in load" in line).split("/")[-1]
    print("where it stands:", place)
    assert "line 17" in place
