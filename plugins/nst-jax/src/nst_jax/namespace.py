"""`nst.protocols.Namespace` on JAX: `jax.numpy`, its products of matrices in full float32 on a GPU too."""

from __future__ import annotations

import jax.numpy as jnp
from jax.lax import Precision

from nst.protocols import Tensor

mean = jnp.mean
sum = jnp.sum
square = jnp.square
sqrt = jnp.sqrt
abs = jnp.abs
maximum = jnp.maximum
reshape = jnp.reshape
permute_dims = jnp.permute_dims
concat = jnp.concat
eye = jnp.eye
sort = jnp.sort


def matmul(x: Tensor, y: Tensor, /) -> Tensor:
    """Multiply matrices, stacks of matrices, and vectors; never in TensorFloat-32."""
    return jnp.matmul(x, y, precision=Precision.HIGHEST)
