"""Memory that is full is told the way Python does, so that a run goes on in tiles."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from nst.losses.gram import Gram
from nst.objective import Frugal
from nst.task import Level, Task, build_level
from nst.terms import LossUse, Region
from nst_keras.vgg import VGG

pytestmark = pytest.mark.frameworks


class Greedy(Gram):
    """Needs more than there is for the statistic of anything larger than a tile."""

    def statistic(self, xp, features, weight):
        room = xp.eye(10**6)[0, 0] if features.shape[0] > 120 else 1.0
        return room * super().statistic(xp, features, weight)


def test_a_statistic_for_which_there_is_no_memory_is_taken_in_tiles(make_network, photo):
    """Of the styles, and of the picture's own tiles: what losses compute is told like what the network does."""
    level = Level(144, 1, VGG(make_network(), device="cpu", precision="float32"))
    use, notes = LossUse("style", Greedy(), {"relu1_1": 1.0}, 1.0), []
    region, content = Region([photo(144, 144, seed=1)], [1.0]), photo(144, 144)
    image = level.backend.asarray(content)
    task = Task([level], content, [region], content, [use], [], None, {})
    found = Frugal(partial(build_level, task, level), 0, 144, notes.append, level.backend)(image)
    plain = replace(task, style=[replace(use, loss=Gram())])
    assert found.terms == pytest.approx(build_level(plain, level)(image).terms, rel=1e-4)
    assert notes == ["not enough memory: going on in tiles of 72 px"]
