{% test same_row_count(model, other) %}

select counts.*
from (
    select
        (select count(*) from {{ model }}) as row_count,
        (select count(*) from {{ other }}) as other_row_count
) as counts
where counts.row_count <> counts.other_row_count

{% endtest %}
