select * from plant.freshness order by site_id
