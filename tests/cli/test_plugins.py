"""`nst plugins`: who is installed, what each offers and declares, and what is wrong with any."""

from __future__ import annotations

import json
import re

import pytest

from nst.plugins.discovery import EntryPoint

OWN = {"nst", "nst-torch", "nst-optimizers", "nst-initializers"}


@pytest.fixture
def ill(tmp_path, monkeypatch):
    """Installs a healthy plugin of ours beside one that fails to import and one for another nst."""
    (tmp_path / "ill.py").write_text("raise RuntimeError('a\\nfever')\n")
    monkeypatch.syspath_prepend(tmp_path)
    entries = [
        EntryPoint("nst.v1", "nst", "nst.losses", "nst", "0.1.0"),
        EntryPoint("nst.v1", "ill", "ill", "nst-ill", "1.0"),
        EntryPoint("nst.v0", "old", "old", "nst-old", "0.9"),
    ]
    return lambda: monkeypatch.setattr("nst.plugins.host.discover", lambda: entries)


def rows(text):
    return {line.split()[0]: line for line in text.splitlines()}


def test_list_is_a_table_of_what_each_offers(nst):
    done = nst("plugins", "list")
    assert (done.code, done.err) == (0, "")
    table = rows(done.out)
    assert table["PLUGIN"].split() == ["PLUGIN", "VERSION", "STATUS", "OFFERS"]
    assert set(table) == {"PLUGIN"} | OWN
    assert table["nst-torch"].split(maxsplit=3)[1:] == ["0.1.0", "ok", "backend: torch-vgg19, torch-vgg16"]
    assert len({line.index("  ok  ") for name, line in table.items() if name != "PLUGIN"}) == 1


def test_list_as_json(nst):
    found = {row["distribution"]: row for row in json.loads(nst("plugins", "list", "--json").out)}
    assert set(found) == OWN
    assert found["nst-optimizers"] == {
        "distribution": "nst-optimizers",
        "version": "0.1.0",
        "module": "nst_optimizers",
        "status": "ok",
        "offers": {"optimizer": ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"]},
        "reason": "",
        "remedy": "",
        "note": "",
    }


def test_list_says_what_is_worth_knowing_of_one_that_is_ok(nst, tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text(
        "import time; time.sleep(0.5)\nfrom nst.losses import *\nfrom nst.losses import nst_losses"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("nst.plugins.host.discover", lambda: [EntryPoint("nst.v1", "slow", "slow", "nst-slow", "1.0")])
    line = rows(nst("plugins", "list").out)["nst-slow"]
    assert re.fullmatch(r"nst-slow  1\.0      ok      loss: gram, .*, range \(takes \d+\.\d s to load\)", line)


def test_list_without_any_says_what_to_install(nst, monkeypatch):
    monkeypatch.setattr("nst.plugins.host.discover", list)
    assert nst("plugins", "list").out == "no plugins installed\nhint: pip install 'nst[torch]'\n"


def test_list_tells_what_is_wrong_and_what_to_do(nst, ill):
    ill()
    done = nst("plugins", "list")
    assert done.code == 0
    table = rows(done.out)
    assert table["nst-ill"].split(maxsplit=2)[2] == "broken     RuntimeError: a fever; pip uninstall nst-ill"
    assert "made for nst.v0, this nst speaks nst.v1; pip install --upgrade nst nst-old" in table["nst-old"]
    assert " ok " in table["nst"]


def test_other_commands_warn_of_them_in_a_line_and_go_on(nst, ill):
    ill()
    done = nst("plugins", "show", "gram")
    assert done.code == 0
    assert done.err.splitlines() == [
        "warning: plugin nst-ill 1.0 is broken: RuntimeError: a fever",
        "warning: plugin nst-old 0.9 is other-api: made for nst.v0, this nst speaks nst.v1",
    ]
    assert done.out.startswith("gram (loss, from nst 0.1.0)")


def test_no_plugins_leaves_nst_alone(nst):
    table = rows(nst("plugins", "list", "--no-plugins").out)
    assert {name: line.split()[2] for name, line in table.items() if name != "PLUGIN"} == {
        name: "ok" if name == "nst" else "disabled" for name in OWN
    }


def test_one_can_be_disabled_by_name(nst, monkeypatch):
    monkeypatch.setenv("NST_DISABLE_PLUGINS", "nst_torch, nst-none")
    assert "  disabled" in rows(nst("plugins", "list").out)["nst-torch"]
    done = nst("plugins", "show", "nst-torch")
    assert done.code == 2
    assert done.errors == ["plugin 'nst-torch' is disabled: it offers nothing"]
    assert done.hints == ["see nst plugins list"]


def test_strict_lets_a_broken_plugin_s_error_through(nst, ill, monkeypatch):
    ill()
    monkeypatch.setenv("NST_STRICT_PLUGINS", "1")
    done = nst("plugins", "list")
    assert done.code == 1
    assert done.errors[0].startswith("RuntimeError: a")


def test_show_tells_everything_a_backend_declares(nst):
    out = nst("plugins", "show", "torch-vgg19").out
    for told in (
        "torch-vgg19 (backend, from nst-torch 0.1.0)\n  VGG-19 on PyTorch\n",
        "  layers: conv1_1, relu1_1, ",
        "pool5\n",
        "  pooling: max, average\n",
        "  padding: zero, reflect, replicate\n",
        "  devices: auto, cpu, cuda, mps\n",
        "  install with: pip install nst-torch\n",
        "    imagenet (548 MB to download)\n      origin: torchvision IMAGENET1K_V1",
        "    compact (ships with nst)\n",
        "      license: CC BY 4.0\n      preprocessing: torchvision\n",
    ):
        assert told in out, told


def test_show_says_when_a_backend_has_no_weights(nst, monkeypatch):
    monkeypatch.setattr(
        "nst.plugins.host.discover", lambda: [EntryPoint("nst.v1", "ex", "nst_example", "nst-example", "1")]
    )
    assert "  weights: none\n" in nst("plugins", "show", "example-backend").out


def test_show_tells_of_each_option_its_default_bounds_choices_and_meaning(nst):
    out = nst("plugins", "show", "noise").out
    assert "    ratio = 1.0 (0 to 1)\n      share of noise, from 0, the content alone, to 1, noise alone\n" in out
    assert "    distribution = uniform (one of uniform, normal)\n      how values are distributed\n" in out


@pytest.mark.parametrize("name", sorted(OWN))
def test_show_fits_into_80_columns(nst, name):
    assert max(map(len, nst("plugins", "show", name).out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["adam", "nst-optimizers:adam"])
def test_show_as_json(nst, name):
    (found,) = json.loads(nst("plugins", "show", name, "--json").out)
    assert (found["type"], found["plugin"], found["name"]) == ("optimizer", "nst-optimizers", "adam")
    assert found["version"] == "0.1.0"
    assert found["factory"] == "nst_optimizers.adam:adam"
    assert found["options"][0]["name"] == "lr"


def test_a_backend_s_own_kind_is_kept_beside_the_kind_of_thing_it_is(nst):
    (found,) = json.loads(nst("plugins", "show", "torch-vgg19", "--json").out)
    assert (found["type"], found["kind"]) == ("backend", "feature")


def test_a_distribution_shows_all_it_offers(nst):
    names = [each["name"] for each in json.loads(nst("plugins", "show", "nst-optimizers", "--json").out)]
    assert names == ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("torch-vg19", "did you mean torch-vgg19 or"),
        ("nst-torh", "did you mean nst-torch"),
        ("GRAMM", "gram"),
        ("", "choose from adam, "),
    ],
)
def test_a_near_miss_is_suggested(nst, name, advice):
    done = nst("plugins", "show", name)
    assert (done.code, done.out) == (2, "")
    assert done.errors == [f"unknown plugin or name '{name}'"]
    assert advice in done.hints[0]


def test_a_broken_plugin_shows_its_reason_and_remedy(nst, ill):
    ill()
    done = nst("plugins", "show", "nst-ill")
    assert done.code == 2
    assert done.errors == ["plugin 'nst-ill' is broken: RuntimeError: a fever"]
    assert done.hints == ["pip uninstall nst-ill"]
