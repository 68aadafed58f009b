select
    objects::double as objects,
    records::double as records,
    accepted::double as accepted,
    rejected::double as rejected,
    accepted::double / nullif(records, 0) as accepted_share,
    last_landed_at
from plant.publication
