"""From records to judged columns: a fast path over whole columns and an exact path record by record."""
