"""Numbers in sentences: the noun and the verb agree with them."""


def counted(count: int, one: str, several: str | None = None) -> str:
    """Write a number with what is counted: `1 run`, `2 runs`; `several` is its own plural."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def agreeing(count: int, one: str = "is", several: str = "are") -> str:
    """Choose the verb that goes with a number: `1 … is`, `2 … are`."""
    return one if count == 1 else several
