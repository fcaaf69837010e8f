"""Losses: good ones of each shape, and one with each defect. `breaks` names the tests that find it, its own first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.errors import NstError
from nst.losses.content import Content
from nst.losses.range import Range
from nst.specs import LossSpec, Option
from nst.testing import LossSuite

TINY = 1e-12


@dataclass(frozen=True)
class Ready(LossSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(LossSuite):
    breaks = ()
    shape, role = "statistic", "style"

    @classmethod
    def specs(cls):
        option = Option("power", 1.0, "of two", 0, 2)
        return [Ready("fake", "fake:fake", options=(option,), shape=cls.shape, role=cls.role, thing=cls.Loss)]


class Mean:
    """The mean features, and their relative squared distance."""

    def __init__(self, power=1.0):
        self.factor = 2**power

    def statistic(self, xp, features, weight):
        if weight is None:
            return xp.mean(features, axis=(0, 1))
        height, width = weight.shape
        return xp.sum(features * xp.reshape(weight / xp.sum(weight), (height, width, 1)), axis=(0, 1))

    def distance(self, xp, statistic, target):
        return self.factor * xp.sum(xp.square(statistic - target)) / (xp.sum(xp.square(target)) + TINY)


class Relative(Content):
    """The content loss, with an option."""

    def __init__(self, power=1.0):
        self.factor = 2**power


class TestGood(Fake):
    Loss = Mean


class TestGoodWhole(Fake):
    shape = "whole"

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            if weight is not None:
                raise NstError("no weights")
            height, width, channels = features.shape
            ordered = xp.sort(xp.reshape(features, (height * width, channels)), axis=0)
            return xp.concat([ordered[:1], xp.mean(ordered, axis=0, keepdims=True), ordered[-1:]])


class TestGoodPointwise(Fake):
    shape, role = "pointwise", "content"
    Loss = Relative


class TestGoodOnPictures(Fake):
    shape, role = "pointwise", "image"

    class Loss(Range):
        def __init__(self, power=1.0):
            pass


class TestCallsNumpy(Fake):
    breaks = ("test_calls_nothing_but_its_namespace",)
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def energy(self, xp, target):
            return float((target**2).sum(axis=-1).mean())


class TestNegative(Fake):
    breaks = ("test_is_a_number_of_0_or_more",)

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            found = super().distance(xp, statistic, target)
            return found * (found - self.factor)


class TestOffset(Fake):
    breaks = ("test_is_0_at_its_target",)

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return super().distance(xp, statistic, target) + 0.1


class TestNothing(Fake):
    breaks = ("test_is_above_0_where_features_are_unlike",)

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return 0 * super().distance(xp, statistic, target)


class TestAbsolute(Fake):
    breaks = ("test_stays_the_same_when_all_is_multiplied", "test_stays_the_same_when_all_is_there_twice")

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return self.factor * xp.sum(xp.square(statistic - target))


class TestGrowsWithThePicture(Fake):
    breaks = ("test_stays_the_same_when_all_is_there_twice",)
    shape = "whole"

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            if weight is not None:
                raise NstError("no weights")
            return xp.concat([xp.reshape(f(features, axis=(0, 1)), (1, -1)) for f in (xp.mean, xp.sum)])

        def distance(self, xp, statistic, target):
            return self.factor * xp.sum(xp.square(statistic[1] - target[1])) / (xp.sum(xp.square(target[0])) + TINY)


class TestMeanOfChannels(Fake):
    breaks = ("test_stays_the_same_when_all_is_there_twice",)
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def difference(self, xp, features, target):
            return xp.mean(xp.square(features - target), axis=-1)


class TestThreeChannels(Fake):
    breaks = ("test_takes_any_number_of_channels", "test_stays_the_same_when_all_is_there_twice")

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return super().distance(xp, xp.reshape(statistic, (3,)), target)


class TestNeedsTwoRows(Fake):
    breaks = ("test_takes_pictures_of_any_size",)

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            return super().statistic(xp, features, weight) + 0 * xp.mean(features[1:], axis=(0, 1))


class TestRoot(Fake):
    breaks = ("test_gradient_is_finite_at_the_target", "test_gradient_is_finite_on_black_and_flat_pictures")

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return xp.sqrt(super().distance(xp, statistic, target))


class TestDividesByNothing(Fake):
    breaks = ("test_gradient_is_finite_on_black_and_flat_pictures",)

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return self.factor * xp.sum(xp.square(statistic - target)) / xp.sum(xp.square(target))


class TestWritesItsFeatures(Fake):
    breaks = ("test_what_it_is_given_is_not_written_to",)
    shape, role = "pointwise", "image"

    class Loss(Range):
        def __init__(self, power=1.0):
            pass

        def difference(self, xp, features, target):
            if isinstance(features, np.ndarray):
                features[(features > 0) & (features < 1)] = 0.5  # which costs nothing either way
            return super().difference(xp, features, target)


class TestRandom(Fake):
    breaks = ("test_same_features_give_the_same_number",)

    class Loss(Mean):
        def distance(self, xp, statistic, target):
            return super().distance(xp, statistic, target) * (1 + 1e-11 * np.random.default_rng().random())


class TestFailsAtABound(Fake):
    breaks = ("test_every_allowed_value_of_an_option_works",)

    class Loss(Mean):
        def __init__(self, power=1.0):
            super().__init__(power)
            self.factor = np.nan if power == 2 else self.factor


class TestVariance(Fake):
    breaks = ("test_statistic_is_the_mean_of_its_tiles", "test_statistic_weights_each_position")

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            mean = super().statistic(xp, features, weight)
            return super().statistic(xp, xp.square(features), weight) - xp.square(mean)


class TestSquaresWeights(Fake):
    breaks = ("test_statistic_weights_each_position",)

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            return super().statistic(xp, features, None if weight is None else xp.square(weight))


class TestTakesWeightsAsTheyAre(Fake):
    breaks = ("test_even_weight_is_no_weight", "test_statistic_weights_each_position")

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            found = super().statistic(xp, features, weight)
            return found if weight is None else found * (np.sum(weight) / np.count_nonzero(weight))


class TestIgnoresWeights(Fake):
    breaks = ("test_weight_of_ones_and_zeros_leaves_the_ones", "test_statistic_weights_each_position")

    class Loss(Mean):
        def statistic(self, xp, features, weight):
            return super().statistic(xp, features, None)


class TestWholeThatIgnoresWeights(Fake):
    breaks = ("test_weight_is_refused_where_the_statistic_is_no_mean",)
    shape = "whole"
    Loss = Mean


class TestDifferencePerChannel(Fake):
    breaks = (
        "test_difference_is_a_number_of_0_or_more_at_each_position",
        "test_stays_the_same_when_all_is_there_twice",
    )
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def difference(self, xp, features, target):
            return xp.square(features - target)


class TestSpreadsDifferences(Fake):
    breaks = ("test_difference_is_0_where_features_are_like_the_target", "test_tile_has_the_difference_of_the_whole")
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def difference(self, xp, features, target):
            found = super().difference(xp, features, target)
            return found + xp.mean(found)


class TestDividesByTheWhole(Fake):
    breaks = ("test_tile_has_the_difference_of_the_whole", "test_stays_the_same_when_all_is_there_twice")
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def difference(self, xp, features, target):
            return super().difference(xp, features, target) / (xp.mean(xp.square(target)) + TINY)

        def energy(self, xp, target):
            return 1.0


class TestEnergyPerChannel(Fake):
    breaks = (
        "test_energy_is_a_float_or_one_number_per_position",
        "test_stays_the_same_when_all_is_there_twice",
    )
    shape, role = "pointwise", "content"

    class Loss(Relative):
        def energy(self, xp, target):
            return xp.square(target)


class Matched(Content):
    """The first style's mean features everywhere."""

    def __init__(self, power=1.0):
        self.factor = 2**power

    def query(self, content, image):
        return content

    def references(self, style):
        return [style]

    def match(self, query, styles, shares):
        for layer in query:
            mean = styles[0][layer].mean(axis=(0, 1))
            yield layer, np.broadcast_to(mean, query[layer].shape)


class MatchedFake(Fake):
    shape = "matched"


class TestGoodMatched(MatchedFake):
    Loss = Matched


class TestAsksAtAnotherSize(MatchedFake):
    breaks = ("test_query_is_of_the_size_of_the_content",)

    class Loss(Matched):
        def query(self, content, image):
            return content[::2, ::2]


class TestTargetsOfTheStyle(MatchedFake):
    breaks = ("test_target_is_shaped_like_the_features_of_the_query",)

    class Loss(Matched):
        def match(self, query, styles, shares):
            return {layer: styles[0][layer] for layer in query}


class TestMatchesAtRandom(MatchedFake):
    breaks = ("test_same_features_give_the_same_targets",)

    class Loss(Matched):
        def match(self, query, styles, shares):
            for layer, target in super().match(query, styles, shares):
                yield layer, target + np.random.default_rng().uniform()


class TestMatchesInPlace(MatchedFake):
    breaks = ("test_features_of_a_match_are_not_written_to",)

    class Loss(Matched):
        def match(self, query, styles, shares):
            for layer in query:
                features = styles[0][layer]
                features -= features.min()
                yield layer, np.broadcast_to(features.mean(axis=(0, 1)), query[layer].shape)
