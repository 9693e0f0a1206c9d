"""Every setting Levqor and its connectors read, and what is wrong with them."""

from core.contract import Problem
from core.settings.app import Address, AppSettings, items
from core.settings.settings import Settings
from core.settings.source import home_to_be, network, ready_for_tls

__all__ = [
    "Address",
    "AppSettings",
    "Problem",
    "Settings",
    "home_to_be",
    "items",
    "network",
    "ready_for_tls",
]
