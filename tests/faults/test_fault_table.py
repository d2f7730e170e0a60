"""docs/reference/faults.md has a row for each test of this folder, and no other."""

import ast
from pathlib import Path

from tests.faults.outcomes import PAGE, TABLE, rows_of


def _fault_tests() -> set[str]:
    """Tests that state a fault."""
    functions = (
        node
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    )
    return {
        function.name
        for function in functions
        if any("pytest.mark.fault" in ast.unparse(decorator) for decorator in function.decorator_list)
    }


def test_the_table_of_faults_is_complete() -> None:
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert rows_of(found[0]) == _fault_tests(), "make faults"
