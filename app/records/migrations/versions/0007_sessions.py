"""Who is signed in on the page, and who asked for an answer or made a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ASKED = ("predictions", "batches")


def upgrade() -> None:
    """Create the table; what is kept already was asked for by nobody that is known."""
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("seen", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_sessions_subject", "sessions", ["subject"])
    for table in ASKED:
        # With a default of the database's own, so that no row is rewritten: neither copies the table for this.
        op.add_column(table, sa.Column("caller", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_predictions_caller", "predictions", ["caller", "created"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_predictions_caller", "predictions")
    for table in ASKED:
        op.drop_column(table, "caller")
    op.drop_table("sessions")
