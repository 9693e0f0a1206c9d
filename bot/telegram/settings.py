"""The names of the settings that this surface writes about."""

TOKEN = "TELEGRAM_BOT_TOKEN"  # noqa: S105 - the setting's name
ADDRESS = "TELEGRAM_WEBHOOK_URL"
