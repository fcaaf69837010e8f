"""What a wrong command line is answered with: the mistake, and a hint that helps."""

from __future__ import annotations

import pytest

PAIR = "content.png style.png -o out.png"


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (f"stylize {PAIR} --iterations 5", "No such option: --iterations", "did you mean --steps? "),
        (f"stylize {PAIR} --width 5", "No such option: --width", "did you mean --size? "),
        (f"stylize {PAIR} --colour content", "No such option: --colour", "did you mean --color? "),
        (f"stylize {PAIR} --lr 1", "No such option: --lr", "did you mean --optimizer-option lr=VALUE? "),
        (f"stylize {PAIR} --gpu", "No such option: --gpu", "did you mean --device cuda? "),
        (f"stylize {PAIR} --content_weight 5", "No such option: --content_weight", "did you mean --content-weight? "),
        (f"stylize {PAIR} --sede 5", "No such option: --sede", "did you mean --seed"),
        (f"stylize {PAIR} --frobnicate", "No such option: --frobnicate", "nst stylize --help lists the options"),
        ("stylize -x.jpg style.png -o out.png", "No such option: -x", "write the file as ./-x.jpg; "),
        ("weights list --iterations 5", "No such option: --iterations", "nst weights list --help lists the options"),
        (
            "weights fetch compact --backend torch-vgg16",
            "'compact' is a weight set of torch-vgg19, not of torch-vgg16",
            "add --backend torch-vgg19",
        ),
    ],
)
def test_the_hint_names_what_was_meant_and_nothing_else(nst, words, error, hint):
    done = nst(*words.split())
    assert (done.code, done.out, done.errors) == (2, "", [error])
    assert done.hints[0].startswith(hint)


@pytest.mark.frameworks
@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ("--device gpu", "unknown device 'gpu'", "choose from auto, cpu, cuda, mps"),
        ("--strength 0.5", "'torch-vgg19' has no --strength", "use --style-weight and --content-weight"),
        ("--weights folder", "'folder' is a folder, not a weights file", "--weights takes the name of a weight set"),
        ("-o out.bmp", "cannot write out.bmp: unknown suffix '.bmp'", "choose from .avif, .jpeg, .jpg, .png"),
    ],
)
def test_a_wrong_value_is_answered_with_the_right_ones(nst, here, words, error, hint):
    (here / "folder").mkdir()
    done = nst("stylize", *PAIR.split(), *words.split())
    assert (done.code, done.errors) == (2, [error])
    assert done.hints[0].startswith(hint)


def test_a_preset_of_the_demo_is_checked(nst, here):
    done = nst("demo", "--preset", "portrat")
    assert (done.code, done.errors, done.hints) == (2, ["unknown preset 'portrat'"], ["did you mean portrait?"])
