"""From records to judged columns: the fast way by whole columns, the exact way record by record."""
