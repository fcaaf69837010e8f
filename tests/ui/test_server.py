"""Test the address and password of the server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import UserError
from nst.ui.server import HOME, Address, address


def test_the_page_is_served_to_this_machine_by_default():
    assert address("127.0.0.1", 7860, "") == Address("127.0.0.1", 7860, None)


@given(host=st.text(min_size=1).filter(lambda host: host not in HOME))
def test_no_other_address_is_served_without_a_password(host):
    with pytest.raises(UserError, match="lets others in"):
        address(host, 7860, "")


def test_any_address_can_be_served_with_a_password():
    assert address("0.0.0.0", 80, "ada:love:lace").auth == ("ada", "love:lace")


@pytest.mark.parametrize("auth", ["ada", "ada:", ":lovelace", ":"])
def test_an_incomplete_password_is_refused(auth):
    with pytest.raises(UserError, match="not USER:PASSWORD"):
        address("127.0.0.1", 7860, auth)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(UserError, match="--port must be 0 to 65535"):
        address("127.0.0.1", port, "")
