"""Where people and programs ask: Slack, Telegram, a console and HTTP."""
