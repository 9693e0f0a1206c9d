"""What a page is to the console: its route, the visit it answers, and what it answers with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import ImmutableMultiDict

from bot.web.pages.browser import Site
from core.engine import Access
from core.roles import Role


@dataclass(frozen=True)
class Visit:
    """One request of a browser; `session` is empty where nobody is signed in."""

    site: Site
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: ImmutableMultiDict[str, str] = field(default_factory=ImmutableMultiDict)
    access: Access | None = None
    session: str = ""
    browser: str = ""  # in words

    @property
    def who(self) -> Access:
        """Who is signed in; asked of no page that is for anybody."""
        assert self.access is not None  # noqa: S101 - the console asks before it calls a page
        return self.access

    @property
    def name(self) -> str:
        """What a path names behind its first word: `abc` of `/runs/abc`."""
        return self.path.split("/", 2)[2]


@dataclass(frozen=True)
class View:
    """A page to show: its template, and the values in it."""

    template: str
    values: Mapping[str, Any]
    status: int = 200
    refresh: bool = False  # shown anew each minute; never where there is something to type


@dataclass(frozen=True)
class Redirect:
    """The page to go on to, and a cookie to keep."""

    path: str
    cookie: str | None = None


@dataclass(frozen=True)
class Download:
    """A file to keep: its name, which is one of ours, and its text, a table as CSV."""

    name: str
    text: str


Answer = View | Redirect | Download
Page = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """The page of an address, `/runs` or `/runs/*`, and the role it is for; None is anybody's."""

    method: str
    path: str
    role: Role | None
    page: Page
    menu: str = ""  # its name in the menu
    may: str = "use this page"  # what who has less than the role may not

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is this page's."""
        if method != self.method:
            return False
        return path == self.path or (
            self.path.endswith("/*") and path.startswith(self.path[:-1]) and path != self.path[:-1]
        )
