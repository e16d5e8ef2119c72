"""Studies: many runs of one case over grids, lists and samples of its values, and one table of them."""
