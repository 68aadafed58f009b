"""Great Expectations: suites, the frames that they judge, and the adapter to the library."""
