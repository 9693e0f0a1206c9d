"""Create a page in a Notion database, its columns filled from plain values.

The database's data source and its columns are read first, then one
https://developers.notion.com/reference/post-page writes the page. A repeat is not told from
a new page, and a write may succeed and still answer 503: what it says it saved is read back.
"""

from typing import Annotated

from pydantic import AfterValidator

from core.connectors._notion.answers import ANSWERS, STALE, explain
from core.connectors._notion.dates import Zone, known_zone
from core.connectors._notion.form import form_columns
from core.connectors._notion.properties import Properties, Props, typed
from core.connectors._notion.schema import (
    NOTION_ID_SHAPE,
    Api,
    Page,
    Schema,
    notion_id,
    read_schema,
    remembered_schema,
    saved_page,
    shared_sources,
)
from core.contract import (
    Action,
    BaseUrl,
    Columns,
    Config,
    Connector,
    Contract,
    HttpClient,
    Probe,
    Receipt,
    Secret,
    field,
    setting,
    upstream_url,
)
from core.errors import Fault, InvalidInput, LevqorError, NotConfigured, Refused, UpstreamError

DEFAULT = "NOTION_DATABASE_ID_DEFAULT"
EXAMPLE = "https://www.notion.so/d9824bdc84454327be8b5b47500af6ce"

NotionId = Annotated[str, AfterValidator(notion_id)]


class Entry(Contract):
    """A page of a Notion database."""

    database_id: NotionId | None = field(
        "Database",
        "The database's address, or the 32 characters of its id.",
        example=EXAMPLE,
        shape=(NOTION_ID_SHAPE,),
        setting=DEFAULT,
        destination=True,
        default=None,
        max_length=2000,
    )
    props: Props = field(
        "Properties",
        "Columns and their values; title is the title column, whatever its name.",
        example={"title": "Fix login", "Status": "Open"},
        takes_text="title",
        min_length=1,
        max_length=100,
    )


class NotionConfig(Config):
    """What Notion needs."""

    api_key: Secret = setting(
        "NOTION_API_KEY",
        "Notion's integration secret",
        "notion.so/profile/integrations, your integration: copy the Internal Integration Secret; "
        "then open the database, ••• > Connections, and add the integration",
        required=True,
        example="ntn_…",
        shape=r"^(ntn_|secret_)[A-Za-z0-9]{40,}$",
    )
    database: NotionId | None = setting(
        DEFAULT,
        "The Notion database to use if none is named",
        "the database opened as a full page: Share > Copy link",
        example=EXAMPLE,
    )
    time_zone: Annotated[str | None, AfterValidator(known_zone)] = setting(
        "LEVQOR_TIME_ZONE",
        "The time zone for times that are written without one",
        "a name such as Europe/Berlin; this machine's own zone unless set",
        example="Europe/Berlin",
    )
    api_url: BaseUrl = upstream_url("NOTION_API_URL", "Notion", "https://api.notion.com")


def check(request: Entry, config: NotionConfig, test: bool) -> None:
    """Refuse a page without a database; a test send can only mean the default."""
    if request.database_id is None and test:
        raise NotConfigured(
            f"A test page needs {DEFAULT}, and it is not set.",
            settings=(DEFAULT,),
            fix=f"Set {DEFAULT} to a database's address.",
        )
    if request.database_id is None:
        raise InvalidInput([Fault("database_id", f"is missing; give it, or set {DEFAULT}")])


def send(request: Entry, config: NotionConfig, http: HttpClient) -> Receipt:
    """Create one page, by the columns as they were in the last five minutes or are now."""
    notion = Api(config.api_url, config.api_key, http)
    database, zone = request.database_id or "", Zone(config.time_zone)
    schema, remembered = remembered_schema(database, notion)
    outdated: LevqorError | None = None
    try:
        made = typed(request.props, schema, zone)
        # An option that looks new may have been added meanwhile, written another way.
        if not (remembered and made.creates):
            return _create(made, schema, notion)
    except (InvalidInput, Refused) as error:
        if not remembered or error.reason not in (None, *STALE):
            raise
        outdated = error
    try:
        schema, _ = remembered_schema(database, notion, fresh=True)
    except UpstreamError as error:
        # No page was made, whatever the second look at the columns met.
        raise outdated or error from None
    return _create(typed(request.props, schema, zone), schema, notion)


def _create(made: Properties, schema: Schema, notion: Api) -> Receipt:
    body = {
        "parent": {"type": "data_source_id", "data_source_id": schema.id},
        "properties": made.values,
    }
    answer = notion.post("pages", body)
    if answer.status == 409:  # nothing was saved, and Notion asks to try again
        answer = notion.post("pages", body)
    page = saved_page(answer, notion) if answer.status == 503 else answer.success(Page)
    if page is None:
        raise explain(answer, columns={n: c.type for n, c in schema.columns.items()})
    return Receipt("created", id=page.id, link=page.url, note="\n".join(made.notes) or None)


def probe(config: NotionConfig, http: HttpClient) -> Probe:
    """Ask who the integration is and, where a default is set, for that database's columns."""
    notion = Api(config.api_url, config.api_key, http)
    answer = notion.get("users/me")
    if answer.status != 200:
        raise explain(answer)
    if config.database is None:
        return Probe((f"{DEFAULT} is not set: each page must name its database_id.",))
    read_schema(config.database, notion)
    return Probe(("Write permission can't be checked until a page is created.",))


def look(request: Entry, config: NotionConfig, http: HttpClient) -> Probe:
    """Read the columns of the database that a page would go to."""
    read_schema(request.database_id or "", Api(config.api_url, config.api_key, http))
    return Probe()


def columns(request: Entry, config: NotionConfig, http: HttpClient, fresh: bool) -> Columns:
    """Read the columns of the database that a page would go to, as the fields of a form."""
    notion = Api(config.api_url, config.api_key, http)
    schema, _ = remembered_schema(request.database_id or "", notion, fresh=fresh)
    return form_columns(schema, Zone(config.time_zone))


def databases(config: NotionConfig, http: HttpClient) -> list[tuple[str, str]]:
    """List the databases that are shared with the integration."""
    return shared_sources(Api(config.api_url, config.api_key, http))


CONNECTOR = Connector(
    name="notion",
    choices={DEFAULT: databases},
    title="Notion",
    config=NotionConfig,
    actions=(
        Action(
            name="create",
            title="Create a Notion page",
            input=Entry,
            sample={"props": {"title": "Hello from Levqor: this is a test page."}},
            send=send,
            check=check,
            look=look,
            columns=columns,
        ),
    ),
    probe=probe,
    answers=ANSWERS,
)
