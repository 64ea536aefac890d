"""Imports run one way through the house, as the design draws it."""

import ast
from pathlib import Path

import pytest

import skreg

HOUSE = Path(skreg.__file__).parent
# From the roof to the ground: a room may import from lower floors only (and from itself, if it is a package).
FLOORS = [
    {"testing"},
    {"inspection"},
    {"convert", "model_selection", "reweighted"},
    {"linear_model"},
    {"search"},
    {"selection", "folds", "criteria", "relax"},
    {"path", "objective"},
    {"grid", "degrees", "convexity", "stops"},
    {"fitting"},
    {"solvers"},
    {"divergence", "subproblems"},
    {"problem"},
    {"moments", "intercept"},
    {"point"},
    {"gap", "jumps", "screen"},
    {"elastic", "curvature"},
    {"certificate", "model", "spectrum", "blocks"},
    {"penalties", "losses", "design"},
    {"_validation", "_compat", "lazy", "pages", "progress", "sums"},
    {"_active", "_blocks", "_coarse", "_kernels", "_passes", "_small", "_structured", "_twins", "_wrapped"},
]
FLOOR_OF = {room: -number for number, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in HOUSE.rglob("*.py") if path != HOUSE / "__init__.py")


def room_of(path):
    return path.relative_to(HOUSE).with_suffix("").parts[0]


def rooms_imported(path):
    """(room, whether at the top of the file) for every import of skreg, wherever it is."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # `from skreg import x` and `from skreg.room import x`
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[0] == "skreg":
                yield parts[1] if len(parts) > 1 else "skreg"


def test_every_room_has_its_floor():
    rooms = {room_of(path) for path in FILES} | {path.name.split(".")[0] for path in HOUSE.glob("*.pyx")}
    assert rooms <= FLOOR_OF.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_run_one_way(path):
    own = room_of(path)
    for room in rooms_imported(path):
        assert room in FLOOR_OF, f"{path.name} imports {room!r} from the package itself: name the room"
        # A path shows itself: the one step upstairs, taken inside a method.
        if (path.name, room) == ("path.py", "inspection"):
            continue
        assert room == own or FLOOR_OF[room] < FLOOR_OF[own], f"{own} may not know {room}"


def test_the_house_is_as_drawn():
    drawn = ["problem.py", "design", "losses", "linear_model", "path.py", "testing", "solvers", "penalties"]
    assert all((HOUSE / name).exists() for name in drawn)
    assert (HOUSE / "py.typed").exists()


@pytest.mark.parametrize("room", ["penalties", "losses"])
def test_penalties_and_losses_never_see_the_data(room):
    """A penalty knows coefficients, a loss knows y and eta; neither knows X, a solver or an estimator."""
    known = {room, "_validation", "_kernels", "_passes", "_structured", "sums"}
    for path in sorted((HOUSE / room).rglob("*.py")):
        assert set(rooms_imported(path)) <= known
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.arg) and node.arg == "X"), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_methods_do_not_write_to_self(path):
    """Penalties, losses and solvers keep nothing: only `__init__` and what an estimator fits may set attributes."""
    if room_of(path) not in ("penalties", "losses"):
        return
    for cls in ast.walk(ast.parse(path.read_text())):
        if not isinstance(cls, ast.ClassDef):
            continue
        for method in cls.body:
            if isinstance(method, ast.FunctionDef) and method.name != "__init__":
                for node in ast.walk(method):
                    stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
                    own = stored and isinstance(node.value, ast.Name) and node.value.id == "self"
                    assert not own, f"{cls.name}.{method.name} writes self.{node.attr}"
