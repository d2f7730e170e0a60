"""The two built-in tasks: on which images they are asked, and which record they know."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema
from app.imaging.volume import Modality
from app.model_package.manifest import Task

MODALITIES: Final[Mapping[Task, Modality]] = MappingProxyType({"gos": Modality.CT, "ad": Modality.MR})
SCHEMAS: Final[Mapping[Task, EhrSchema]] = MappingProxyType({"gos": GOS_SCHEMA, "ad": AD_SCHEMA})
"""The reference records; a cohort has features of its own."""
