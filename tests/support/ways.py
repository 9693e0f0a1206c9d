"""A surface of nobody's, and the bot's whole life with some."""

import asyncio

from bot.app.process import listen_to_signals, serve
from bot.runtime import Bot


class Way:
    """A surface that writes down what is asked of it."""

    def __init__(self, name, diary, work=None):
        self.name = name
        self._diary = diary
        self._work = work

    def hooks(self):
        return ()

    async def start(self, bot):
        self._diary.append(f"{self.name} started")
        if self._work:
            try:
                await self._work(bot)
            except AssertionError as error:
                bot.fail(error)

    async def pause(self):
        self._diary.append(f"{self.name} paused")

    async def stop(self):
        self._diary.append(f"{self.name} stopped")


def lived(engine, *surfaces, grace=2.0):
    async def life():
        bot = Bot(engine)
        listen_to_signals(bot)
        return await serve(bot, surfaces, grace=grace)

    return asyncio.run(life())
