"""The report site: a page shell built once, and the data it shows, refreshed after every batch."""
