"""Every test of hosting starts and ends with pedalboard changed."""

import pytest

from audiostyle_fx.hosting import install, uninstall


@pytest.fixture(autouse=True)
def installed():
    install()
    yield
    install()  # also after a test that failed while it was uninstalled


@pytest.fixture
def uninstalled():
    uninstall()
    yield
    install()
