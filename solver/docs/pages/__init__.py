"""What the documentation is made of besides its texts: pages from schema, library, commands and the book of runs."""
