"""The heat of each kind that came in, kept in the last entries of the state so that it is integrated like the rest."""

# What the enthalpy of the body is made of: by the field, through surfaces, by the blood, by the tissue itself.
LEDGER = ("supplied", "inflow", "blood", "metabolism")
SUPPLIED, INFLOW, BLOOD, METABOLISM = range(-len(LEDGER), 0)  # places in the state
