"""Stories at the edge and properties of the core, on real parts."""
