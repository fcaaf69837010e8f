"""Plugins: a good one, and one with each defect. `breaks` names the tests that find it out, its own first."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.testing import PluginSuite
from nst.testing.checks import Subject
from nst.testing.probe import Probed

FOLDER = Path(mkdtemp(prefix="nst-fakes-"))
METADATA = "Metadata-Version: 2.4\nName: nst-fake\nVersion: 1.0\nLicense-Expression: Apache-2.0\n"
HEAD = "from nst import BackendSpec, LossSpec, OptimizerSpec, Option, WeightSet, hookimpl\n"


class Fake(PluginSuite):
    """The optimizer of `option`, `spec` and `hook`, or a whole `module`; `probed` where importing it must show."""

    breaks = ()
    distribution = "nst-fake"
    hook = "@hookimpl\ndef nst_optimizers():\n    yield {spec}\n"
    spec = "OptimizerSpec('mine', '{name}_factory:mine', 'a way down', {option})"
    option = "(Option('lr', 0.1, 'step length', 0, 1),)"
    factory = "def mine(objective, image, *, state=None, step_scale=1.0, lr=0.1): pass"
    head, requires, readme, license = HEAD, "Requires-Dist: nst>=0.1\n", "\n# Fake\n", METADATA
    others, probed = (), False

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls):
        name = cls.__name__.lower()
        folder = FOLDER / name
        (folder / "nst_fake-1.0.dist-info").mkdir(parents=True)
        (folder / "nst_fake-1.0.dist-info" / "METADATA").write_text(cls.license + cls.requires + cls.readme)
        spec = cls.spec.format(name=name, option=cls.option)
        (folder / f"{name}.py").write_text(cls.head + cls.hook.format(spec=spec))
        (folder / f"{name}_factory.py").write_text(cls.factory)
        sys.path.insert(0, str(folder))
        entries = [EntryPoint("nst.v1", each, name, each, "1.0") for each in (cls.distribution, *cls.others)]
        subject = Subject(Plugins(entries), cls.distribution)
        if not cls.probed:
            subject.probed = Probed()
        yield subject
        sys.path.remove(str(folder))


class TestGood(Fake):
    probed = True


class TestMisspellsItsHook(Fake):
    breaks = ("test_can_be_loaded",)
    hook = "@hookimpl\ndef nst_optimisers():\n    yield {spec}\n"


class TestImportsAFramework(Fake):
    breaks = ("test_entry_module_imports_nst_and_the_standard_library_only",)
    head, probed = "import numpy\n" + HEAD, True


class TestNamesInCapitals(Fake):
    breaks = ("test_names_are_lowercase_words_with_dashes_and_its_own",)
    spec = "OptimizerSpec('My_Own', '{name}_factory:mine', 'a way down', {option})"


class TestNamedLikeAnother(Fake):
    breaks = ("test_names_are_lowercase_words_with_dashes_and_its_own",)
    others = ("nst-another",)


class TestSaysNothing(Fake):
    breaks = ("test_summary_says_in_a_line_what_it_is",)
    spec = "OptimizerSpec('mine', '{name}_factory:mine', '', {option})"


class TestOptionInCapitals(Fake):
    breaks = ("test_options_are_documented_and_their_defaults_allowed",)
    option = "(Option('LR', 0.1, 'step length'),)"


class TestOptionWithoutHelp(Fake):
    breaks = ("test_options_are_documented_and_their_defaults_allowed",)
    option = "(Option('lr', 0.1, ''),)"


class TestDefaultBeyondItsBounds(Fake):
    breaks = ("test_options_are_documented_and_their_defaults_allowed",)
    option = "(Option('lr', 0.1, 'step length', 1, 2),)"


class TestTextWithAUnit(Fake):
    breaks = ("test_options_are_documented_and_their_defaults_allowed",)
    option = "(Option('lr', 'fast', 'pace', choices=('fast',), unit='px'),)"


class TestHasAShapeForAnotherRole(Fake):
    breaks = ("test_what_it_offers_can_be_used",)
    hook = "@hookimpl\ndef nst_losses():\n    yield {spec}\n"
    spec = "LossSpec('mine', '{name}_factory:mine', 'a loss', {option}, role='content')"


class TestNeedsWhatIsNotHere(Fake):
    breaks = ("test_what_it_needs_is_declared_and_present",)
    option = "requires=('not_there_at_all',), install='nst-fake[all]'"


class TestDoesNotTellWhatToInstall(Fake):
    breaks = ("test_what_it_needs_is_declared_and_present",)
    option = "requires=('json',)"


class TestFactoryIsNotThere(Fake):
    breaks = ("test_factories_can_be_imported_and_take_their_options",)
    factory, probed = "", True


class TestFactoryTakesAnotherOption(Fake):
    breaks = ("test_factories_can_be_imported_and_take_their_options",)
    factory, probed = "def mine(objective, image, *, state=None, step_scale=1.0, rate=0.1): pass", True


class TestWeightsWithoutALicense(Fake):
    breaks = ("test_weights_tell_origin_and_license_and_need_no_framework",)
    hook = "@hookimpl\ndef nst_backends():\n    yield {spec}\n"
    option = "weights=(WeightSet('all', 'nst.weights:COMPACT', 'mine', '', 'unit'),)"
    spec = "BackendSpec('mine', '{name}_factory:mine', 'a network', {option}, kind='image')"


class TestWeightsThatImportAFramework(Fake):
    breaks = ("test_weights_tell_origin_and_license_and_need_no_framework",)
    hook = "@hookimpl\ndef nst_backends():\n    yield {spec}\n"
    option = "requires=('wave',), install='nst-fake', weights=(WEIGHTS,)"
    head = HEAD + "WEIGHTS = WeightSet('all', 'testweightsthatimportaframework_factory:mine', 'me', 'CC0', 'unit')\n"
    spec = "BackendSpec('mine', '{name}_factory:mine', 'a network', {option}, kind='image')"
    factory = """
import wave
class mine:
    def __init__(self, weights, *, device): pass
    path = str
    fetch = verify = load = stylize = peak_memory = print
"""
    probed = True


class TestDoesNotRequireNst(Fake):
    breaks = ("test_distribution_requires_nst",)
    requires = "Requires-Dist: nst-core\nRequires-Dist: nst; extra == 'all'\n"


class TestHasNoReadme(Fake):
    breaks = ("test_distribution_has_a_readme_and_a_license",)
    readme = ""


class TestHasNoLicense(Fake):
    breaks = ("test_distribution_has_a_readme_and_a_license",)
    license = METADATA.replace("License-Expression: Apache-2.0\n", "")
