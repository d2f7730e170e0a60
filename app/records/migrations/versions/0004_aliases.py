"""What package names mean: aliases, wishes for packages, and the count of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and the one row that counts."""
    plan = op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    op.bulk_insert(plan, [{"id": 1, "revision": 0}])
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("alias", sa.String(255), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("canary_version", sa.Integer(), nullable=True),
        sa.Column("canary_share", sa.Double(), nullable=True),
        sa.Column("shadow_version", sa.Integer(), nullable=True),
        sa.Column("previous", sa.Text(), nullable=False),
    )
    op.create_table(
        "package_wishes",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("package_wishes", "aliases", "plan"):
        op.drop_table(table)
