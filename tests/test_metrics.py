"""Each application has metrics of its own."""

from app.metrics import Metrics


def test_two_applications_keep_two_registries() -> None:
    first, second = Metrics(), Metrics()
    first.pending.set(3)
    assert second.registry.get_sample_value("neurofuse_pending_requests") == 0
    assert b"neurofuse_pending_requests 3.0" in first.render()
