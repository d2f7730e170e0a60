"""What the worklist filters and sorts by, beside the documents; and the table of feedback."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 500

WORKLIST = ("task", "label", "favourable", "abstained", "out_of_distribution")

predictions = sa.table(
    "predictions",
    sa.column("id", sa.String),
    sa.column("document", sa.Text),
    sa.column("task", sa.Text),
    sa.column("label", sa.Text),
    sa.column("favourable", sa.Double),
    sa.column("abstained", sa.Boolean),
    sa.column("out_of_distribution", sa.Boolean),
)


def upgrade() -> None:
    """Add the columns, fill them for answers that are kept already, then demand them."""
    with op.batch_alter_table("predictions") as table:
        table.add_column(sa.Column("task", sa.Text()))
        table.add_column(sa.Column("label", sa.Text()))
        table.add_column(sa.Column("favourable", sa.Double()))
        table.add_column(sa.Column("abstained", sa.Boolean()))
        table.add_column(sa.Column("out_of_distribution", sa.Boolean()))
        table.add_column(sa.Column("reference", sa.String(64)))
    _fill(op.get_bind())
    # SQLite copies the table for this; before `feedback` exists, so that no row refers to the copy.
    with op.batch_alter_table("predictions") as table:
        for name, kind in (("task", sa.Text()), ("label", sa.Text())):
            table.alter_column(name, existing_type=kind, nullable=False)
        for name in ("abstained", "out_of_distribution"):
            table.alter_column(name, existing_type=sa.Boolean(), nullable=False)
    # Every column of the worklist: to filter, sort and count, no document is read.
    op.create_index(
        "ix_predictions_worklist",
        "predictions",
        ["created", "id", "reference", "model_name", "model_version", *WORKLIST],
    )
    op.create_table(
        "feedback",
        sa.Column(
            "prediction_id",
            sa.String(36),
            sa.ForeignKey("predictions.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("agreement", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("updated", sa.DateTime(), nullable=False),
    )


def _fill(connection: sa.Connection) -> None:
    for rows in _batches(connection):
        for prediction_id, document in rows:
            connection.execute(
                predictions.update()
                .where(predictions.c.id == prediction_id)
                .values(_worklist(json.loads(document)))
            )


def _batches(connection: sa.Connection) -> Iterator[list[tuple[str, str]]]:
    last = ""
    query = sa.select(predictions.c.id, predictions.c.document).order_by(predictions.c.id).limit(BATCH)
    while rows := [(row.id, row.document) for row in connection.execute(query.where(predictions.c.id > last))]:
        yield rows
        last = rows[-1][0]


def _worklist(answer: dict[str, Any]) -> dict[str, Any]:
    outcome = answer["prediction"]
    return {
        "task": answer["task"],
        "label": outcome["label"],
        "favourable": outcome["favourable"],
        "abstained": outcome["abstained"],
        "out_of_distribution": outcome["out_of_distribution"]["flagged"],
    }


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_table("feedback")
    op.drop_index("ix_predictions_worklist", "predictions")
    with op.batch_alter_table("predictions") as table:
        for name in ("reference", *WORKLIST):
            table.drop_column(name)
