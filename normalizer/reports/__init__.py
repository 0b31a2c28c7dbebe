"""One renderer a file, each a pure function from outcomes to text."""
