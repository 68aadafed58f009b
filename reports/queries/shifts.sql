select distinct shift_id from plant.site_shifts order by shift_id
