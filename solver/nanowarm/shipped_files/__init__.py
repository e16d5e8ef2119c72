"""In a wheel, the folders `cases` and `meshes` of the repository lie here."""
