"""What shapes tensors have, as far as that is certain: through factories, layers, functions and operators."""
