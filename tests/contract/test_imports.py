"""Serving stays light: no training library is loaded, and reading settings or opening stores waits for start-up."""

from tests.support.modules import loaded_by

HEAVY = {"torch", "lightning", "monai", "pandas", "sklearn", "onnx", "onnxscript", "training", "SimpleITK"}


def test_every_module_of_the_service_loads_and_draws_no_training_library_and_makes_no_application() -> None:
    """Those too that only some command or setting needs; the gate runs this where nothing else is installed.

    Settings are read once, by the caller: a test or a second service makes an application of its own.
    """
    every = (
        "import app, importlib, pkgutil\n"
        "names = [found.name for found in pkgutil.walk_packages(app.__path__, 'app.')]\n"
        "assert 'app.cohort.ray_engine' in [importlib.import_module(name).__name__ for name in names]\n"
        "assert not [n for n, v in vars(app.main).items() if type(v).__name__ == 'FastAPI']"
    )
    assert loaded_by(every).isdisjoint(HEAVY)


def test_the_check_above_would_notice() -> None:
    assert "training" in loaded_by("import training")
