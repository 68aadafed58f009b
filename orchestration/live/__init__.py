"""From a new object to a batch within a second: the watcher of the bucket and its warm process."""
