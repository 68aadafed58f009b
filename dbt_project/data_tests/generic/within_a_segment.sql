{% test within_a_segment(model) %}

select events.*
from {{ model }} as events
left join {{ ref('int_segment_dates') }} as segments
    on events.site_id = segments.site_id
    and {{ utc_date('events.event_at') }} = segments.covered_on
    and events.event_at >= segments.started_at
    and events.event_at < segments.ended_at
where segments.site_id is null

{% endtest %}
