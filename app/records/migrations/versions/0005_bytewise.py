"""On PostgreSQL, what the worklist sorts and searches is compared by code points, as SQLite does, whatever the locale."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    ("predictions", "id", sa.String(36)),
    ("predictions", "reference", sa.String(64)),
    ("predictions", "model_name", sa.Text()),
    ("predictions", "task", sa.Text()),
    ("predictions", "label", sa.Text()),
    ("feedback", "prediction_id", sa.String(36)),
)


def upgrade() -> None:
    """Set the collation "C", under which lower() knows the letters of ASCII alone."""
    _collate("C")


def downgrade() -> None:
    """Go back to that of the database."""
    _collate("default")


def _collate(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, kind in COLUMNS:
            collated = type(kind)(kind.length, collation=collation)
            op.alter_column(table, column, existing_type=kind, type_=collated)
