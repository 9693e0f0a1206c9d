"""Levqor's own settings: who may do what, how long runs are kept."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, SecretStr

from core.contract import BaseUrl, Config, Secret, setting
from core.settings import values
from core.settings.values import Permit

# Pydantic turns a plain function's ValueError into the fault of that one setting.
_Days = Annotated[int, BeforeValidator(values.days)]
_Upgrade = Annotated[str, BeforeValidator(values.upgrade_url)]
_Callers = Annotated[frozenset[str], BeforeValidator(values.callers)]
_Path = Annotated[str, BeforeValidator(values.path)]
_DatabaseUrl = Annotated[SecretStr, BeforeValidator(values.database_url)]
_Permits = Annotated[tuple[Permit, ...], BeforeValidator(values.permits)]


class AppSettings(Config):
    """What Levqor itself reads; `allow` is None where everyone may do everything."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    home: str | None = setting(
        "LEVQOR_HOME",
        "Levqor's home folder",
        "holds levqor.db, the logs and .env; a folder in your data folder unless set, as"
        " levqor doctor shows it",
        env_only=True,
        example="~/levqor",
    )
    upgrade_url: _Upgrade = setting(
        "LEVQOR_UPGRADE_URL",
        "Where a used-up free plan points to",
        "a path or a web address",
        default="/pricing",
    )
    default_plan: Literal["free", "pro"] = setting(
        "LEVQOR_DEFAULT_PLAN",
        "The plan of everybody without a plan of their own",
        "free or pro; HTTP callers without a token are always on the free one",
        default="free",
    )
    allow: _Permits | None = setting(
        "LEVQOR_ALLOW",
        "Who may do what",
        "CALLER=ACTION,ACTION with ; between entries and * for anything; unset means everyone"
        " may do everything",
        example="slack:T1:*=slack.*;telegram:42=*",
        restricts=True,
    )
    admins: _Callers = setting(
        "LEVQOR_ADMINS",
        "Callers who may see every run",
        "with commas between; /whoami shows each person their own",
        default="",
        example="slack:T1:U123,telegram:42",
    )
    keep_days: _Days = setting(
        "LEVQOR_KEEP_DAYS",
        "How many days runs are kept",
        "1 to 36500",
        default="90",
    )
    database_url: _DatabaseUrl | None = setting(
        "LEVQOR_DATABASE_URL",
        "The PostgreSQL database that several bots share",
        "postgresql://USER:PASSWORD@HOST/NAME; unset, the database is levqor.db in the home",
        env_only=True,
        example="postgresql://levqor@db.example.com/levqor",
    )
    key_file: _Path | None = setting(
        "LEVQOR_KEY_FILE",
        "The file of the key that all bots on one database share",
        "a copy of levqor.key from the first bot's home; unset, it is levqor.key in the home",
        env_only=True,
        example="/run/secrets/levqor.key",
    )
    sandbox_page: BaseUrl | None = setting(
        "LEVQOR_SANDBOX_PAGE",
        "The sandbox's page, which receipts link to",
        "levqor sandbox prints it",
        env_only=True,
        example="http://127.0.0.1:8788",
    )
    remote_token: Secret | None = setting(
        "LEVQOR_REMOTE_TOKEN",
        "The tray's token for a remote Levqor",
        "levqor token new LABEL, on the remote machine",
    )
