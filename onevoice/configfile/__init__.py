"""The YAML that admins edit: strict reading, models, and every fault of every file in one pass."""

from onevoice.configfile.document import Document
from onevoice.configfile.load import lint_project, load_project
from onevoice.configfile.project_config import Check, ProjectConfig

__all__ = ["Check", "Document", "ProjectConfig", "lint_project", "load_project"]
