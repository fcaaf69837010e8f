"""Test the requirements on backends of both kinds: their factory and their attributes."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from nst.errors import UserError
from nst.specs import BackendSpec
from nst.testing.suite import Suite
from nst.weights import selection as weight_sources


class BackendSuite(Suite):
    """Tests of backends of one `backend_kind`, on one `device`."""

    kind = "backend"
    backend_kind: ClassVar[str] = ""
    device: ClassVar[str] = "cpu"

    @classmethod
    def suits(cls, spec: BackendSpec) -> bool:
        """Return whether a backend is of this suite's kind."""
        return spec.kind == cls.backend_kind

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls, spec: BackendSpec) -> Any:
        """Return the weights for the factory: by default those that `--weights auto` means here, loaded."""
        return weight_sources.choose_weights(spec, "auto").source.load()

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, spec: BackendSpec, weights: Any) -> Any:
        """Return the backend under test."""
        return cls().build(spec, weights)

    def build(self, spec: BackendSpec, weights: Any, **options: Any) -> Any:
        """Make a backend as a run does, with `options` overriding the suite's options."""
        how = {"pooling": spec.pooling[0], "precision": spec.precisions[0]} if spec.kind == "feature" else {}
        return spec.load()(weights, **{"device": self.device} | how | self.settings(spec) | options)

    def test_device_is_used_or_refused(self, spec: BackendSpec, weights: Any) -> None:
        """A device that its spec names is used, or refused with `UserError`."""
        for device in spec.devices:
            try:
                used = self.build(spec, weights, device=device).device
            except UserError:
                continue
            assert device in (used, "auto"), f"asked for {device}, on {used}"
            assert used != "auto", "which device is it?"

    def test_tells_its_device_precision_and_notes(self, backend: Any) -> None:
        """`device` and `precision` are what a person is told, `notes` are things worth saying about them (a GPU that
        is present and unused).
        """
        for text in (backend.device, backend.precision, *backend.notes):
            assert isinstance(text, str)
            assert text.strip()
        assert not isinstance(backend.notes, str), "notes are several texts, not one"

    def test_peak_memory_is_a_number_of_bytes_or_none(self, backend: Any) -> None:
        """The most device memory held so far, in bytes; None where it is the process's own."""
        peak = backend.peak_memory()
        assert peak is None or (isinstance(peak, int) and peak >= 0)
