"""The interface is asked everything that its OpenAPI document allows, and much that it does not (schemathesis)."""
