"""A caller's own name for the request that made a batch, so that sending it again makes no second one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; batches that were made before have no name."""
    op.add_column("batches", sa.Column("idempotency_key", sa.String(255), nullable=True))
    op.add_column("batches", sa.Column("fingerprint", sa.String(64), nullable=True))
    op.create_index("ix_batches_idempotency_key", "batches", ["caller", "idempotency_key"], unique=True)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_batches_idempotency_key", "batches")
    op.drop_column("batches", "fingerprint")
    op.drop_column("batches", "idempotency_key")
