"""Every setting Levqor and its connectors read, and what is wrong with them."""

from core.contract import Problem
from core.settings.app import AppSettings
from core.settings.settings import Settings
from core.settings.source import home_to_be, network, ready_for_tls
from core.settings.values import Address, items

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
