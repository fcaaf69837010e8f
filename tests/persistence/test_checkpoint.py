"""A checkpoint holds a run to the last bit, is whole or refused, and costs next to nothing."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file, save_file

from nst import Recipe
from nst.engine.level_run import Progress
from nst.engine.snapshot import Snapshot
from nst.errors import NstError, UserError
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.persistence import checkpoint, recorded_job
from nst.persistence.checkpoint import LONGEST_HEADER, Checkpoint, Checkpoints, Plan
from nst.vgg.network import write

SHAPE = (3, 5)
PLAN = Plan([(2, 3), SHAPE], [4, 4], averaged=True)
ROW = {"size": 5, "loss": 0.1 + 0.2, "terms": {"gram relu1_1": 1 / 3}, "seconds": 1e-9}
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def image(value=0.5, dtype=np.float32):
    return np.full((*SHAPE, 3), value, dtype)


SNAPSHOT = Snapshot(
    level=1,
    taken=2,
    image=image(0.1),
    state={"step": 2, "mean": image(0.2), "rate": 0.1},
    scale=0.5,
    best=image(0.3),
    best_loss=0.25,
    mean=image(0.4),
    mean_weight=0.75,
    tile=0,
    history=[{"step": step, **ROW} for step in range(1, 7)],
    notes=["the loss was not finite"],
)


@pytest.fixture
def kept(tmp_path):
    """`kept(snapshot)` is the file that holds it."""

    def make(snapshot=SNAPSHOT, about=None):
        checkpoint.write(tmp_path / "run.nst", about or {}, snapshot)
        return tmp_path / "run.nst"

    return make


def assert_same(found, expected):
    for name in ("image", "best", "mean"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    assert found.state.keys() == expected.state.keys()
    for name, value in expected.state.items():
        np.testing.assert_array_equal(found.state[name], value)
        assert type(found.state[name]) is type(value)
        assert getattr(found.state[name], "dtype", None) == getattr(value, "dtype", None)
    for name in ("level", "taken", "scale", "best_loss", "mean_weight", "tile", "history", "notes"):
        assert getattr(found, name) == getattr(expected, name)


def test_a_snapshot_comes_back_as_it_was(kept):
    found = Checkpoint(kept(about={"output": "out.png", "n": [1, None]}))
    assert found.about == {"output": "out.png", "n": [1, None]}
    assert_same(found.snapshot(PLAN), SNAPSHOT)


@settings(max_examples=40)
@given(
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    data=st.data(),
    numbers=st.dictionaries(st.text(), FLOATS | st.integers() | st.booleans(), max_size=3),
    losses=st.lists(FLOATS, min_size=6, max_size=6),
    terms=st.dictionaries(st.text(), FLOATS, max_size=3),
)
def test_any_state_comes_back_in_its_own_types(tmp_path_factory, dtype, data, numbers, losses, terms):
    state = {"array": data.draw(arrays(dtype, (*SHAPE, 3))), **numbers}
    history = [
        {"step": i + 1, "size": 5, "loss": loss, "terms": terms, "seconds": 0.0} for i, loss in enumerate(losses)
    ]
    snapshot = replace(SNAPSHOT, state=state, history=history)
    file = tmp_path_factory.mktemp("any") / "run.nst"
    checkpoint.write(file, {}, snapshot)
    assert_same(Checkpoint(file).snapshot(PLAN), snapshot)


def test_losses_whose_terms_are_not_always_there_come_back_without_them(kept):
    rows = [{"step": 1, **ROW}, {"step": 2, **ROW, "terms": {"other": 2.0}}]
    assert Checkpoint(kept(replace(SNAPSHOT, history=rows))).snapshot(PLAN).history == rows


def test_the_file_is_what_safetensors_reads(kept):
    found = load_file(kept())
    assert set(found) == {"image", "best", "mean", "state.mean", "history"}
    np.testing.assert_array_equal(found["state.mean"], SNAPSHOT.state["mean"])


def test_the_file_is_as_large_as_its_images_and_little_more(kept):
    big = {name: np.zeros((64, 64, 3), np.float32) for name in ("image", "best", "mean")}
    state = {f"step_{i}": big["image"] for i in range(40)}
    size = kept(replace(SNAPSHOT, **big, state=state)).stat().st_size
    assert 43 * big["image"].nbytes < size < 43 * big["image"].nbytes + 20_000


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 300, -1000, -1])
def test_a_truncated_file_is_refused(kept, length):
    file = kept()
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(UserError, match=r"run\.nst' is not a complete checkpoint: ") as caught:
        Checkpoint(file).snapshot(PLAN)
    assert caught.value.hint


@settings(max_examples=300)
@given(data=st.data())
def test_a_single_wrong_byte_is_refused_wherever_it_is(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("flipped") / "run.nst"
    checkpoint.write(file, {"record": {"size": 3}}, SNAPSHOT)
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        found = Checkpoint(file).snapshot(PLAN)
    except UserError:
        return
    assert_same(found, SNAPSHOT)  # a blank of the padding, or the checksum spelled in another way


def test_an_array_that_goes_by_another_name_is_refused(kept):
    file = kept()
    file.write_bytes(file.read_bytes().replace(b'"state.mean"', b'"state.lean"'))
    with pytest.raises(UserError, match="checksum"):
        Checkpoint(file).snapshot(PLAN)


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda text: struct.pack("<Q", len(text)) + text))
def test_what_is_no_checkpoint_at_all_is_refused(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("foreign") / "run.nst"
    file.write_bytes(content)
    with pytest.raises(UserError):
        Checkpoint(file)


def test_a_file_that_is_not_there_or_not_one_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.nst", tmp_path / "\0"):
        with pytest.raises(UserError, match="there is no checkpoint"):
            Checkpoint(path)


def test_another_safetensors_file_is_refused(tmp_path, make_network):
    with pytest.raises(UserError, match=r"its format is 'nst-vgg/1', not 'nst-run/1'"):
        Checkpoint(write(tmp_path / "vgg.safetensors", make_network()))
    save_file({"image": image()}, tmp_path / "plain.safetensors")
    with pytest.raises(UserError, match="its format is 'another'"):
        Checkpoint(tmp_path / "plain.safetensors")


def test_a_pickle_is_refused_and_not_opened(tmp_path):
    file = tmp_path / "run.nst"
    file.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(UserError, match="it does not begin like one"):
        Checkpoint(file)
    assert not os.path.exists("owned")


def rewritten(file, changes=None, drop=(), **tensors):
    """The same checkpoint with other metadata or arrays, its checksum right."""
    found = Checkpoint(file)
    run = json.dumps({name: value for name, value in (found._run | (changes or {})).items() if name not in drop})
    arrays = {name: array for name, array in (load_file(file) | tensors).items() if array is not None}
    arrays = {name: arrays[name] for name in sorted(arrays, key=checkpoint._order(arrays))}
    crc = str(checkpoint._checksum(run, arrays))
    save_file(arrays, file, {"format": checkpoint.FORMAT, "run": run, "crc32": crc})
    return file


@pytest.mark.parametrize(
    "changes",
    [
        {"level": -1},
        {"level": 2},
        {"level": 10**30},
        {"level": 0},
        {"level": "1"},
        {"level": True},
        {"taken": 0},
        {"taken": 5},
        {"scale": 0.0},
        {"scale": 2.0},
        {"scale": float("nan")},
        {"best_loss": float("inf")},
        {"mean_weight": -1.0},
        {"tile": -5},
        {"tile": "x"},
        {"notes": [3]},
        {"notes": "text"},
        {"terms": [None]},
        {"terms": []},
        {"terms": ["a", "b", "c"]},
        {"state": {"step": "x"}},
        {"state": []},
        {"about": []},
        {"more": 1},
    ],
    ids=str,
)
def test_metadata_that_does_not_belong_to_the_recipe_is_refused(kept, changes):
    file = rewritten(kept(), changes)
    with pytest.raises(UserError, match="is not a complete checkpoint"):
        Checkpoint(file).snapshot(PLAN)


@pytest.mark.parametrize(
    "tensors",
    [
        {"image": None},
        {"best": None},
        {"mean": None},
        {"history": None},
        {"image": np.zeros((3, 5), np.float32)},
        {"image": np.zeros((5, 3, 3), np.float32)},
        {"state.mean": np.zeros((300, 500, 3), np.float32)},
        {"state.mean": np.zeros((*SHAPE, 3), np.int64)},
        {"image": image(np.nan)},
        {"best": image(np.inf)},
        {"extra": image()},
        {"history": np.zeros((0, 5))},
        {"history": np.zeros((6, 4))},
        {"history": np.zeros((100, 5))},
        {"history": np.full((6, 5), np.nan)},
    ],
    ids=lambda tensors: " ".join(f"{name} {getattr(array, 'shape', None)}" for name, array in tensors.items()),
)
def test_arrays_that_do_not_belong_to_the_recipe_are_refused(kept, tensors):
    file = rewritten(kept(), **tensors)
    with pytest.raises(UserError, match="is not a complete checkpoint"):
        Checkpoint(file).snapshot(PLAN)


def test_a_mean_is_there_only_where_the_recipe_asks_for_one(kept):
    with pytest.raises(UserError, match="it holds best, image, mean"):
        Checkpoint(kept()).snapshot(replace(PLAN, averaged=False))


def test_json_nested_without_end_is_refused(kept):
    file = kept()
    save_file(load_file(file), file, {"format": checkpoint.FORMAT, "run": "[" * 100_000})
    with pytest.raises(UserError, match="its metadata is not JSON"):
        Checkpoint(file)


def test_a_header_beyond_the_bound_is_neither_read_nor_written(kept, tmp_path):
    with pytest.raises(NstError, match="cannot hold so much beside its images"):
        kept(about={"text": "x" * LONGEST_HEADER})
    file = kept()
    save_file(load_file(file), file, {"format": checkpoint.FORMAT, "run": "x" * LONGEST_HEADER})
    with pytest.raises(UserError, match="it does not begin like one"):
        Checkpoint(file)


def test_a_file_that_promises_what_no_memory_holds_is_refused_unread(tmp_path):
    """A terabyte of nothing, which costs its maker a few bytes of disk."""
    count = 2**38
    run = {name: getattr(SNAPSHOT, name) for name in checkpoint._FIELDS} | {"state": {}, "terms": [], "about": {}}
    text = json.dumps(
        {
            "__metadata__": {"format": checkpoint.FORMAT, "run": json.dumps(run), "crc32": "0"},
            "image": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]},
        }
    ).encode()
    file = tmp_path / "run.nst"
    with file.open("wb") as opened:
        opened.write(struct.pack("<Q", len(text)) + text)
        try:
            opened.truncate(8 + len(text) + 4 * count)
        except OSError:
            pytest.skip("no sparse files of a terabyte here")
    with pytest.raises(UserError):
        Checkpoint(file).snapshot(PLAN)


@pytest.mark.parametrize("array", [np.zeros((2, 2, 3), np.float32), np.zeros((*SHAPE, 3), np.int32)])
def test_a_state_that_could_not_be_read_back_is_not_written(kept, array):
    file = kept()
    before = file.read_bytes()
    with pytest.raises(NstError, match=r"state\.odd is"):
        kept(replace(SNAPSHOT, state={"odd": array}))
    assert file.read_bytes() == before


class Clock:
    """Seconds as the test has them."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(checkpoint, "time", clock)
    return clock


def progress(left=9, snapshot=lambda: SNAPSHOT):
    return Progress(1, 9, 5, 0.5, {}, 0.1, lambda: None, snapshot, left=left)


@pytest.fixture
def written(monkeypatch, clock):
    """Names of what `Checkpoints` has written; writing takes `written.cost` seconds."""

    class Written(list):
        cost = 0.1

    found = Written()

    def write(path, about, snapshot):
        clock.now += found.cost
        found.append(path.name)

    monkeypatch.setattr(checkpoint, "write", write)
    return found


def test_it_is_written_every_so_many_seconds_and_at_the_end_of_a_size(tmp_path, clock, written):
    keep = Checkpoints(tmp_path / "run.nst", {}, every=60)
    counts = []
    for now, left in ((9, 9), (11, 9), (61, 9), (72, 9), (73, 0), (74, 9)):
        clock.now = now
        keep(progress(left))
        counts.append(len(written))
    assert counts == [0, 1, 1, 2, 3, 3]


def test_the_first_is_written_after_the_first_size_if_that_ends_before(tmp_path, clock, written):
    keep = Checkpoints(tmp_path / "run.nst", {}, every=60)
    clock.now = 2
    keep(progress(left=0))
    assert len(written) == 1


def test_every_zero_seconds_is_after_every_step(tmp_path, clock, written):
    keep = Checkpoints(tmp_path / "run.nst", {}, every=0)
    for _ in range(3):
        keep(progress())
    assert len(written) == 3


def test_where_writing_is_slow_it_is_done_less_often(tmp_path, clock, written):
    written.cost = 10
    keep = Checkpoints(tmp_path / "run.nst", {}, every=60)
    while clock.now < 10_000:
        clock.now += 1
        keep(progress())
    assert len(written) * written.cost <= checkpoint.SHARE * clock.now


def test_the_last_step_is_written_once(tmp_path, clock, written):
    keep = Checkpoints(tmp_path / "run.nst", {}, every=60)
    keep.write()
    keep(progress())
    keep.write()
    keep.write()
    assert len(written) == 1


def test_a_checkpoint_that_cannot_be_written_is_told_and_no_error(tmp_path):
    told = []
    keep = Checkpoints(tmp_path / "gone" / "run.nst", {}, every=0, tell=told.append)
    keep(progress())
    assert told == [f"cannot write '{tmp_path}/gone/run.nst': No such file or directory; the run continues"]


FAST = {
    "sizes": "32,48",
    "steps": "4,6",
    "device": "cpu",
    "style_layers": "relu1_1,relu2_1",
    "content_layers": "relu2_2",
}
CASES = {
    "adam": {"optimizer": "adam"},
    "lbfgs": {},
    "laplacian-rmsprop": {"optimizer": "laplacian-rmsprop"},
    "lbfgs with a short memory": {"optimizer_options": "history=2"},
    "a mean": {"optimizer": "adam", "average": 0.7},
    "a mean of lbfgs": {"average": 0.7},
    "tiles": {"tile": 24},
    "tiles and a mean": {"optimizer": "adam", "tile": 24, "average": 0.5},
    "noise": {"init": "noise", "seed": 3},
    "half the bits": {"optimizer": "adam", "precision": "bfloat16"},
}


@pytest.fixture(scope="module")
def job(photo, plugins, make_network, tmp_path_factory):
    weights = str(write(tmp_path_factory.mktemp("weights") / "small.safetensors", make_network()))

    def make(**changes):
        recipe = Recipe(**{**FAST, "weights": weights, **changes})
        return Job(Sources(photo(36, 48), [photo(40, 40, seed=1)]), recipe, plugins)

    return make


def assert_goes_on(make, steps, file):
    """From the checkpoint of each step the run comes to the same losses and the same picture, to the last bit."""
    kept = {}

    def keep(progress):
        if progress.step in steps:
            checkpoint.write(file, {}, progress.snapshot())
            kept[progress.step] = file.read_bytes()

    whole = make().stylize(keep)
    assert kept.keys() == set(steps)
    for content in kept.values():
        file.write_bytes(content)
        job = make()
        found = job.stylize(resume=recorded_job.snapshot(Checkpoint(file), job))
        np.testing.assert_array_equal(found.pixels, whole.pixels)
        assert [row["loss"] for row in found.history] == [row["loss"] for row in whole.history]
        assert found.notes == whole.notes


@pytest.mark.frameworks
@pytest.mark.parametrize("name", CASES)
def test_a_run_goes_on_from_its_checkpoint_to_the_very_same_picture(job, tmp_path, name):
    steps = [1, 4, 5, 9, 10]  # within each size, at the end of each, and when all is done
    assert_goes_on(lambda: job(**CASES[name]), steps, tmp_path / "run.nst")


@pytest.mark.frameworks
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_plateau_ends_a_size_at_the_same_step(job, tmp_path, optimizer):
    """The first size ends after 11 of 14 steps, in whatever file the run goes on from."""
    changes = {"optimizer": optimizer, "until": 0.99, "steps": "14,4"}
    assert_goes_on(lambda: job(**changes), [3, 10, 11, 12, 15], tmp_path / "run.nst")


@pytest.mark.frameworks
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_goes_on_after_a_rescue_with_the_shorter_steps(job, tmp_path, monkeypatch, optimizer):
    """The sixth evaluation of the whole run is spoiled; runs that go on from later steps meet no such thing."""
    from nst_torch.vgg import VGG

    honest, calls = VGG.value_and_grad, []

    def spoiled(self, loss):
        objective = honest(self, loss)

        def evaluate(image, *parameters):
            calls.append(image)
            found = objective(image, *parameters)
            return replace(found, loss=float("nan")) if len(calls) == 6 else found

        return evaluate

    monkeypatch.setattr(VGG, "value_and_grad", spoiled)
    assert_goes_on(lambda: job(optimizer=optimizer, sizes="48", steps="9"), [6, 8], tmp_path / "run.nst")
    assert len(calls) > 6
