"""What a page is made of: sections of paragraphs, tables, figures and pictures, as plain data; `page` sets them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True)
class Paragraph:
    """Running text; `kind` is a class of the style sheet (`lead`, `note`, `missing`)."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of short statements."""

    items: Sequence[str]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What it says.
        mark: Drawing instead of text (an interval of a forest plot); hidden from screen readers, since the table says it.
        shade: 0 to 1, darkness of the ground; -1 for none.
        strong: Set in semibold.
        indent: Moved in, below a head.
    """

    text: str = ""
    mark: Markup | None = None
    shade: float = -1.0
    strong: bool = False
    indent: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first cell of each row is its head.

    Attributes:
        caption: What the table shows, with units.
        columns: Heads.
        rows: Cells; plain strings are wrapped.
        note: Abbreviations and tests, below.
        foot: A last row that belongs to no patient (the axis of a forest plot).
        texts: Indices of columns set flush left; all others are numbers.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    note: str = ""
    foot: Sequence[Cell | str] = ()
    texts: frozenset[int] = frozenset({0})

    @property
    def cells(self) -> list[list[Cell]]:
        """Every row as cells."""
        return [[as_cell(cell) for cell in row] for row in self.rows]

    @property
    def foot_cells(self) -> list[Cell]:
        """The last row as cells."""
        return [as_cell(cell) for cell in self.foot]


@dataclass(frozen=True)
class Figure:
    """A plot or a picture.

    Attributes:
        drawing: Inline SVG or an image element.
        caption: What to see in it; the first sentence is set as its title.
        wide: Takes the whole column instead of half of it.
    """

    drawing: Markup
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class FigureRow:
    """Figures side by side where there is room."""

    figures: Sequence[Figure]


Block = Paragraph | Bullets | Table | FigureRow


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: Its anchor.
        title: Its heading.
        blocks: Its content; empty where it does not apply.
        absent: Why it does not apply, in one line.
    """

    name: str
    title: str
    blocks: Sequence[Block] = field(default=())
    absent: str = ""

    def __post_init__(self) -> None:
        if bool(self.blocks) == bool(self.absent):
            raise ValueError(f"section {self.name!r} needs content or the reason why it has none, not both")


def as_cell(cell: Cell | str) -> Cell:
    """A string is a cell without ornament."""
    return cell if isinstance(cell, Cell) else Cell(cell)


def kind_of(block: Block) -> str:
    """Which macro of the template sets a block."""
    return type(block).__name__.lower()
