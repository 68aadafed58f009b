"""Great Expectations: the suites, the frames of data that they judge, and the adapter to the library."""
