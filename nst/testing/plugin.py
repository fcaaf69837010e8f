"""Test the requirements on a plugin: `nst.hookspecs` and `nst.specs`, and the distribution that it comes in."""

from __future__ import annotations

import warnings

import pytest

from nst.plugins.host import Plugins
from nst.testing.checks import Subject, ask
from nst.testing.suite import Suite, plugin_host


class PluginSuite(Suite):
    """Tests of a plugin without running it: the checks of `nst plugins check DIST`.

    A subclass gives `distribution`. Of other installed plugins, only the names are used.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls) -> Subject:
        """Return a host of the distribution under test, beside the installed ones."""
        plugins = plugin_host(cls.distribution, cls.entry_module) if cls.entry_module else Plugins()
        subject = Subject(plugins, cls.distribution)
        assert subject.plugins, f"no distribution '{cls.distribution}' with a plugin is installed"
        return subject

    def check(self, name: str, subject: Subject) -> None:
        """Fail for errors of a check, and warn for its warnings."""
        answer = ask(name, subject)
        for finding in answer:
            if finding.status == "warned":
                warnings.warn(f"{finding.message} ({finding.hint})", stacklevel=3)
        wrong = [f"{finding.message}\n    {finding.hint}" for finding in answer if finding.status == "failed"]
        if wrong:
            pytest.fail("\n".join(wrong), pytrace=False)

    def test_can_be_loaded(self, subject: Subject) -> None:
        """It can be loaded, and implements hooks that nst knows."""
        self.check("loading", subject)

    def test_entry_module_imports_nst_and_the_standard_library_only(self, subject: Subject) -> None:
        """Its entry module imports nst and the standard library only."""
        self.check("import", subject)

    def test_names_are_lowercase_words_with_dashes_and_its_own(self, subject: Subject) -> None:
        """Its names are lowercase words with dashes, and no other distribution's."""
        self.check("names", subject)

    def test_summary_says_in_a_line_what_it_is(self, subject: Subject) -> None:
        """Everything it offers is summarized in a line."""
        self.check("summaries", subject)

    def test_options_are_documented_and_their_defaults_allowed(self, subject: Subject) -> None:
        """Its options have a name of lowercase words with underscores, a help text, and a default that is allowed."""
        self.check("options", subject)

    def test_what_it_offers_can_be_used(self, subject: Subject) -> None:
        """Its losses have a shape that their role takes, its backends layers that can be named, and the device and
        pooling of those who say nothing.
        """
        self.check("uses", subject)

    def test_what_it_needs_is_declared_and_present(self, subject: Subject) -> None:
        """The modules it requires are here, and it tells what pip installs for them."""
        self.check("modules", subject)

    def test_factories_can_be_imported_and_take_their_options(self, subject: Subject) -> None:
        """Its factories can be imported, and take what they are called with, their options among it."""
        self.check("factories", subject)

    def test_weights_tell_origin_and_license_and_need_no_framework(self, subject: Subject) -> None:
        """Its weights tell their origin and license, and can be looked for without a framework."""
        self.check("weights", subject)

    def test_distribution_requires_nst(self, subject: Subject) -> None:
        """Its distribution requires nst, and tells which versions."""
        self.check("versions", subject)

    def test_distribution_has_a_readme_and_a_license(self, subject: Subject) -> None:
        """Its distribution has a README and a license."""
        self.check("metadata", subject)
