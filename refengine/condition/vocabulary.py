"""The words of conditions: operators, modifiers and transformers, in the order in which they are tried."""

from __future__ import annotations

UNARY_OPERATORS = ("exists",)
ORDER_OPERATORS = ("<=", "<", ">=", ">")
STRING_OPERATORS = (
    "==",
    "=",
    "!=",
    "glob",
    "iglob",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "regex",
)
LIST_OPERATORS = ("intersects", "in", "pmatch")
OPERATORS = (*UNARY_OPERATORS, *ORDER_OPERATORS, *STRING_OPERATORS, *LIST_OPERATORS)
"""All twenty comparison operators."""

MODIFIERS = ("oneof", "anyof", "allof")
"""They stand between an operator of strings and a list, and say how many items must compare."""

TRANSFORMERS = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt")
FIELD_VALUE = "val"
"""The word that makes the right-hand side another field's value."""
