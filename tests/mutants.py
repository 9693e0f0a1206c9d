"""What `make mutants` found: each fault that no test notices needs a reason in survivors.txt.

A survivor is known by its function and by what was changed in it, so that the list stays true
while other lines of the file change. `--write` makes the list anew and keeps the reasons.
"""

import ast
import difflib
import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRIED = ROOT / "mutants"
LIST = ROOT / "tests/survivors.txt"
OUTCOMES = {1: "killed", 3: "killed", 36: "killed", 24: "killed", -24: "killed", 152: "killed"} | {
    37: "killed", 0: "survived", 5: "survived", 33: "survived",
}  # fmt: skip
NOWHERE = "?"
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|CASE)\b")
HEAD = "# Faults that no test notices, and why: `python -m tests.mutants --write`."


def tried():
    """Every mutant's name and exit status, file by file."""
    for meta in sorted(TRIED.rglob("*.py.meta")):
        yield meta.with_suffix(""), json.loads(meta.read_text())["exit_code_by_key"]


def functions(file):
    """Name to source, of every variant of every function in a file, with no regard to layout."""
    sources = {}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name, node.name, node.decorator_list = node.name, "function", []
            sources[name] = ast.unparse(node).splitlines()
    return sources


def change(variants, mutant):
    """What a mutant changes, as the lines of a difference."""
    name, _, number = mutant.rpartition("__mutmut_")
    was, now = variants[f"{name}__mutmut_orig"], variants[f"{name}__mutmut_{number}"]
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


def place(mutant):
    """`core.ledger.runs.Runs.accept` of mutmut's own way to write it."""
    module, _, name = mutant.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{name.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def found():
    """How many mutants ended how, and the survivors as (function, change)."""
    counts, survivors = Counter(), []
    for file, statuses in tried():
        variants = functions(file)
        for mutant, status in statuses.items():
            outcome = OUTCOMES.get(status, "left to try")
            if outcome == "survived":
                lines = change(variants, mutant.rpartition(".")[2])
                if same_sql(lines):
                    continue
                survivors.append((place(mutant), lines))
            counts[outcome] += 1
    return counts, survivors


def listed():
    """The figures of the last whole run, and survivor to reason."""
    figures, reasons, entry = "", {}, None
    for line in LIST.read_text().splitlines() if LIST.is_file() else ():
        if line.startswith("# ") and line != HEAD:
            figures = line[2:]
        elif line.startswith("  = "):
            reasons[entry] = line[4:]
        elif line.startswith("  "):
            entry = (entry[0], (*entry[1], line[2:]))
        elif line and not line.startswith("#"):
            entry = (line, ())
    return figures, reasons


def written(counts, survivors, reasons):
    """The list as text."""
    parts = [HEAD, f"# {told(counts)}"]
    for function, lines in sorted(set(survivors)):
        parts += ["", function, *(f"  {line}" for line in lines)]
        parts.append(f"  = {reasons.get((function, lines), NOWHERE)}")
    return "\n".join(parts) + "\n"


def told(counts):
    """The figures in one line."""
    total, left = counts.total(), counts["left to try"]
    more = f", {left} left to try" if left else ""
    return f"{total} mutants, {counts['killed']} noticed, {counts['survived']} survive{more}"


def main(words):
    """Print the figures; 1 where a survivor has no reason."""
    figures, reasons = listed()
    if not TRIED.is_dir():
        print(f"{figures or 'no mutants yet'} (as listed; `make mutants` tries them)")
        return sum(reason == NOWHERE for reason in reasons.values()) > 0
    counts, survivors = found()
    if "--write" in words:
        LIST.write_text(written(counts, survivors, reasons))
        _, reasons = listed()
    unexplained = [s for s in survivors if reasons.get(s, NOWHERE) == NOWHERE]
    for function, lines in unexplained:
        print(function, *lines, sep="\n  ")
    print(f"{told(counts)}, {len(unexplained)} of them with no reason in {LIST.name}")
    return bool(unexplained)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
