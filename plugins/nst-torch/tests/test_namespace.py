"""The functions losses compute in: the array API's, the product of features with themselves among them."""

from __future__ import annotations

import pytest
import torch

from nst.vgg.reference import NAMES
from nst_torch.namespace import Torch

pytestmark = pytest.mark.frameworks
xp = Torch("cpu")


@pytest.fixture
def rows():
    torch.manual_seed(0)
    return torch.randn(70, 12, requires_grad=True)


def test_every_function_a_loss_may_call_is_there():
    assert all(callable(getattr(xp, name)) for name in NAMES)


def gradients(product, *leaves):
    weights = torch.arange(product.numel()).reshape(product.shape) / product.numel()
    return torch.autograd.grad((product * weights).sum(), leaves)


def test_a_gram_matrix_and_its_gradient_are_the_plain_product_s(rows):
    found, expected = xp.matmul(xp.permute_dims(rows, (1, 0)), rows), rows.T @ rows
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(found, rows), gradients(expected, rows))


def test_a_product_with_a_fixed_copy_of_itself_is_no_gram_matrix(rows):
    """The same memory, but only one of the two is to be differentiated."""
    for found, expected in (
        (xp.matmul(rows.detach().T, rows), rows.detach().T @ rows),
        (xp.matmul(rows.T, rows.detach()), rows.T @ rows.detach()),
    ):
        torch.testing.assert_close(gradients(found, rows), gradients(expected, rows))


def test_products_of_different_things_are_plain(rows):
    other = torch.randn(70, 12, requires_grad=True)
    found, expected = xp.matmul(rows.T, other), rows.T @ other
    torch.testing.assert_close(gradients(found, rows, other), gradients(expected, rows, other))
    square = torch.randn(5, 5)
    torch.testing.assert_close(xp.matmul(square, square), square @ square)
    torch.testing.assert_close(xp.matmul(square, square[0]), square @ square[0])


def test_a_new_matrix_is_on_the_device():
    """PyTorch's own place for it is the CPU, where a loss on a GPU could not multiply with it."""
    assert Torch("meta").eye(3).device.type == "meta"
