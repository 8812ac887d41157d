"""What three kinds of systems make of a table: names, ways of writing, files, and the mapping."""
