"""What `nst stylize` refuses: all of it before the first step, in words, with exit code 2 and nothing written."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import save_image
from nst.vgg.network import write

pytestmark = pytest.mark.frameworks

PAIR = ["content.png", "style.png", "-o", "out.png"]


@pytest.fixture
def refused(nst, here, fast, unsized):
    """`refused(*words)` for a call on the two pictures, or whatever `call` names instead; checks what always holds."""

    def check(*words, call=PAIR):
        before = listing(here)
        done = nst("stylize", *call, *(unsized if "--sizes" in words else fast), *words)
        assert done.code == 2
        assert done.out == ""
        assert "Traceback" not in done.err
        assert all(line.startswith(("error: ", "hint: ")) for line in done.err.splitlines())
        assert len(done.errors) > 0
        assert len(done.hints) == len(done.errors)
        assert listing(here) == before
        return done

    return check


def listing(folder):
    """Every file below a folder, with its content."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def only(done):
    """The one error of an outcome, and its hint."""
    assert len(done.errors) == 1, done.err
    return done.errors[0], done.hints[0]


def huge_png(path, side):
    """A PNG of a few bytes that says it is `side` pixels wide and high."""
    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


MAKE = {
    "empty.png": lambda path: path.touch(),
    "text.png": lambda path: path.write_text("no picture"),
    "half.png": lambda path: path.write_bytes(Path("content.png").read_bytes()[:2000]),
    "folder.png": lambda path: path.mkdir(),
    "bomb.png": lambda path: huge_png(path, 30_000),
}


@pytest.mark.parametrize(
    ("name", "message", "advice"),
    [
        ("contnt.png", "there is no file contnt.png", "did you mean content.png?"),
        ("far/content.png", "there is no file", "there is no folder far either"),
        ("empty.png", "empty.png is empty", "PNG"),
        ("text.png", "text.png is not a picture", "PNG"),
        ("half.png", "cannot read half.png", "it may be incomplete"),
        ("folder.png", "folder.png is a folder", "name one picture"),
        ("bomb.png", "bomb.png has more than 89,478,485 pixels", "--max-pixels"),
    ],
)
@pytest.mark.parametrize("place", ["content", "style", "init"])
def test_a_picture_that_cannot_be_read(refused, here, place, name, message, advice):
    if name in MAKE:
        MAKE[name](here / name)
    if (place, name) == ("style", "folder.png"):  # a folder of works is one style, but this one is empty
        message, advice = "no pictures in the folder", ".png"
    pictures = {"content": "content.png", "style": "style.png"} | ({place: name} if place != "init" else {})
    start = ["--init", name] if place == "init" else []
    error, hint = only(refused(*start, call=[*pictures.values(), "-o", "out.png"]))
    assert message in error
    assert advice in hint


def test_max_pixels_decides_what_is_too_large(refused, nst, here, fast):
    done = refused("--max-pixels", "1000")
    assert done.errors == ["content.png has more than 1,000 pixels", "style.png has more than 1,000 pixels"]
    assert "--max-pixels" in done.hints[0]
    assert nst("stylize", *PAIR, *fast, "--max-pixels", "1728").code == 0
    assert only(refused("--max-pixels", "0"))[0] == "--max-pixels must be 1 or more, not 0"


def test_pictures_too_small_name_the_smallest_size(refused, here, photo):
    save_image(here / "thin.png", photo(7, 3000))
    save_image(here / "dot.png", np.zeros((1, 1, 3), np.float32))
    error, hint = only(refused(call=["thin.png", "style.png", "-o", "out.png"]))
    assert "'thin.png' (3000×7) would be 48×1 pixels" in error
    assert "a size of at least 6858" in hint
    error, hint = only(refused(call=["content.png", "dot.png", "-o", "out.png"]))
    assert "'dot.png' (1×1) would be 1×1 pixels" in error
    assert "at least 16 pixels" in hint


@pytest.mark.parametrize(
    ("words", "message", "advice"),
    [
        ("--style-layers relu6_1", "unknown layer in --style-layers: 'relu6_1'", "did you mean relu5_1"),
        ("--content-layers block4_conv9", "unknown layer in --content-layers: 'relu4_9'", "conv1_1 … pool5"),
        ("--style-layers ,", "--style-layers names no layer", "name at least one"),
        ("--style-layers relu1_1=a", "'relu1_1=a' is not a number", "relu4_2=0.5"),
        (
            "--loss mean-std=20@relu9_9 --loss mean-std=20@relu1_1",
            "unknown layer in --loss mean-std: 'relu9_9'",
            "conv1_1 … pool5",
        ),
        ("--backend torch-vg19", "unknown backend 'torch-vg19'", "did you mean torch-vgg19"),
        ("--optimizer lbgfs", "unknown optimizer 'lbgfs'", "did you mean lbfgs"),
        ("--init nosie", "unknown initializer 'nosie'", "did you mean noise?"),
        ("--style-loss gramm", "unknown loss 'gramm'", "did you mean gram?"),
        ("--content-loss gram", "'gram' is not a content loss", "--content-loss takes a content loss"),
        ("--preset quik", "unknown preset 'quik'", "did you mean quick?"),
        ("--pooling avrage", "unknown pooling 'avrage'", "did you mean average?"),
        ("--device cdua", "unknown device 'cdua'", "did you mean cuda?"),
        ("--optimizer-option histroy=3", "unknown option of lbfgs: 'histroy'", "did you mean history?"),
        ("--optimizer-option history=-1", "history must be 0 to 200, not -1", "curvature pairs"),
        ("--init-option ratio=1", "'style-stats' has no option 'ratio'", "takes no options"),
        ("--init-option ratio", "--init-option: has 'ratio' where name=value belongs", "like"),
        ("--init style.png --init-option ratio=1", "--init-option does not go with a picture", "leave it out"),
        ("--size 0", "--size: must be 1 or more, not 0", "long side"),
        ("--size -8", "--size: must be a whole number of 0 or more, not -8", "long side"),
        ("--size big", "--size: must be a whole number, not 'big'", "long side"),
        ("--steps 0", "--steps: must be 1 or more, not 0", "steps in all"),
        ("--steps 1.5", "--steps: must be a whole number, not '1.5'", "steps in all"),
        ("--sizes 48,0", "--sizes: must be 1 or more, not 0", "long side at each stage"),
        ("--size 48 --sizes 32,48", "--size and --sizes contradict each other", "give one"),
        ("--levels 2 --sizes 32,48", "--levels and --sizes contradict each other", "give one"),
        ("--sizes 48,32", "--sizes must grow", "32,48"),
        ("--sizes 32,48 --steps 1,2,3", "--steps has 3 numbers for 2 sizes", "one for each"),
        ("--seed -1", "--seed: must be a whole number of 0 or more, not -1", "seed"),
        ("--content-weight nan", "--content-weight: must be a finite number", "how firmly the photograph is kept"),
        ("--content-weight 0 --style-weight 0", "every weight is 0", "above 0"),
        ("--style-blend 1,2", "--style-blend has 2 weights for 1 styles", "one each"),
        ("--save-every -1", "--save-every must be 0 or more, not -1", "0 saves only the result"),
        ("--save-every x", "'--save-every'", "nst stylize --help"),
        ("--poling average", "No such option: --poling", "did you mean --pooling or --padding?"),
        ("--recipe none.toml", "cannot read recipe 'none.toml'", "TOML"),
        ("--recipe style.png", "recipe 'style.png' is not TOML", "examples"),
        ("--weights none.safetensors", "no weights file at 'none.safetensors'", "--weights takes"),
        ("--weights style.png", "'style.png' is not a safetensors file", "--weights takes"),
        ("--weights compat", "unknown weights 'compat'", "did you mean compact"),
        ("-o out.gif", "unknown suffix '.gif'", "choose from .avif, .jpeg, .jpg, .png, .tif, .tiff, .webp"),
        ("-o out", "its name has no suffix", ".png"),
        ("-o -", "its name has no suffix", ".png"),
        ("-o none/out.png", "there is no folder none", "mkdir -p none"),
        ("-o style.png/out.png", "cannot write style.png/out.png", "mkdir"),
        ("-o .", "it is a folder", "out.png"),
        ("-o style.png", "'style.png' is one of the pictures to read", "another name"),
        ("-o ../CWD/content.png", "content.png' is one of the pictures to read", "another name"),
        ("--report none/run.json", "cannot write 'none/run.json'", "choose a folder"),
        ("--report .", "'.' is a folder", "give a file name"),
        ("--loss histogram", "--loss: 'histogram' has no weight", "write it like histogram=50"),
        ("--report style.png", "--report 'style.png' is another file of this run", "another name"),
        ("--report ./out.png", "--report 'out.png' is another file of this run", "another name"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be(refused, here, words, message, advice):
    error, hint = only(refused(*words.replace("CWD", here.name).split()))
    assert message in error
    assert advice in hint


def test_the_weights_in_use_are_no_place_for_a_report(refused, weights):
    before = weights.read_bytes()
    assert "is another file of this run" in only(refused("--report", weights))[0]
    assert weights.read_bytes() == before


def test_a_snapshot_may_not_take_the_place_of_a_picture_to_read(refused, here):
    os.rename("content.png", "out-0002.png")
    error, _ = only(refused("--save-every", "1", call=["out-0002.png", "style.png", "-o", "out.png"]))
    assert error == "--save-every might write over 'out-0002.png'"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="has no /proc, which is read-only for everybody")
def test_a_folder_that_takes_no_files(refused):
    error, hint = only(refused("-o", "/proc/out.png"))
    assert error.startswith("cannot write /proc/out.png")
    assert "a folder you may write to" in hint


def test_weights_of_another_architecture(refused, make_network, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("vgg16") / "net.safetensors", make_network("vgg16"))
    assert only(refused("--weights", path))[0] == f"'{path}' is vgg16; torch-vgg19 takes vgg19"


def test_layers_that_the_weight_file_lacks(refused, make_network, tmp_path_factory):
    network = make_network()
    kernels, biases = (dict(list(each.items())[:9]) for each in (network.kernels, network.biases))
    shallow = dataclasses.replace(network, kernels=kernels, biases=biases)
    path = write(tmp_path_factory.mktemp("shallow") / "net.safetensors", shallow)
    error, hint = only(refused("--weights", path))
    assert error == f"'{path}' has no layer relu4_2, relu5_1"
    assert "relu4_1" in hint


def test_weights_that_are_no_numbers(refused, weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("nan") / "net.safetensors"
    path.write_bytes(weights.read_bytes()[:-4] + struct.pack("<f", float("nan")))
    assert "values that are not finite" in refused("--weights", path).errors[0]


def test_a_recipe_of_the_wrong_types_is_told_field_by_field(refused, here):
    (here / "odd.toml").write_text(
        'size = "big"\nsteps = [1, "x"]\nseed = true\nbackend = 3\nsise = 1\nstyle_blend = [["a"]]\n'
        '[style_layers]\nrelu1_1 = "a"\n[a.b]\nc = 1\n'
    )
    done = refused("--recipe", "odd.toml")
    told = "\n".join(done.errors)
    for part in ("--size:", "--steps:", "--seed:", "--backend:", "'sise'", "--style-blend:", "--style-layers:", "'a'"):
        assert part in told, part
    assert any("did you mean size" in hint for hint in done.hints)


MANY = """
    missing.png style.png -o none/out.gif --optimizer lbgfs --init nosie --size 0 --steps x --style-layers relu9_9
    --style-loss gramm --save-every -2 --weights none.safetensors --report none/run.json --style-blend 1,2 --preset quik
"""
WRONG = """
    missing.png .gif lbgfs nosie --size --steps relu9_9 gramm --save-every none.safetensors run.json --style-blend quik
"""


def test_all_mistakes_of_a_call_come_together_and_before_any_framework(here, environment):
    program = (
        "import json, sys; from nst.cli.app import run; code = run(sys.argv[1:]);"
        "print(json.dumps([code, [name for name in ('torch', 'tensorflow', 'scipy') if name in sys.modules]]))"
    )
    command = [sys.executable, "-c", program, "stylize", *MANY.split()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [2, []]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(WRONG.split())
    for word in WRONG.split():
        assert any(word in error for error in errors), word


def test_without_plugins_each_missing_thing_is_named(nst, here):
    done = nst("stylize", *PAIR, "--no-plugins")
    assert done.code == 2
    assert [error.split()[1] for error in done.errors] == ["backend", "optimizer", "initializer"]
    assert "nst-torch, disabled" in done.hints[0]


def test_an_old_result_survives_a_refusal(refused, here):
    Image.new("RGB", (3, 3)).save("out.png")
    refused("--size", "0")
    assert Image.open("out.png").size == (3, 3)
