"""What a trainer takes over, in a few lines: hooks in a fixed order, and the weights of the loop by hand."""

import torch
from torch.nn import Linear, MSELoss

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def fit(module, train, val, accumulate=1):
    optimizer = module.to(device).configure_optimizers()
    for index, batch in enumerate(train, 1):
        loss = module.train().training_step(batch.to(device)) / accumulate
        optimizer.zero_grad() if index % accumulate == 1 % accumulate else None
        loss.backward()
        optimizer.step() if index % accumulate == 0 else None
    with torch.no_grad():
        return [module.eval().validation_step(batch.to(device)).item() for batch in val]


class Autoencoder(Linear):
    def training_step(self, batch):  # returns the loss: no backward, no step
        return MSELoss()(self(batch), batch)

    def validation_step(self, batch):
        assert not self.training and not torch.is_grad_enabled()
        return self.training_step(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


torch.manual_seed(0)
batches, module, by_hand = torch.randn(4, 8, 5), Autoencoder(5, 5), Linear(5, 5).to(device)
by_hand.load_state_dict(module.state_dict())
print("validation:", fit(module, batches, batches[:2], accumulate=4))  # one step: the mean of four batches
x = batches.flatten(0, 1).to(device)
MSELoss()(by_hand(x), x).backward()
torch.optim.SGD(by_hand.parameters(), lr=0.1).step()
torch.testing.assert_close(module.weight, by_hand.weight)
