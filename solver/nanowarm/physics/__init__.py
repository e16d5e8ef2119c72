"""Pointwise physics in NumPy: knows neither mesh nor solver."""
