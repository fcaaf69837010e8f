"""The JAX VGG compiles once, gives what the other frameworks give, and says when memory is full."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import devices
from nst.errors import UserError
from nst.testing.vggs import USES, drawn_to
from nst_jax import device, precision
from nst_jax.memory import memory_errors
from nst_jax.vgg import VGG

pytestmark = pytest.mark.frameworks
GPU = device.available()[0] == "cuda"


@pytest.fixture(scope="module")
def backend(make_network):
    return VGG(make_network(), device="cpu", precision="float32")


def test_an_array_gives_an_array_that_nobody_can_write_to(backend, photo):
    objective = drawn_to(backend, [USES["gram"]], photo(20, 20, seed=1))
    ours, host = objective(backend.asarray(photo(20, 20))), objective(photo(20, 20))
    assert isinstance(ours.gradient, jax.Array)
    assert isinstance(host.gradient, np.ndarray)
    np.testing.assert_array_equal(np.asarray(ours.gradient), host.gradient)
    with pytest.raises(TypeError):
        ours.gradient[0] = 0


def test_the_gradient_on_the_host_is_the_caller_s_to_write_to(backend, photo):
    gradient = drawn_to(backend, [USES["gram"]], photo(20, 20, seed=1))(photo(20, 20)).gradient
    gradient += 1


def test_a_size_is_traced_once(backend, photo):
    traces = []

    def loss(image):
        traces.append(image.shape)
        return {"mean": backend.xp.mean(backend.features(image, ["relu2_1"])["relu2_1"])}

    for shape in [(24, 32), (24, 32), (33, 25), (24, 32), (33, 25)]:
        objective = backend.value_and_grad(loss)
        assert objective(photo(*shape)).gradient.shape == (*shape, 3)
        objective(backend.asarray(photo(*shape)))
    assert traces == [(24, 32, 3), (33, 25, 3)]


def test_weights_are_arguments_of_the_program(backend, photo):
    """XLA would copy constants into each program, once per size and kind of tile."""

    def loss(image):
        return {"mean": backend.xp.mean(backend.features(image, ["relu2_1"])["relu2_1"])}

    _, program = backend._program(loss)
    text = program.lower(backend.asarray(photo(24, 32)), backend._own_convs).as_text()
    assert 'dense<"0x' not in text


def test_of_alike_values_the_first_has_the_slope(backend):
    """In a pool, as PyTorch and TensorFlow have it; and a ReLU has none at 0."""
    pool = jax.grad(lambda x: backend._pool(x).sum())(jnp.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(np.ravel(pool), [1, 0, 0, 0])


def test_the_same_image_gives_the_same_bytes(backend, photo):
    found = set()
    for _ in range(2):
        objective = drawn_to(backend, [USES["gram"]], photo(150, 170, seed=1))
        found |= {(each.loss, each.gradient.tobytes()) for each in (objective(photo(150, 170)) for _ in range(3))}
    assert len(found) == 1


def test_in_bfloat16_features_and_gradients_are_float32_and_nearly_the_same(make_network, photo):
    rough, exact = (VGG(make_network(), device="cpu", precision=name) for name in ("bfloat16", "float32"))
    for backend in (rough, exact):
        assert backend.features(photo(), ["relu2_1"])["relu2_1"].dtype == jnp.float32
    losses = [drawn_to(backend, [USES["gram"]], photo(20, 20, seed=1))(photo(20, 20)) for backend in (rough, exact)]
    assert losses[0].loss == pytest.approx(losses[1].loss, rel=0.05)
    assert losses[0].gradient.dtype == np.float32


def test_auto_is_float32_on_a_cpu_whatever_it_has(monkeypatch):
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: True)
    assert precision.choose("auto", "cpu") == "float32"


@pytest.mark.skipif(GPU, reason="this machine has the GPU")
def test_a_missing_gpu_is_an_error_that_names_what_there_is():
    with pytest.raises(UserError, match="'cuda' is not available") as caught:
        device.choose("cuda")
    assert "cpu" in caught.value.hint


def test_memory_that_is_full_is_a_memory_error():
    with pytest.raises(MemoryError), memory_errors():
        jnp.eye(10**6).block_until_ready()
