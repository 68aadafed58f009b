select site_id from plant.freshness order by site_id
