"""Joining a cluster: one that does not answer is told soon, one without room or plugins says what it lacks."""

from __future__ import annotations

import socket
import threading

import pytest

import nst
from nst import NstError
from nst.orders import Order
from nst_ray import cluster as clusters
from nst_ray.cluster import check, room
from nst_ray.executor import execute
from nst_ray.painting import Painting, Unfit


def listen(answer: bytes) -> int:
    """The port of a server that is no Ray."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            peer, _ = server.accept()
            peer.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:9", "Connection refused"),
        ("ray://127.0.0.1:9", "Connection refused"),
        ("nowhere.invalid:6379", "[Nn]ame|resolution|known"),
        ("nonsense", "it is not HOST:PORT"),
    ],
)
def test_an_address_where_nobody_is_is_told_at_once(address, reason):
    with pytest.raises(NstError, match=reason) as raised:
        check(address)
    assert raised.value.message.startswith(f"the Ray cluster at '{address}' does not answer")
    assert "ray start --head" in raised.value.hint


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_something_that_is_no_ray_is_told_within_seconds(answer, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 3.0)
    with pytest.raises(NstError, match=r"does not answer: (no answer in 3 seconds|what listens there is not Ray)"):
        check(f"127.0.0.1:{listen(answer)}")


def test_there_is_room_for_as_many_workers_as_fit_on_each_machine(cluster):
    assert room({"CPU": 1.0, "GPU": 0.0}) == 2
    assert room({"CPU": 0.5, "GPU": 0.0}) == 4
    assert room({"CPU": 2.0, "GPU": 0.0}) == 1
    assert room({"CPU": 1.0, "GPU": 1.0}) == 0


def test_a_cluster_without_room_for_a_worker_says_so(cluster, desk, recipe):
    orders = [Order("photos/0.png", ["sea.png"], "x.png", recipe)]
    with pytest.raises(NstError, match="no machine of the cluster has 1 CPUs and 4 GPUs for a worker"):
        list(execute(orders, tell=print, num_gpus=4))


@pytest.mark.filterwarnings("ignore:a worker is left out")
def test_machines_without_the_plugin_are_named_with_what_they_lack(cluster, desk):
    orders = [Order("photos/0.png", ["sea.png"], "x.png", {"backend": "lovely-backend"})]
    with pytest.raises(NstError, match=r"no machine can paint: unknown backend 'lovely-backend' on \S+"):
        list(execute(orders, tell=print, jobs=1))


def test_a_machine_that_lacks_what_a_backend_needs_is_told_from_a_wrong_order(monkeypatch):
    worker = Painting()
    monkeypatch.setattr("nst.plugins.options.find_spec", lambda name: None)
    with pytest.raises(Unfit, match=r"torch.*on \S+ \(pip install nst-torch"):
        worker.paint(Order("a.png", ["b.png"], "c.png", {}))


@pytest.mark.frameworks
def test_pictures_on_shared_storage_are_read_and_written_there(cluster, desk, recipe):
    place, recipe = f"file://{desk}", nst.Recipe(**recipe)
    found = nst.batch(f"{place}/photos/*.png", f"{place}/sea.png", f"{place}/shared", recipe, executor="ray")
    assert {each.status for each in found} == {"finished"}
    list(nst.batch("photos", "sea.png", "here", recipe))
    assert sorted(path.name for path in (desk / "shared").iterdir()) == sorted(
        path.name for path in (desk / "here").iterdir()
    )
    assert (nst.load_image("shared/0--sea.png") == nst.load_image("here/0--sea.png")).all()
    assert f"{place}/photos/0.png" in nst.images.read_text("shared/0--sea.png")
    again = nst.batch(f"{place}/photos/*.png", f"{place}/sea.png", f"{place}/shared", recipe, executor="ray")
    assert {each.status for each in again} == {"kept"}
