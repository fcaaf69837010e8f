"""A device is what was asked for, or an error; a GPU that stands idle is pointed out."""

from __future__ import annotations

import pytest

from nst import devices
from nst.errors import UserError

CURE = "install more"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A machine whose NVIDIA driver runs once the file is there."""
    monkeypatch.setattr(devices, "DRIVER_FILES", (str(tmp_path / "version"),))
    return tmp_path / "version"


def choose(wanted, *here):
    return devices.choose(wanted, here, "Torch", CURE)


def test_auto_takes_the_first_and_a_name_itself(driver):
    assert choose("auto", "cuda", "cpu") == ("cuda", ())
    assert choose("cuda", "cuda", "cpu") == ("cuda", ())
    assert choose("auto", "cpu") == ("cpu", ())


def test_a_gpu_left_idle_by_choice_is_pointed_out(driver):
    assert choose("cpu", "mps", "cpu") == ("cpu", ("a GPU is present and not used: try --device mps",))


def test_a_gpu_the_framework_cannot_use_is_pointed_out_with_the_cure(driver):
    driver.touch()
    assert choose("auto", "cpu") == ("cpu", (f"a GPU is present, but this Torch cannot use it: {CURE}",))


def test_a_device_that_is_not_here_is_an_error_with_what_is(driver):
    with pytest.raises(UserError, match="device 'cuda' is not available here") as caught:
        choose("cuda", "cpu")
    assert caught.value.hint == "this Torch can use: cpu"


def test_a_gpu_asked_for_in_vain_names_the_cure(driver):
    driver.touch()
    with pytest.raises(UserError) as caught:
        choose("cuda", "cpu")
    assert CURE in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "native", "expected"),
    [
        ("auto", True, "bfloat16"),
        ("auto", False, "float32"),
        ("float32", True, "float32"),
        ("bfloat16", False, "bfloat16"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_native_and_a_name_is_a_name(wanted, native, expected):
    assert devices.precision(wanted, native) == expected


@pytest.mark.parametrize(
    ("text", "has_it"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 sse\n", True),
        ("processor\t: 0\nflags\t\t: fpu amx_bf16\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx512f\n", False),
        ("Features\t: fp asimd bf16\n", False),
        (None, False),
    ],
)
def test_a_processor_has_bfloat16_when_the_system_says_so(tmp_path, monkeypatch, text, has_it):
    file = tmp_path / "cpuinfo"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(devices, "CPU_FILE", str(file))
    assert devices.cpu_has_bfloat16() is has_it
