"""Great Expectations: suites, the frames that they judge, and the one adapter to the library."""
