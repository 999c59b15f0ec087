"""What packing stores, and which results it changes."""

import torch
from torch import nn
from torch.nn.utils import rnn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

sequences = [torch.tensor(values, device=device) for values in ([1.0, 2.0], [3.0, 4.0, 5.0], [6.0])]
lengths = torch.tensor([len(s) for s in sequences])  # stays on the CPU
padded = rnn.pad_sequence(sequences, batch_first=True)
packed = rnn.pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
print(padded.tolist(), "->", packed.data.tolist(), "in steps of", packed.batch_sizes.tolist())
assert packed.data.tolist() == [3, 1, 6, 4, 2, 5] and packed.batch_sizes.tolist() == [3, 2, 1]
back, counts = rnn.pad_packed_sequence(packed, batch_first=True)
assert back.equal(padded) and counts.equal(lengths)
close(rnn.unpack_sequence(packed), sequences)

x = padded.unsqueeze(-1)
packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
for both in (False, True):
    gru = nn.GRU(1, 4, batch_first=True, bidirectional=both).to(device)
    (packed_output, final), (plain_output, plain_final) = gru(packed), gru(x)
    output, _ = rnn.pad_packed_sequence(packed_output, batch_first=True)
    alone = torch.stack([gru(s[None, :, None])[1].transpose(0, 1)[0] for s in sequences], dim=1)
    close(final, alone, atol=1e-4, rtol=1e-4)  # packed: as if each sequence were alone
    off = (plain_final - alone).abs().amax((0, 2)).tolist()
    print(f"bidirectional {both!s:5}: error of h_n without packing, by sequence:", *(f"{e:.2f}" for e in off))
    assert off[0] > 0.01 and off[1] < 1e-4
    assert output[0, 2].abs().sum() == 0  # padding of the output is zero
    same = torch.allclose(output[0, :2], plain_output[0, :2], atol=1e-4)  # outputs at real steps
    assert same is not both
last = gru(x)[0][torch.arange(3), lengths - 1, :4]  # without packing: pick the last real step
close(last, final[0], atol=1e-4, rtol=1e-4)  # right for the forward direction
mapped = packed_output._replace(data=nn.Linear(8, 2).to(device)(packed_output.data))
assert rnn.pad_packed_sequence(mapped, batch_first=True)[0].shape == (3, 3, 2)
