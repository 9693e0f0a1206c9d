"""Every connector through Prism, an independent program that checks requests and answers."""

import requests

from core.connectors import CONNECTORS
from tests.support.prism import prism
from tests.support.sending import Direct
from tests.support.vendor import FILES
from tests.support.vendor_sends import SENDS


def test_prism_finds_nothing_wrong_with_what_connectors_send_and_get(sandbox, specs, tmp_path):
    upstreams = {name: sandbox.service(name).url for name in FILES}
    with prism(specs, upstreams, tmp_path) as strict:
        settings = sandbox.settings()
        for name, upstream in upstreams.items():
            through = strict.addresses[name]
            settings = {key: v.replace(upstream, through, 1) for key, v in settings.items()}
        for connector in CONNECTORS:
            for values in SENDS[connector.name]:
                sandbox.resend.reset()  # each is the first run of its id
                with Direct(connector, sandbox, **settings) as direct:
                    assert direct.send(**values).status
            with Direct(connector, sandbox, **settings) as direct:
                direct.probe()
        sends = sum(len(each) for each in SENDS.values())
        assert sum(len(service.writes) for service in sandbox.services) == sends
        assert strict.found == []
        # It does look: in a request, and in an answer.
        mail = {"from": "a@example.com", "to": "b@example.com", "subject": "s", "txt": "t"}
        refused = requests.post(f"{strict.addresses['resend']}/emails", json=mail)
        assert refused.status_code == 422
        assert "txt" in refused.text
        assert requests.get(f"{strict.addresses['resend']}/domains").status_code == 401
    assert strict.found
