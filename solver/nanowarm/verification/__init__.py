"""Problems with exact solutions, computed by runs of the program: what `nanowarm verify` does and the book shows."""
