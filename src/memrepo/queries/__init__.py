"""The tables and every statement about them. Pure: constant SQL from pypika, values only bound."""
