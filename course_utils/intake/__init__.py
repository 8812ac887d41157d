"""A bank's own exports → read, map, validate, de-identify → tables that keep the data contract."""
