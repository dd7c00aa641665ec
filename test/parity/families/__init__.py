"""The families of cases that generate.py writes, one module each."""
