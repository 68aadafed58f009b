select field, objects::double as objects, strftime(last_landed_at, '%Y-%m-%d %H:%M UTC') as last_landed
from plant.unexpected_fields
order by field
