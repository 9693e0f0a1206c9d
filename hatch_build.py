"""Build hook: the package's page and links, which name where the project lives.

`make dist` hands that address over in LEVQOR_PROJECT_URL. Without it the README is taken as it is.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINKS = {"Documentation": "/blob/{tag}/docs", "Changelog": "/blob/{tag}/CHANGELOG.md",
         "Issues": "/issues", "Source": ""}  # fmt: skip


class Page(MetadataHookInterface):
    """Makes `readme` and `urls`."""

    def update(self, metadata: dict) -> None:
        """Add both; a link inside the repository becomes one to this version's files there."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        address = os.environ.get("LEVQOR_PROJECT_URL", "").rstrip("/")
        tag = f"v{metadata['version']}"
        if address:
            metadata["urls"] = {
                name: address + path.format(tag=tag) for name, path in LINKS.items()
            }
            text = absolute(text, address, tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, address: str, tag: str) -> str:
    """Markdown whose pictures and links are found from anywhere."""
    text = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\g<1>{address}/raw/{tag}/", text)
    return re.sub(r"(?<!!)(\[[^]]*\]\()(?!https?:|#)", rf"\g<1>{address}/blob/{tag}/", text)
