"""DLPack: memory shared in both directions, strides kept, and what the protocol refuses to export."""

import gc
from types import SimpleNamespace

import numpy
import torch

array = numpy.arange(6.0).reshape(2, 3)
tensor = torch.from_dlpack(array)
tensor[0, 0] = 7
print("written through the tensor, read from the array:", array[0, 0])
assert array[0, 0] == 7 and tensor.data_ptr() == array.ctypes.data
assert torch.from_dlpack(array.T).stride() == (1, 3)  # a transposed array stays a view
assert torch.from_dlpack(array, copy=True).data_ptr() != array.ctypes.data

back = torch.ones(3)
view = numpy.from_dlpack(back)
back[1] = 5
del back
gc.collect()
assert view.tolist() == [1, 5, 1]  # the memory lives as long as its last user

inner = torch.zeros(2)  # any object that forwards the two methods can take part
wrapped = SimpleNamespace(__dlpack__=inner.__dlpack__, __dlpack_device__=inner.__dlpack_device__)
assert torch.from_dlpack(wrapped).data_ptr() == inner.data_ptr()

leaf, conj = torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.complex64).conj()
capsule = torch.utils.dlpack.to_dlpack(torch.ones(2))
torch.from_dlpack(capsule)  # uses it up
refused = {"grad": leaf, "sparse": torch.eye(2).to_sparse(), "conj": conj, "used": capsule}
for name, source in refused.items():
    try:
        torch.from_dlpack(source)
        raise AssertionError(f"exported {name}")
    except (BufferError, RuntimeError) as error:
        print(f"{name:6} {str(error).split('.')[0]}")
