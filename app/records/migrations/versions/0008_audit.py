"""The audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NOTHING = "0" * 64


def upgrade() -> None:
    """Create the trail, which begins here."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("moment", sa.DateTime(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("subject", "kind", "action", "object_id", "model", "outcome", "request_id")
        ),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_moment", "audit", ["moment"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "first": 1, "base": NOTHING, "last": 0, "digest": NOTHING}])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("audit_head")
    op.drop_index("ix_audit_moment", "audit")
    op.drop_table("audit")
