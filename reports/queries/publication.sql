select * from plant.publication
