"""`nst stylize`: one picture from the command line, every option of it, and what it leaves and says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nst import Recipe, load_image, save_image, stylize
from nst.images import write
from nst.recipe.recipe import presets

pytestmark = pytest.mark.frameworks

FAST = {"size": 48, "levels": 1, "steps": 3, "device": "cpu", "precision": "float32"}
NOISE = ["--init", "noise", "--init-option"]
PAIR = ["content.png", "style.png", "-o", "out.png"]


def told(name="run.json"):
    with open(name, encoding="utf-8") as file:
        return json.load(file)


def carried(name="out.png"):
    """What a PNG says about its making."""
    with Image.open(name) as image:
        return json.loads(image.text["nst"])


@pytest.fixture(scope="module")
def paint(weights, plugins):
    """The 8-bit picture that the Python call makes of files."""

    def make(styles=("style.png",), **changes):
        recipe = Recipe(**{**FAST, "weights": str(weights), **changes})
        return np.rint(stylize("content.png", list(styles), recipe, plugins=plugins).pixels * 255).astype(np.uint8)

    return make


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["--sizes", "32,48", "--steps", "2,1"], {"sizes": (32, 48), "steps": (2, 1), "levels": Recipe.levels}),
        (["--sizes", "32 48", "--steps", "3"], {"sizes": (32, 48), "levels": Recipe.levels}),
        (["--size", "64"], {"size": 64}),
        (["--steps", "4"], {"steps": 4}),
        (["--content-layers", "block4_conv2"], {}),
        (["--content-layers", "relu3_1=1,conv1_2=0.5"], {"content_layers": {"relu3_1": 1, "conv1_2": 0.5}}),
        (["--style-layers", "block2_conv1,conv3_1=2"], {"style_layers": {"relu2_1": 1, "conv3_1": 2}}),
        (["--content-weight", "0"], {"content_weight": 0}),
        (["--style-weight", "0", "--init", "noise"], {"style_weight": 0, "init": "noise"}),
        (["--tv-weight", "50"], {"tv_weight": 50}),
        (["--pooling", "average"], {"pooling": "average"}),
        (["--precision", "bfloat16"], {"precision": "bfloat16"}),
        (["--optimizer", "adam"], {"optimizer": "adam"}),
        (
            ["--optimiser", "adam", "--optimiser-option", "lr=0.05", "beta1=0.5"],
            {"optimizer": "adam", "optimizer_options": {"lr": "0.05", "beta1": "0.5"}},
        ),
        (["--optimizer-option", "history=1"], {"optimizer_options": {"history": "1"}}),
        (["--init", "style.png"], {"init": "style.png"}),
        (["--init", "noise", "--seed", "7"], {"init": "noise", "seed": 7}),
        (["--style-scale", "0.5"], {"style_scale": (0.5,)}),
        (["--weights", "compact"], {"weights": "compact"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_option_is_the_recipe_s_field_and_decides_the_picture(
    nst, here, paint, weights, fast, unsized, words, changes
):
    rest = unsized if "--sizes" in words else fast
    done = nst("stylize", *PAIR, *rest, "--report", "run.json", *words)
    assert (done.code, done.out) == (0, "")
    expected = Recipe(**{**FAST, "weights": str(weights), **changes})
    assert told()["recipe"] == json.loads(json.dumps(expected.to_dict()))
    picture = np.asarray(Image.open("out.png"))
    np.testing.assert_array_equal(picture, paint(**changes))
    if changes:
        plain = paint()
        assert picture.shape != plain.shape or (picture != plain).any()


def test_levels_grow_through_sizes_by_the_root_of_two(nst, here, fast):
    done = nst("stylize", *PAIR, *fast, "--size", "181", "--levels", "2", "--report", "run.json")
    assert "128 px × 2 → 181 px × 1" in done.err
    assert (told()["sizes"], told()["steps"]) == ([128, 181], [2, 1])
    assert Image.open("out.png").size == (181, 136)


def test_the_options_of_a_plugin_may_follow_one_flag_or_several(nst, here, paint, fast):
    spellings = [
        ["ratio=0.6", "distribution=normal", "match=content"],
        ["ratio=0.6,distribution=normal", "match=content"],
        ["ratio=0.6", "--init-option", "distribution=normal,match=content"],
    ]
    options = {"ratio": "0.6", "distribution": "normal", "match": "content"}
    expected = paint(init="noise", init_options=options)
    for words in spellings:
        assert nst("stylize", *PAIR, *fast, *NOISE, *words).code == 0
        assert carried()["recipe"]["init_options"] == options
        np.testing.assert_array_equal(np.asarray(Image.open("out.png")), expected)
    assert (expected != paint(init="noise")).any()


def test_an_option_may_come_before_the_pictures(nst, here, fast):
    assert (
        nst("stylize", *fast, "-o", "first.png", *NOISE, "ratio=0.6", "std=0.1", "content.png", "style.png").code == 0
    )
    assert nst("stylize", *PAIR, *fast, *NOISE, "ratio=0.6", "std=0.1").code == 0
    np.testing.assert_array_equal(load_image("first.png"), load_image("out.png"))


def test_styles_are_blended_by_their_weights(nst, here, paint, photo, fast):
    save_image("other.png", photo(40, 40, seed=2))
    pair = ["stylize", "content.png", "style.png", "other.png", "-o", "out.png"]
    pictures = []
    for blend in ("3,1", "1,3"):
        assert nst(*pair, *fast, "--style-blend", blend).code == 0
        pictures.append(np.asarray(Image.open("out.png")))
    np.testing.assert_array_equal(pictures[0], paint(("style.png", "other.png"), style_blend=(3, 1)))
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize("preset", ["default", "portrait", "quick", "gatys"])
def test_options_override_a_recipe_file_and_that_a_preset(nst, here, fast, preset):
    (here / "mine.toml").write_text('pooling = "max"\nsize = 64\ninit = "gray"\ninit_options = { value = 0.3 }\n')
    assert nst("stylize", *PAIR, *fast, "--preset", preset, "--recipe", "mine.toml").code == 0
    recipe = carried()["recipe"]
    assert (recipe["size"], recipe["pooling"], recipe["init"]) == (48, "max", "gray")
    assert recipe["init_options"] == {"value": 0.3}


def test_help_names_every_preset(nst):
    text = " ".join(nst("stylize", "--help").out.replace("│", " ").split())
    *first, last = text.partition("--preset NAME ")[2].partition(" --recipe ")[0].replace(" or ", ", ").split(", ")
    assert sorted([*first, last]) == sorted(presets())


def test_a_preset_is_where_its_values_come_from(nst, here, fast):
    assert nst("stylize", *PAIR, *fast[:-2], "--preset", "quick").code == 0
    assert carried()["recipe"]["weights"] == [*carried()["weights"]] == ["compact"]
    assert nst("stylize", *PAIR, *fast, "--preset", "gatys").code == 0
    assert (carried()["recipe"]["pooling"], carried()["recipe"]["init"]) == ("average", "noise")


def test_a_png_carries_the_recipe_that_makes_its_very_bytes_again(nst, here, plugins, fast):
    assert nst("stylize", *PAIR, *fast, *NOISE, "ratio=0.3", "--tv-weight", "2").code == 0
    again = stylize("content.png", "style.png", Recipe(**carried()["recipe"]), plugins=plugins)
    write("again.png", again.pixels, text={"nst": json.dumps(carried())})
    assert (here / "again.png").read_bytes() == (here / "out.png").read_bytes()
    assert set(carried()["versions"]) >= {"nst", "numpy", "pillow"}


def test_alpha_comes_back_in_png(nst, here, photo, fast):
    alpha = np.zeros((36, 48, 1), np.float32)
    alpha[:, 24:] = 1
    Image.fromarray((np.dstack([photo(36, 48), alpha]) * 255).astype(np.uint8)).save("content.png")
    assert nst("stylize", *PAIR, *fast).code == 0
    found = np.asarray(Image.open("out.png"))
    np.testing.assert_array_equal(found[..., 3], alpha[..., 0] * 255)


@pytest.mark.parametrize("name", ["out.jpg", "out.jpeg", "out.webp", "out.tif", "OUT.TIFF", "ö [red]:smile:.png"])
def test_the_suffix_says_which_format_whatever_the_name(nst, here, photo, fast, name):
    content = here / f"c{name}"
    save_image(content, photo(36, 48))
    done = nst("stylize", content, "style.png", "-o", name, *fast)
    assert done.code == 0
    assert done.err.splitlines()[-1].startswith(f"Saved {name} (48×36): ")
    with Image.open(name) as image:
        image.load()
        assert (image.size, image.mode) == ((48, 36), "RGB")


def test_snapshots_are_numbered_and_the_result_is_there_too(nst, here, unsized):
    done = nst("stylize", *PAIR, *unsized, "--sizes", "32,48", "--steps", "3,2", "--save-every", "2")
    assert done.code == 0
    assert sorted(path.name for path in here.glob("out*")) == ["out-0002.png", "out-0004.png", "out.png"]
    assert Image.open("out-0002.png").size == (32, 24)


def test_a_snapshot_that_cannot_be_written_does_not_end_the_run(nst, here, fast):
    (here / "out-0002.png").mkdir()
    done = nst("stylize", *PAIR, *fast, "--save-every", "2")
    assert done.code == 0
    assert "step 2 is not saved: cannot write out-0002.png: it is a folder" in done.err
    assert (here / "out.png").is_file()


def test_the_report_holds_every_fact_and_every_step(nst, here, fast, weights):
    assert nst("stylize", *PAIR, *fast, "--report", "run.json").code == 0
    report = told()
    facts = {"backend": "torch-vgg19", "device": "cpu", "weights": str(weights), "precision": "float32", "sizes": [48]}
    assert {name: report[name] for name in facts} == facts
    assert (report["steps"], report["stopped"]) == ([3], "finished")
    assert set(report) == {
        *facts,
        "steps",
        "seconds",
        "estimate",
        "peak_memory",
        "versions",
        "hashes",
        "inputs",
        "recipe",
        "history",
        "notes",
        "warnings",
        "stopped",
    }
    assert report["seconds"] > 0
    assert report["peak_memory"] > 1e6
    assert [row["step"] for row in report["history"]] == [1, 2, 3]
    for row in report["history"]:
        assert set(row) == {"step", "size", "loss", "terms", "seconds"}
        assert row["loss"] == pytest.approx(sum(row["terms"].values()))
    assert "content relu4_2" in report["history"][0]["terms"]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="has no /dev/stdout")
def test_a_report_may_go_where_a_program_reads_it(process, here, fast):
    done = process("stylize", *PAIR, *fast, "--quiet", "--report", "/dev/stdout")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["stopped"] == "finished"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
def test_a_report_that_does_not_fit_costs_no_picture(nst, here, fast):
    done = nst("stylize", *PAIR, *fast, "--report", "/dev/full")
    assert (done.code, done.errors) == (1, ["cannot write '/dev/full': No space left on device"])
    assert (here / "out.png").is_file()


def test_a_picture_that_is_its_own_style_leaves_nothing_to_do(nst, here, fast):
    done = nst("stylize", "content.png", "content.png", "-o", "out.png", *fast, "--bleed", "0", "--init", "content")
    assert done.code == 1
    assert done.errors == ["no step was accepted: the optimizer could not lower the loss of the initial image"]


def test_until_saves_the_steps_that_would_gain_nothing(nst, here, fast):
    done = nst("stylize", *PAIR, *fast, "--bleed", "0", "--steps", "40", "--until", "0.9", "--report", "run.json")
    assert done.code == 0
    note = "at 48 px 10 steps gained less than 0.9 of the loss: ended after 11 of 40 steps"
    assert told()["notes"][-1] == note
    assert note in done.err
    assert "11 steps (29 fewer than planned), " in done.err


def test_elsewhere_than_on_a_terminal_there_are_plain_lines_on_stderr(process, here, unsized, weights):
    done = process("stylize", *PAIR, *unsized, "--sizes", "32,48", "--steps", "2,1")
    assert (done.code, done.out) == (0, "")
    pictures, first, cost, *sizes, last = done.err.splitlines()
    assert pictures == "Painting content.png like style.png"
    assert re.fullmatch(r"about \d+ s and \d\.\d GB", cost)
    assert first == f"torch-vgg19 on cpu, weights {weights}, float32; 32 px × 2 → 48 px × 1"
    row = r"{} px: step {} of 3, \d+\.\d\d s/step"
    assert [
        re.fullmatch(row.format(*at), line) is not None for at, line in zip([(32, 2), (48, 3)], sizes, strict=True)
    ] == [True, True]
    assert re.fullmatch(r"Saved out\.png \(48×36\): 3 steps, \d+ s, peak memory \S+ GB", last)


def test_every_file_that_was_written_is_named(nst, here, fast):
    files = ["--report", "run.json", "--timelapse", "film.gif", "--checkpoint", "run.nst", "--save-every", "1"]
    done = nst("stylize", *PAIR, *fast, *files)
    assert done.err.splitlines()[-1] == "Also saved: run.json, film.gif, run.nst, out-0001.png … out-0003.png"


def test_quiet_prints_nothing(process, here, fast):
    assert process("stylize", *PAIR, *fast, "--quiet") == (done := process("stylize", *PAIR, *fast, "-q"))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (here / "out.png").is_file()


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_nobody_holds_costs_no_picture(here, environment, fast, stream):
    closed = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}[stream]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "nst", "stylize", *PAIR, *fast]
    assert subprocess.run(shell, env=environment, check=False, stderr=subprocess.DEVNULL).returncode == 0
    assert (here / "out.png").is_file()


def test_a_warning_is_shown_in_a_quiet_run_too(here, nst, fast):
    Image.new("RGB", (64, 64), "gray").save("gray.png")
    done = nst("stylize", "content.png", "gray.png", "-o", "out.png", "-q", "--report", "run.json", *fast)
    assert done.code == 0
    assert "warning: gray.png is one color: it has no strokes to paint with\n" in done.err
    assert "gray.png is one color: it has no strokes to paint with" in told()["warnings"]


def test_a_run_that_accepts_no_step_fails_and_writes_no_picture(here, nst, fast):
    done = nst("stylize", "content.png", "style.png", "-o", "out.png", "--content-weight", "1e30", *fast)
    assert done.code == 1
    assert done.errors == ["no step was accepted: the optimizer could not lower the loss of the initial image"]
    assert not os.path.exists("out.png")
