"""What weights_only refuses, how to see it without running the file, and what it protects from."""

import dataclasses
import os
import pickle
import tempfile

import torch


@dataclasses.dataclass
class Config:
    width: int = 8


class Attack:  # unpickling calls what __reduce__ names
    def __reduce__(self):
        return exec, ("import os; os.environ['ATTACKED'] = 'yes'",)


model = torch.nn.Linear(2, 2)
state = {"model": model.state_dict(), "optimizer": torch.optim.AdamW(model.parameters()).state_dict()}
with tempfile.TemporaryDirectory() as folder:
    good, old, evil = (os.path.join(folder, name) for name in ("good", "old", "evil"))
    torch.save({**state, "config": dataclasses.asdict(Config(16))}, good)
    torch.save({**state, "config": Config(16)}, old)
    torch.save(Attack(), evil)
    assert torch.load(good)["config"]["width"] == 16  # plain values need no permission
    print("the old file needs", torch.serialization.get_unsafe_globals_in_checkpoint(old))
    for refused in (old, evil):
        try:
            torch.load(refused)
        except pickle.UnpicklingError as error:
            print(str(error).split("Unsupported global: ")[1].split(" by default")[0])
    with torch.serialization.safe_globals([Config]):
        assert torch.load(old)["config"].width == 16
    assert "ATTACKED" not in os.environ
    torch.load(evil, weights_only=False)
    assert os.environ["ATTACKED"] == "yes"  # the file was a program
