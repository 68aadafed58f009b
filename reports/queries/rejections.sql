select
    reason,
    records::double as records,
    objects::double as objects,
    strftime(last_rejected_at, '%Y-%m-%d %H:%M UTC') as last_rejected,
    example_detail,
    example_object || ' @ ' || example_position::varchar as example_place
from plant.rejections
order by records desc, reason
