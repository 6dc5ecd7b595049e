"""Count what makes the house large or hard to read, and print it beside its bounds.

    python bench/house.py [--list NAME]

`--list` names the places of one count, as in `--list forwarders`. Lines are physical lines,
blank ones and docstrings included. A module is a `.py` file of the package; an `__init__.py`
that holds a docstring and nothing else counts as a module, but not as a small one: it is the
sign at a room's door. Exits with 1 where a bound is exceeded.
"""

import argparse
import ast
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lfgtui"
FIXTURES = PACKAGE / "simulator" / "demo" / "workspace"
RIDDLES = ("What", "Whether", "How", "Where", "Who")
SMALL, LARGE, CROWDED, BLOCK = 40, 400, 16, 10


@dataclass
class Count:
    """A figure, its bound, and the places that make it up."""

    name: str
    bound: int | None
    places: list[str] = field(default_factory=list)
    number: float | None = None

    @property
    def figure(self) -> float:
        return len(self.places) if self.number is None else self.number


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", metavar="NAME", default="", help="name the places of one count")
    wanted = parser.parse_args().list
    counts = [*sizes(), *reading(), *structure()]
    for count in counts:
        if wanted:
            if wanted in count.name:
                print(*count.places, sep="\n")
            continue
        bound = "" if count.bound is None else f"at most {count.bound:,}"
        over = "  <-" if count.bound is not None and count.figure > count.bound else ""
        print(f"{count.name:42} {count.figure:>8,g}  {bound}{over}")
    return any(count.bound is not None and count.figure > count.bound for count in counts)


def sources(folder: Path) -> list[Path]:
    """Return the Python files of a folder, without the demo agents' own project."""
    return sorted(path for path in folder.rglob("*.py") if FIXTURES not in path.parents)


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_sign(path: Path) -> bool:
    """Return True for an `__init__.py` that holds nothing but a docstring."""
    if path.name != "__init__.py":
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) for node in body)


def sizes() -> Iterator[Count]:
    modules = {path: lines_of(path) for path in sources(PACKAGE)}
    tests = sum(map(lines_of, sources(ROOT / "tests")))
    real = {path: lines for path, lines in modules.items() if not is_sign(path)}
    by_size = sorted(real.items(), key=lambda item: item[1])
    yield Count("lines", 33_000, number=sum(modules.values()))
    yield Count("modules", 250, number=len(modules))
    yield Count("of these, signs", None, [named(path) for path in modules.keys() - real.keys()])
    small = [f"{named(path)} {lines}" for path, lines in by_size if lines < SMALL]
    yield Count(f"modules under {SMALL} lines", 25, small)
    yield Count("median of a module", 150, number=statistics.median(real.values()))
    large = [f"{named(path)} {lines}" for path, lines in by_size if lines > LARGE]
    yield Count(f"modules over {LARGE} lines", 0, large)
    yield Count("lines of tests", 28_000, number=tests)
    folders = Counter(path.parent for path in real)
    crowded = [f"{named(at)} {number}" for at, number in folders.items() if number > CROWDED]
    yield Count(f"folders with over {CROWDED} modules", 0, crowded)
    rooms = [path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()]
    rooms = [name for name in rooms if name not in ("__init__.py", "__main__.py", "__pycache__")]
    yield Count("rooms at the top", 14, rooms)


def reading() -> Iterator[Count]:
    forwarders, inside, riddles = [], [], []
    for path in sources(PACKAGE):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside += [f"{named(path)}:{line}" for line in inner_imports(tree)]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_forwarder(node):
                forwarders.append(f"{named(path)}:{node.lineno} {node.name}")
            text = docstring(node)
            if text.split(" ")[0].rstrip(",:") in RIDDLES:
                riddles.append(f"{named(path)}:{getattr(node, 'lineno', 1)} {text.splitlines()[0]}")
        riddles += [f"{named(path)} {text}" for text in field_docs(tree)]
    yield Count("forwarders", 35, forwarders)
    yield Count("imports inside functions", 15, sorted(set(inside)))
    yield Count("docstrings beginning with What or its like", 20, riddles)
    yield Count(f"blocks of {BLOCK} equal lines", 0, equal_blocks())


def docstring(node: ast.AST) -> str:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return ast.get_docstring(node) or ""
    return ""


def field_docs(tree: ast.Module) -> Iterator[str]:
    """Yield strings that stand behind an assignment and begin as a riddle does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                    text = after.value.value if isinstance(after.value, ast.Constant) else ""
                    if isinstance(text, str) and text.split(" ")[0] in RIDDLES:
                        yield f"{after.lineno} {text.splitlines()[0]}"


def inner_imports(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno


def is_forwarder(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True if all it does is hand its own parameters to a method of something it holds."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr) or not function.args.args:
        return False
    value = body[0].value
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return is_property(function) and held(value, function)
    given = [*value.args, *(keyword.value for keyword in value.keywords)]
    own = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    is_plain = all(isinstance(each, ast.Name) and each.id in own for each in given)
    return is_plain and len(given) == len(own) - 1 and held(value.func, function)


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "property" for d in function.decorator_list)


def held(node: ast.AST | None, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True for `self.thing.name` and whatever lies deeper."""
    depth = 0
    while isinstance(node, ast.Attribute):
        node, depth = node.value, depth + 1
    is_self = isinstance(node, ast.Name) and node.id == function.args.args[0].arg == "self"
    return is_self and depth >= 2


def equal_blocks() -> list[str]:
    """Return the places where ten lines stand that stand elsewhere too; imports do not count."""
    seen: dict[tuple[str, ...], str] = {}
    found = []
    for path in sources(PACKAGE):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = {
            line
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        text = path.read_text(encoding="utf-8").splitlines()
        kept = [(n, line.strip()) for n, line in enumerate(text, 1) if n not in imports]
        kept = [(n, line) for n, line in kept if line]
        for at in range(len(kept) - BLOCK + 1):
            key = tuple(line for _, line in kept[at : at + BLOCK])
            place = f"{named(path)}:{kept[at][0]}"
            if key in seen:
                found.append(f"{place} as {seen[key]}")
            seen.setdefault(key, place)
    return found


def structure() -> Iterator[Count]:
    """Yield the arrows among rooms and the floors they lie on, as `grimp` reads the imports."""
    graph = grimp.build_graph("lfgtui", cache_dir=None)
    for room in ("lfgtui", "lfgtui.ui", "lfgtui.providers", "lfgtui.history"):
        arrows: dict[str, set[str]] = defaultdict(set)
        children = graph.find_children(room)
        for child in children:
            inner = {child, *graph.find_descendants(child)}
            for module in inner:
                for target in graph.find_modules_directly_imported_by(module) - inner:
                    if under := next(
                        (c for c in children if f"{target}.".startswith(f"{c}.")), None
                    ):
                        arrows[child].add(under)
        pairs = sorted(f"{a} -> {b}" for a, targets in arrows.items() for b in targets)
        yield Count(f"{room}: rooms", None, sorted(children))
        yield Count(f"{room}: arrows", None, pairs)
        yield Count(f"{room}: floors", None, number=floors(children, arrows))


def floors(children: set[str], arrows: dict[str, set[str]]) -> int:
    """Return the length of the longest way down; rooms in a circle count once."""
    depths: dict[str, int] = {}

    def depth(room: str, above: frozenset[str]) -> int:
        if room not in depths:
            below = arrows.get(room, set()) - above - {room}
            depths[room] = 1 + max((depth(each, above | {room}) for each in below), default=0)
        return depths[room]

    return max(depth(child, frozenset()) for child in children)


if __name__ == "__main__":
    sys.exit(main())
