"""`make mutants`: small faults are put into what decides, and a test must notice each.

mutmut makes the faults, tests/support/mutant_trial.py tries them. survivors.txt is what came of
it: each function with a digest of its source and how many faults it was given, and those that no
test notices, each with a reason. So nothing is tried again until its function changes, in any
checkout. A function is in the list once every fault of it was noticed, has a reason, or met every
test there is for it. `--try` tries what is left, and again each survivor without a reason;
`--write` makes the list anew and keeps the reasons; without a word the figures are printed.
"""

import ast
import difflib
import hashlib
import json
import re
import shutil
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MADE, KEPT = ROOT / "mutants", ROOT / "build/mutants"
LIST = ROOT / "tests/survivors.txt"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
NOWHERE = "?"
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|CASE)\b")
HEAD = "# Faults that no test notices, and why: `python -m tests.mutants --write`."
KEPT_AS_METHODS = {"staticmethod", "classmethod"}


def functions(file):
    """Name in its module to source, of every function of a file, with no regard to layout."""
    sources = {}

    def add(body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef):
                add(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                skipped = [ast.unparse(one) for one in node.decorator_list]
                name, node.name, node.decorator_list = node.name, "function", []
                sources[prefix + name] = (ast.unparse(node).splitlines(), skipped)

    add(ast.parse(file.read_text()).body, "")
    return sources


def digest(lines):
    """Which source a function has."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def place(mutant):
    """`core.ledger.runs.Runs.accept` of mutmut's own way to write it."""
    module, _, name = mutant.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{name.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def change(was, now):
    """What a mutant changes, as the lines of a difference."""
    lines = list(difflib.unified_diff(was, now, n=0, lineterm=""))[2:]
    return tuple(f"{line[0]} {line[1:].strip()}" for line in lines if not line.startswith("@@"))


def same_sql(lines):
    """Whether all that differs is how words of SQL are written, which no database minds."""
    was, now = ("".join(line[2:] for line in lines if line[0] == sign) for sign in "-+")
    if was.lower() != now.lower() or not SQL.search(was):
        return False
    differs = [at for at, (a, b) in enumerate(zip(was, now, strict=True)) if a != b]
    # A value in SQL's own quotes is another one in capitals.
    return all(now[at].islower() for at in differs) or "'" not in was[differs[0] : differs[-1]]


def make():
    """Every mutant, as mutmut makes them: name to (digest of its function, change)."""
    from mutmut import __main__ as mutmut

    folders = [*SETTINGS["source_paths"], *SETTINGS["also_copy"], "tests", "pyproject.toml"]
    files = sorted(file for one in folders for file in (ROOT / one, *(ROOT / one).rglob("*.*")))
    files = [f for f in files if f.suffix != ".pyc" and not f.name.startswith("mutant")]
    texts = [file.read_bytes() for file in files if file.is_file()]
    key, stamp = hashlib.sha256(b"".join(texts)).hexdigest(), MADE / "key"
    if not stamp.is_file() or stamp.read_text() != key:
        shutil.rmtree(MADE, ignore_errors=True)
        MADE.mkdir()
        mutmut.copy_src_dir()
        mutmut.copy_also_copy_files()
        mutmut.setup_source_paths()
        mutmut.create_mutants(1)
        stamp.write_text(key)
    made = {}
    for meta in (MADE / f"{name}.meta" for name in SETTINGS["only_mutate"]):
        sources = {
            name.rpartition(".")[2]: s for name, (s, _) in functions(meta.with_suffix("")).items()
        }
        for mutant in json.loads(meta.read_text())["exit_code_by_key"]:
            name, _, number = mutant.rpartition(".")[2].rpartition("__mutmut_")
            was, now = sources[f"{name}__mutmut_orig"], sources[f"{name}__mutmut_{number}"]
            if not same_sql(lines := change(was, now)):
                made[mutant] = (digest(was), lines)
    return made


class Book:
    """What is known of each mutant: from this checkout's own log, else from the list."""

    def __init__(self, made):
        self.made = made
        self.figures, self.reasons = listed()
        self.counts = Counter(place(mutant) for mutant in made)
        self.log = KEPT / "tried.jsonl"
        self.tried = {}
        for line in self.log.read_text().splitlines() if self.log.is_file() else ():
            self._learn(json.loads(line))

    def _learn(self, line):
        if self.made.get(line["mutant"], ("",))[0] == line["digest"]:
            self.tried[line["mutant"]] = line

    def note(self, mutant, **what):
        """Keep what came of one."""
        line = {"mutant": mutant, "digest": self.made[mutant][0], **what}
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{time.strftime('%H:%M:%S')} {mutant} {what}", flush=True)
        self._learn(line)

    def outcome(self, mutant):
        """`noticed`, `stopped`, `survived` or `left to try`."""
        own, lines = self.made[mutant]
        if mutant in self.tried:
            return self.tried[mutant]["outcome"]
        if self.figures.get(place(mutant)) != (own, self.counts[place(mutant)]):
            return "left to try"
        return "survived" if (place(mutant), lines) in self.reasons else "noticed"

    def unexplained(self, mutant):
        """Whether it survives, and nobody has said why."""
        reason = self.reasons.get((place(mutant), self.made[mutant][1]), NOWHERE)
        return self.outcome(mutant) == "survived" and reason == NOWHERE

    def decided(self, mutant):
        """Whether nothing is left to try: few tests alone let nobody survive."""
        late = self.unexplained(mutant) and not self.tried.get(mutant, {}).get("every")
        return self.outcome(mutant) != "left to try" and not late

    def todo(self, thorough):
        """What is left, for a few tests; or what those did not notice, for all there are."""
        if not thorough:
            self._again = {mutant for mutant in self.made if self.unexplained(mutant)}
            return [mutant for mutant in self.made if self.outcome(mutant) == "left to try"]
        late = [mutant for mutant in self.made if self.unexplained(mutant)]
        return [m for m in late if m in self._again or not self.tried[m]["every"]]


def listed():
    """The list: function to (digest, mutants), and survivor to reason."""
    figures, reasons, entry = {}, {}, ("", ())
    for line in LIST.read_text().splitlines() if LIST.is_file() else ():
        if line.startswith("  = "):
            reasons[entry], entry = line[4:], (entry[0], ())
        elif line.startswith("  "):
            entry = (entry[0], (*entry[1], line[2:]))
        elif line and not line.startswith("#"):
            name, own, count = line.split()
            figures[name], entry = (own, int(count)), (name, ())
    return figures, reasons


def written(book):
    """The list as text: functions of which anything is left to try are not in it."""
    now = {name: own for name, own in sources().items() if own}
    parts, whole = [HEAD], {name: [] for name in now}  # of some nothing can be made
    for mutant in book.made:
        whole[place(mutant)].append(mutant)
    for name, mutants in sorted(whole.items()):
        if not all(map(book.decided, mutants)):
            continue
        parts += ["", f"{name} {now[name]} {len(mutants)}"]
        left = {book.made[mutant][1] for mutant in mutants if book.outcome(mutant) == "survived"}
        for lines in sorted(left):
            parts += [f"  {line}" for line in lines]
            parts.append(f"  = {book.reasons.get((name, lines), NOWHERE)}")
    return "\n".join(parts) + "\n"


def sources():
    """Every function that decides, as it is now: its digest, or None where mutmut skips it."""
    found = {}
    for name in SETTINGS["only_mutate"]:
        for function, (lines, decorators) in functions(ROOT / name).items():
            skipped = set(decorators) - KEPT_AS_METHODS
            module = name.removesuffix(".py").replace("/", ".")
            found[f"{module}.{function}"] = None if skipped else digest(lines)
    return found


def main(words):
    """Try, write or print; 1 where a survivor has no reason."""
    if {"--try", "--write"} & set(words):
        KEPT.mkdir(parents=True, exist_ok=True)
        book = Book(make())
        if "--try" in words:
            from tests.support.mutant_trial import Trial, run

            before = [(line["mutant"], line["test"]) for line in book.tried.values()]
            trial = Trial(book.todo, book.note, KEPT / "tests.jsonl", before)
            arguments = ("pytest_add_cli_args", "pytest_add_cli_args_test_selection")
            run([word for name in arguments for word in SETTINGS[name]], trial, MADE)
        LIST.write_text(written(book))
    figures, reasons = listed()
    now = sources()
    total = sum(count for _, count in figures.values())
    unexplained = [survivor for survivor, reason in reasons.items() if reason == NOWHERE]
    for function, lines in unexplained:
        print(function, *lines, sep="\n  ")
    print(
        f"{total} mutants of {len(figures)} functions: {total - len(reasons)} noticed by a test, "
        f"{len(reasons)} survive, {len(unexplained)} of them with no reason in {LIST.name}"
    )
    names = {
        "Left to try (make mutants)": [n for n, own in now.items() if own and n not in figures],
        "Changed since": [n for n, (own, _) in figures.items() if now.get(n) != own],
        "Skipped by mutmut, for they are decorated": [n for n, own in now.items() if own is None],
    }
    for what, those in names.items():
        print(f"{what}: {len(those)}", *sorted(those), sep="\n  ")
    return bool(unexplained)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
