import pytest

from tests.support.slack import at_work


@pytest.fixture(params=["socket", "http"])
def slack(request, home, sandbox):
    """The surface at work, over a socket and over HTTP."""
    with at_work(home, sandbox, http=request.param == "http") as working:
        yield working


@pytest.fixture
def socket(home, sandbox):
    """The surface at work, over a socket alone."""
    with at_work(home, sandbox) as working:
        yield working
