"""The program `floorhouse`: one verb for each thing that a person does with a plant.

What a verb does lives in the other packages.
"""
